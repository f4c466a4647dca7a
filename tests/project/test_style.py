"""The rules of style that no linter knows; CONTRIBUTING.md gives their reasons."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("agent_contract", "mockserver", "contract_tests", "load_generator", "server_defects", "client_check")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TEST_MODULES = sorted((ROOT / "tests").rglob("test_*.py"))
#: Words without a meaning of their own in a name.
EMPTY_WORDS = re.compile(r"utils?$|helpers?$|(?:Manager|Handler|Helper|Factory|Base)$")


def address(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    """Return a module's tree.

    CPython 3.11 keeps one count of a tree's depth for all threads. If another one parses at the same time,
    the second try works.
    """
    text = path.read_text(encoding="utf-8")
    try:
        return ast.parse(text)
    except SystemError:
        return ast.parse(text)


def definitions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    tree = parsed(path)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return (node for node in ast.walk(tree) if isinstance(node, kinds))


@pytest.mark.parametrize("path", MODULES, ids=address)
def test_a_module_stays_below_the_alarm_of_500_lines(path: Path) -> None:
    """Complexity is ruff's to measure; a module this long usually holds two ideas."""
    assert len(path.read_text(encoding="utf-8").splitlines()) < 500


@pytest.mark.parametrize("path", MODULES, ids=address)
def test_a_name_contains_no_empty_word(path: Path) -> None:
    names = [path.stem, *(node.name for node in definitions(path))]
    assert [name for name in names if EMPTY_WORDS.search(name)] == []


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem != "__init__"], ids=address)
def test_a_module_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(parsed(path))


@pytest.mark.parametrize("path", TEST_MODULES, ids=address)
def test_a_test_does_not_sleep(path: Path) -> None:
    """A test that waits for a time is slow on a good day and red on a bad one; `asyncio.sleep(0)` only yields."""
    calls = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    sleeps = [call for call in calls if ast.unparse(call.func) in {"sleep", "time.sleep", "asyncio.sleep"}]
    assert [ast.unparse(call) for call in sleeps if ast.unparse(call) != "asyncio.sleep(0)"] == []


def test_no_module_imports_the_fixtures_or_the_tests() -> None:
    """They are not in the wheel."""
    texts = {address(path): path.read_text(encoding="utf-8") for path in MODULES}
    pattern = re.compile(r"^\s*(?:from|import) (?:tests|fixtures|benchmarks)\b", re.MULTILINE)
    assert [name for name, text in texts.items() if pattern.search(text)] == []


@pytest.mark.parametrize("path", TEST_MODULES, ids=address)
def test_a_test_module_imports_no_other(path: Path) -> None:
    """What test modules share is in `support/`."""
    imported = re.findall(
        r"^\s*(?:from|import) (tests\.[\w.]*test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert imported == []


def test_a_class_has_a_name_of_its_own() -> None:
    """Both packages name a request with its reply `Exchange`: the judge knows nothing of the mock's."""
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(address(path))
    shared = {name: where for name, where in places.items() if len(where) > 1}
    assert list(shared) == ["Exchange"], shared
