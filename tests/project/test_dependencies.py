"""The plain install brings what the packages import, and no more."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
OURS = ("agent_contract", "mockserver", "contract_tests")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PLAIN = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
#: What an extra adds for users; the extras `test`, `frameworks` and `dev` are this project's own.
OFFERED = {
    canonicalize_name(Requirement(line).name)
    for extra, lines in PROJECT["optional-dependencies"].items()
    if extra not in {"all", "test", "frameworks", "dev"}
    for line in lines
}


def imported_names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def imported_distributions() -> set[str]:
    paths = [path for package in OURS for path in (ROOT / package).rglob("*.py")]
    names = {name for path in paths for name in imported_names(path)} - {*sys.stdlib_module_names, "_typeshed", *OURS}
    providers = packages_distributions()
    return {canonicalize_name(providers.get(name, [name])[0]) for name in names}


def test_every_import_of_the_packages_is_declared() -> None:
    """What another library happens to bring may be gone with its next version."""
    assert imported_distributions() - PLAIN - OFFERED == set()


def test_every_declared_dependency_is_imported() -> None:
    assert (PLAIN | OFFERED) - imported_distributions() == set()
