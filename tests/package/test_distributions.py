"""What the wheel and the source distribution hold."""

from __future__ import annotations

import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

from tests.package.support.environments import ROOT, VERSION

INFO = f"agent_contract_kit-{VERSION}.dist-info"
PACKAGES = ("agent_contract", "mockserver", "contract_tests", "load_generator", "server_defects", "client_check")


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_has_the_packages_and_no_other_name(wheel: Path) -> None:
    """Another top-level name, such as `tests` or `fixtures`, could overwrite that of another package."""
    assert {name.split("/")[0] for name in contents(wheel)} == {*PACKAGES, INFO}


def test_the_wheel_has_the_document(wheel: Path) -> None:
    assert contents(wheel)["agent_contract/openapi.yaml"] == (ROOT / "openapi.yaml").read_bytes()


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    """Data files too: type markers, templates, schemas."""
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*"))
    expected = {str(file.relative_to(ROOT)) for file in files if file.is_file() and "__pycache__" not in file.parts}

    assert {name for name in contents(wheel) if not name.startswith(INFO)} == {
        *expected,
        "agent_contract/openapi.yaml",
    }


def test_the_wheel_has_licence_version_and_entry_points(wheel: Path) -> None:
    files = contents(wheel)
    metadata = Parser().parsestr(files[f"{INFO}/METADATA"].decode())

    assert files[f"{INFO}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert (metadata["Name"], metadata["Version"]) == ("agent-contract-kit", VERSION)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert files[f"{INFO}/entry_points.txt"].decode().split() == [
        "[console_scripts]",
        *("agent-contract", "=", "agent_contract.cli:main"),
        *("agent-contract-kit", "=", "agent_contract.cli:main"),
        "[pytest11]",
        *("agent_contract", "=", "agent_contract.pytest_plugin"),
    ]


def test_the_sdist_builds_the_same_wheel(wheel: Path, wheel_from_sdist: Path) -> None:
    assert contents(wheel_from_sdist) == contents(wheel)


def test_the_sdist_has_the_tests_and_nothing_that_was_installed_or_built(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}

    assert {"openapi.yaml", "conftest.py", "constraints.txt", "tests/package/test_distributions.py"} <= names
    assert not {part for name in names for part in name.split("/")} & {"node_modules", "__pycache__", ".venv", ".tox"}
