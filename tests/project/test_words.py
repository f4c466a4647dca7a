"""The prose of each place uses idioms that slow its readers down no more often than well-known projects do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.support.words import IDIOMS, ROOT, count, files, lines, prose

#: The places that are checked; the limits are in `support/words.py`. A place counts as a whole.
PLACES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "agent_contract",
    "benchmarks",
    "conftest.py",
    "contract_tests",
    "docs",
    "client_check",
    "load_generator",
    "mockserver",
    "openapi.yaml",
    "tests/agent_contract",
    "tests/benchmarks",
    "tests/browser",
    "tests/clients",
    "tests/contract_tests",
    "tests/docs",
    "tests/client_check",
    "tests/load_generator",
    "tests/mockserver",
    "tests/package",
    "tests/project",
    "tests/support",
)
#: In a small place one use can exceed a limit: one for every 400 words is allowed, up to this many.
ALLOWED_USES = 2


def excess(*places: Path) -> list[str]:
    """Return the idioms that these places use too often."""
    found = count(files(places))
    return [
        name
        for name, idiom in IDIOMS.items()
        if found.rate(name) > idiom.limit and found.uses[name] > min(ALLOWED_USES, found.words // 400)
    ]


@pytest.mark.parametrize("place", PLACES)
def test_a_place_uses_no_idiom_too_often(place: str) -> None:
    too_often = excess(ROOT / place)
    uses = [
        line
        for path in files([ROOT / place])
        for line in lines(path)
        if any(f": {name} (" in line for name in too_often)
    ]
    assert not too_often, "\n".join(["python -m tests.project.support.words --lines shows:", *uses])


def test_an_idiom_above_its_limit_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("texts anew. " * 100, encoding="utf-8")
    assert excess(page) == ["texts", "anew"]
    page.write_text("Return the position, or None if it is None. " * 100, encoding="utf-8")
    assert excess(page) == []


def test_strings_of_a_test_are_data_and_its_docstrings_are_prose() -> None:
    counted = prose(Path(__file__))
    assert "idioms that slow its readers down" in counted
    assert "python -m tests.project.support.words" not in counted
