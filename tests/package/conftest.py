"""What is built and installed once for all tests of the package."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.package.environments import ROOT, Environment, build, empty_environment, install


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
    """An environment with nothing but the wheel and what it needs."""
    environment = empty_environment(tmp_path_factory.mktemp("installed"))
    install(environment, str(wheel))
    return environment


@pytest.fixture(scope="session")
def installed_from_sdist(wheel_from_sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with nothing but the wheel from the source distribution and what it needs."""
    environment = empty_environment(tmp_path_factory.mktemp("installed-from-sdist"))
    install(environment, str(wheel_from_sdist))
    return environment


@pytest.fixture(scope="session")
def installed_editable(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment that knows the checkout by its path."""
    environment = empty_environment(tmp_path_factory.mktemp("installed-editable"))
    install(environment, "-e", str(ROOT))
    return environment
