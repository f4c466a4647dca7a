"""A live mock, and a copy of the checkout in which the documentation's commands run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.clients.support.install_node_packages import FOLDER
from tests.docs.support.blocks import ROOT, is_in_the_readers_repository
from tests.support.serving import Served, serve

#: What a fresh clone does not have.
NOT_COMMITTED = (".git", ".tox", ".venv", ".*_cache", ".hypothesis", "__pycache__", "node_modules", "build", "dist")


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serve() as running:
        yield running


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout as a fresh clone has it."""
    copy = tmp_path_factory.mktemp("fresh") / "checkout"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COMMITTED))
    return copy


@pytest.fixture(scope="session")
def folder_of(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Return the folder in which the commands of a page run; those of a how-to page share one that begins empty."""

    @cache
    def folder(document: Path) -> Path:
        if not is_in_the_readers_repository(document):
            return checkout
        own = tmp_path_factory.mktemp(document.stem)
        (own / "node_modules").symlink_to(FOLDER / "node_modules")
        return own

    return folder
