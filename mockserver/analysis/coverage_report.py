"""The report on contract coverage: text for a terminal, JSON, and a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import orjson

from agent_contract import GRADES, Contract
from agent_contract.printable import align, printable
from mockserver.analysis.coverage import DIMENSIONS, Coverage

#: Names of a dimension in the list of what was never met.
_MOST = 12
#: Not in that list: a client seldom needs every operation.
_ONLY_COUNTED = frozenset({"operations"})
_GRADES = tuple(GRADES)


def as_text(coverage: Coverage, contract: Contract) -> str:
    """Return what was met in numbers, then the list of what never was."""
    if not coverage.exchanges:
        return "contract coverage: no request"
    possible, never = coverage.possible(contract), coverage.never(contract)
    rows = [(name, f"{len(possible[name]) - len(never[name])} of {len(possible[name])}") for name in DIMENSIONS]
    lines = [f"contract coverage of {_counted(coverage)}:", *(f"  {line}" for line in align(rows))]
    never["clauses"].sort(key=lambda name: _GRADES.index(contract.clause(name).grade))
    never["statuses"] = _grouped(never["statuses"])
    missing = [(name, _listed(never[name])) for name in DIMENSIONS if never[name] and name not in _ONLY_COUNTED]
    return "\n".join([*lines, "never met:", *(f"  {line}" for line in align(missing))])


def as_json(coverage: Coverage, contract: Contract) -> str:
    """Return the counts of what was met, and the names of what never was."""
    value = {**coverage.as_json(), "never": coverage.never(contract)}
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"


def as_html(coverage: Coverage, contract: Contract) -> str:
    """Return a page without scripts, with a table for each dimension."""
    return "\n".join(_page(coverage, contract)) + "\n"


#: A report by the suffix of its file.
FORMS: Mapping[str, Callable[[Coverage, Contract], str]] = {".json": as_json, ".html": as_html, ".txt": as_text}


class CoverageReportError(ValueError):
    """A file that can't be written, with the reason."""


def write_report(path: Path, coverage: Coverage, contract: Contract) -> None:
    """Write the report that the suffix of the path selects; raises `CoverageReportError`."""
    form = FORMS.get(path.suffix)
    if form is None:
        raise CoverageReportError(f"{path} ends with none of {', '.join(FORMS)}")
    try:
        path.write_text(form(coverage, contract), encoding="utf-8")
    except OSError as error:
        raise CoverageReportError(f"{path} can't be written: {error.strerror or error}") from None


def _counted(coverage: Coverage) -> str:
    text = f"{coverage.exchanges} exchange{'s' if coverage.exchanges != 1 else ''}"
    return f"{text}, {coverage.incomplete} of them recorded incompletely" if coverage.incomplete else text


def _grouped(names: list[str]) -> list[str]:
    """Return statuses with the name of an operation before the first one of each."""
    found: list[str] = []
    latest = ""
    for name in names:
        operation, _, status = name.partition(" ")
        found.append(status if operation == latest else name)
        latest = operation
    return found


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST
    return printable(", ".join(names[:_MOST]) + (f" and {more} more" if more > 0 else ""))


_STYLE = """body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .2em .8em .2em 0 }
td.count { text-align: right; width: 5em } tr.never { color: #b3261e } @media (prefers-color-scheme: dark) {
body { background: #16181c; color: #e6e6e6 } tr.never { color: #ff8a80 } }"""


def _page(coverage: Coverage, contract: Contract) -> Iterator[str]:
    sentences: dict[str, Any] = {clause.id: clause.sentence for clause in contract.clauses}
    possible = coverage.possible(contract)
    yield '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Contract coverage</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_STYLE}</style>\n<h1>Contract coverage</h1>"
    yield f"<p>{escape(contract.title)} {escape(contract.version)}, {_counted(coverage)}.</p>"
    for dimension in DIMENSIONS:
        counts = coverage.met[dimension]
        met = sum(name in counts for name in possible[dimension])
        yield f"<h2>{dimension}: {met} of {len(possible[dimension])}</h2>\n<table>"
        yield "<tr><th>name<th>exchanges"
        for name in possible[dimension]:
            row = "" if name in counts else ' class="never"'
            text = f"{name}: {sentences[name]}" if name in sentences else name
            yield f'<tr{row}><td>{escape(text)}<td class="count">{counts.get(name) or "never"}'
        yield "</table>"
