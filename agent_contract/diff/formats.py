"""How contracts differ, in words: a table, JSON, Markdown. What breaks a client comes first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict

from agent_contract.contract import Contract
from agent_contract.diff.compare import EFFECTS, PARTS, Difference
from agent_contract.printable import align

Differences = Sequence[Difference]

_HEADINGS = ("part", "what", "change", "operations", "clauses")
#: How many names a cell of a table holds; the others are counted.
_NAMES = 2
#: The tables of all parts have a first column of one width.
_PART_WIDTH = max(map(len, PARTS))


def summary(found: Differences) -> str:
    """Return how many differences there are of each effect, as in `1 breaking, 2 new`."""
    counts = Counter(one.effect for one in found)
    return ", ".join(f"{counts[effect]} {effect}" for effect in EFFECTS if counts[effect]) or "no difference"


def as_table(before: Contract, after: Contract, found: Differences) -> str:
    """Return a line that sums up, then for each effect what it means and a line for each difference."""
    return "\n".join(_table(before, after, found))


def as_json(before: Contract, after: Contract, found: Differences) -> str:
    """Return an object of the two contracts and the list of the differences between them."""
    sides = {name: side_json(contract) for name, contract in (("before", before), ("after", after))}
    return json.dumps({**sides, "differences": [asdict(one) for one in found]}, indent=2, ensure_ascii=False)


def as_markdown(before: Contract, after: Contract, found: Differences) -> str:
    """Return a heading with a sum, then for each effect a table of the differences."""
    return "\n".join(_markdown(before, after, found))


FORMATS: Mapping[str, Callable[[Contract, Contract, Differences], str]] = {
    "table": as_table,
    "json": as_json,
    "markdown": as_markdown,
}


def in_a_line(one: Difference) -> str:
    """Return a difference as a sentence part, as in `request body/n: maximum: 8 → 4 (chat)`."""
    operations = f" ({', '.join(one.operations)})" if one.operations else ""
    return f"{one.part} {one.what}: {change_of(one)}{operations}"


def side_json(contract: Contract) -> dict[str, str]:
    """Return what identifies a contract."""
    return {"title": contract.title, "version": contract.version, "digest": contract.digest}


def _title(before: Contract, after: Contract) -> str:
    return f"{before.title} {before.version} → {after.title} {after.version}"


def _table(before: Contract, after: Contract, found: Differences) -> Iterator[str]:
    yield f"{_title(before, after)}: {summary(found)}"
    for effect, meaning in EFFECTS.items():
        if any(one.effect == effect for one in found):
            yield from ("", f"{effect}: {meaning}")
        for part in PARTS:
            chosen = (one for one in found if (one.effect, one.part) == (effect, part))
            # A clause is a sentence: it gets the rest of the line.
            columns = slice(1, 3 if part == "clause" else None)
            rows = [(part.ljust(_PART_WIDTH), *_row(one, _NAMES)[columns]) for one in chosen]
            yield from (f"  {line}" for line in align(rows))


def _markdown(before: Contract, after: Contract, found: Differences) -> Iterator[str]:
    yield f"# {_title(before, after)}"
    yield ""
    yield f"{summary(found).capitalize()}."
    for effect, meaning in EFFECTS.items():
        rows = [_row(one, len(one.operations) + len(one.clauses)) for one in found if one.effect == effect]
        if not rows:
            continue
        yield from ("", f"## {effect.capitalize()}", "", f"{meaning[0].upper()}{meaning[1:]}.", "")
        yield "| " + " | ".join(_HEADINGS) + " |"
        yield "| " + " | ".join("---" for _ in _HEADINGS) + " |"
        yield from (
            "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |" for row in rows
        )


def _row(one: Difference, most: int) -> tuple[str, ...]:
    """Return the cells of a difference, with no more names of operations and clauses than `most` each."""
    clauses = () if one.part == "clause" else one.clauses
    return one.part, one.what, change_of(one), _names(one.operations, most), _names(clauses, most)


def change_of(one: Difference) -> str:
    """Return the change of a difference with the old and the new value, if it has them."""
    is_bound = one.part in ("request", "reply")
    if (one.before and one.after) or (is_bound and (one.before or one.after)):
        return f"{one.change}: {one.before or 'none'} → {one.after or 'none'}"
    if one.before or one.after:
        return f"{one.change}: {one.before or one.after}"
    return one.change


def _names(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
