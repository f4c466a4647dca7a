"""A live mock, and a copy of the checkout in which the documentation's commands run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.support.blocks import ROOT
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
