"""The reference pages are complete: report, Python API, control API, commands."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

import pytest
from click import Context

from agent_contract.cli import main
from agent_contract.sampling.budget import BOUNDS, LOOKS, PATTERN_BYTES, UNFOLDED
from agent_contract.validation.json_body import MAX_DEPTH
from contract_tests.report.saved_json import SCHEMA
from mockserver import control
from tests.docs.support import repairs_page
from tests.docs.support.blocks import BLOCKS, DOCUMENTS, ROOT, links_of
from tests.docs.support.report_page import PAGE, fields, page

REFERENCE = ROOT / "docs" / "reference"
REPORT = json.loads(SCHEMA.read_text(encoding="utf-8"))
PARTS = [REPORT, *(REPORT["$defs"][name] for name in ("clause", "transcript", "comparison", "cold_start"))]
#: The entries of the page on the Python API, by their last name.
ENTRIES = re.findall(r"^::: [\w.]+\.(\w+)$", (REFERENCE / "python.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_on_the_report_is_what_its_schema_gives() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(REPORT), "run `python -m tests.docs.support.report_page`"


def test_the_page_on_repair_rules_is_what_their_table_gives() -> None:
    assert repairs_page.PAGE.read_text(encoding="utf-8") == repairs_page.repairs_page()


def test_every_field_of_the_report_has_a_description() -> None:
    assert [path for part in PARTS for path, field, _ in fields(part) if not field.get("description")] == []


def imported() -> Iterator[str]:
    """Yield the names that the documentation's Python blocks import from this project."""
    for block in BLOCKS:
        if block.language == "python":
            for node in ast.walk(ast.parse(block.text)):
                if isinstance(node, ast.ImportFrom) and node.module in {"mockserver", "agent_contract"}:
                    yield from (alias.name for alias in node.names)


def test_the_python_api_has_every_name_that_the_documentation_imports() -> None:
    names = set(imported())
    assert {"MockServer", "MockTransport", "Httpx2Transport", "load_engine", "Pace", "load_contract"} <= names
    assert names - set(ENTRIES) == set()


def test_the_page_on_the_control_api_has_every_path() -> None:
    text = (REFERENCE / "control.md").read_text(encoding="utf-8")
    document = json.loads((ROOT / "mockserver" / "control" / "openapi.json").read_text(encoding="utf-8"))
    last_parts = [path.partition("/{")[0] for path in document["paths"]]
    assert [path for path in last_parts if path not in text and path not in {control.PREFIX}] == []


MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("row", "bound"),
    [
        ("steps of work", f"{BOUNDS.steps:,}"),
        ("characters of generated values", f"{BOUNDS.characters:,}"),
        ("characters of all schemas", f"{BOUNDS.schema_characters:,}"),
        ("bytes of compiled regular", f"{PATTERN_BYTES / MIB:g} MiB, {BOUNDS.pattern_bytes / MIB:g} MiB"),
        ("tokens of all choices", f"{BOUNDS.tokens:,}"),
        ("schemas once all references", f"{UNFOLDED:,}"),
        ("schemas that judge one value", f"{LOOKS:,}"),
        ("levels of nesting", f"{MAX_DEPTH:,}"),
    ],
)
def test_the_page_on_limits_has_the_bounds_of_the_code(row: str, bound: str) -> None:
    text = (REFERENCE / "limits.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| {row}[^|]* \| {re.escape(bound)} \|$", text, re.MULTILINE)


@pytest.mark.parametrize("name", main.list_commands(Context(main)))
def test_a_page_describes_each_command(name: str) -> None:
    """The reference of the commands is generated; this is a page that says when to use one."""
    assert any(f"agent-contract {name}" in path.read_text(encoding="utf-8") for path in DOCUMENTS)


def test_the_readme_links_every_page() -> None:
    linked = {link.partition("#")[0] for link in links_of(ROOT / "README.md")}
    pages = {str(path.relative_to(ROOT)) for path in DOCUMENTS if path.is_relative_to(ROOT / "docs")}
    assert pages - linked - {"docs/index.md"} == set()
