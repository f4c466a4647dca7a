"""What is built and installed once for all tests of the package."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.package.support.environments import ROOT, Environment, build, empty_environment, install, lend


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, built from the checkout."""
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel_from_sdist(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from nothing but the source distribution."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    return build("wheel", source, tmp_path_factory.mktemp("wheel-from-sdist"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the plain install: the wheel and what it needs."""
    environment = empty_environment(tmp_path_factory.mktemp("installed"))
    install(environment, str(wheel))
    return environment


@pytest.fixture(scope="session")
def installed_verify(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel and its extra `verify`."""
    environment = empty_environment(tmp_path_factory.mktemp("installed-verify"))
    install(environment, f"{wheel}[verify]")
    return environment


@pytest.fixture(scope="session")
def installed_from_sdist(
    installed: Environment, wheel_from_sdist: Path, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """An environment with the wheel from the source distribution; what that needs is lent to it."""
    environment = empty_environment(tmp_path_factory.mktemp("installed-from-sdist"))
    install(environment, "--no-deps", str(wheel_from_sdist))
    lend(installed, environment)
    return environment


@pytest.fixture(scope="session")
def installed_editable(installed: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment that knows the checkout by its path; what it needs is lent to it."""
    environment = empty_environment(tmp_path_factory.mktemp("installed-editable"))
    install(environment, "--no-deps", "-e", str(ROOT))
    lend(installed, environment)
    return environment
