"""What is installed is pinned, and neither lock file has the address of an index."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


def requirements() -> list[Requirement]:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    named = map(Requirement, [*PROJECT["dependencies"], *extras])
    return [requirement for requirement in named if requirement.name != PROJECT["name"]]


def test_constraints_are_exact_versions_and_nothing_else() -> None:
    """No index, no address, no path, no option."""
    assert [line for line in PINS if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)] == []


def test_no_package_is_pinned_twice() -> None:
    names = [canonicalize_name(line.split("==")[0]) for line in PINS]
    assert sorted(set(names)) == sorted(names)


def test_every_requirement_is_pinned_within_its_range() -> None:
    versions = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in PINS)}
    unmet = [
        f"{requirement} ({versions.get(canonicalize_name(requirement.name), 'not pinned')})"
        for requirement in requirements()
        if not requirement.specifier.contains(versions.get(canonicalize_name(requirement.name), "0"))
    ]
    assert unmet == []


def test_every_dependency_of_the_plain_install_has_an_upper_bound() -> None:
    """A new major version of a library must not break a test suite over night."""
    assert [line for line in PROJECT["dependencies"] if "<" not in line] == []


@pytest.mark.parametrize("folder", ["tests/clients/node", "clients/node"])
def test_the_lock_files_of_node_packages_name_no_registry(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_bytes())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert [name for name, entry in packages.items() if "resolved" in entry or "integrity" not in entry] == []
