"""Writes the page on the repair rules from their table: `python -m tests.docs.support.repairs_page`."""

from __future__ import annotations

from pathlib import Path

from agent_contract.document.repair.mender import RULES
from agent_contract.document.repair.rule import EFFECTS, Effect

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "repairs.md"
_HEAD = """# Repair rules

`agent-contract serve --spec` repairs the faulty parts of other people's documents by these rules, and reports each of
them ([how](../how-to/any-document.md#a-document-with-faults)). With `--strict`, and in this project's own document,
each is an error.

A reply without a `description`, and paths that differ only in the names of their parameters but have different methods,
need no repair.
"""
_SECTIONS: dict[Effect, str] = {
    "left out": "## What is left out\n\nThe part is not served, or accepts everything.",
    "unchecked": "## What is not checked\n\nThe part is served, and something about it is not checked.",
    "read": "## What is read as it was meant\n\nThe part is served and checked.",
}


def repairs_page() -> str:
    """Return the page: each rule once, by what it costs."""
    lines = [_HEAD]
    for effect in EFFECTS:
        lines += [_SECTIONS[effect], "", "| rule | what is found | what is done |", "| --- | --- | --- |"]
        rows: dict[str, list[str]] = {}
        for rule in RULES:
            if rule.effect == effect:
                rows.setdefault(f"| `{rule.name}` | {{}} | {rule.does} |", []).append(rule.recognises)
        lines += [row.replace("{}", "; ".join(dict.fromkeys(found))) for row, found in rows.items()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(repairs_page(), encoding="utf-8")
