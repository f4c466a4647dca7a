"""Writes the page of the report's fields from its JSON Schema: `python -m tests.docs.support.report_page`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from contract_tests.report.saved_json import SCHEMA
from tests.docs.support.blocks import ROOT

PAGE = ROOT / "docs" / "reference" / "report.md"
#: The parts with a section of their own, by their name in `$defs`, and the title of the section.
TITLES = {
    "clause": "A clause",
    "transcript": "An exchange",
    "comparison": "The comparison",
    "cold_start": "The cold start",
}
#: The other parts that several fields share.
SHARED = {"word": "[verdict](../explanation/grades.md#verdicts)", "headers": "list of pairs"}
BEGINNING = """\
# The JSON report

<!-- Written by `python -m tests.docs.support.report_page`; change report.schema.json, not this page. -->

`agent-contract verify … --report report.json` writes one JSON object. Its schema is `report.schema.json` in the package
`contract_tests.report`. This page lists the fields. A field marked *optional* can be absent.

```console
$ agent-contract verify https://agents.example.com --agent-id demo --clause 'chat.messages-*' --report report.json
…
exit 0: passed
$ python -c 'import json; print(json.load(open("report.json"))["verdict"])'
{'exit_code': 0, 'sentence': 'passed', 'counts': {…
```
"""


def page(schema: Mapping[str, Any]) -> str:
    """Return the page: a table of the report's fields, and one of each part that several fields share."""
    lines = [BEGINNING, "## The report", "", schema["description"], "", *table(schema)]
    for name, title in TITLES.items():
        lines += ["", f"## {title}", "", *table(schema["$defs"][name])]
    return "\n".join([*lines, ""])


def table(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the rows of an object's fields."""
    yield "| field | type | meaning |"
    yield "| --- | --- | --- |"
    for path, part, required in fields(schema):
        optional = "" if required else " *Optional.*"
        yield f"| `{path}` | {kind(part)} | {part.get('description', '')}{optional} |"


def fields(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield each field with its path, its schema, and whether it is required; a list's items have the path `list[]`."""
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield path, part, name in schema.get("required", ())
        yield from fields(part, f"{path}.")
        yield from fields(part.get("items", {}), f"{path}[].")


def kind(part: Mapping[str, Any]) -> str:
    """Return the type of a field: a link for a part with a section of its own."""
    if reference := part.get("$ref"):
        name = reference.rpartition("/")[2]
        return (
            f"[{TITLES[name].lower()}](#{TITLES[name].lower().replace(' ', '-')})" if name in TITLES else SHARED[name]
        )
    if alternatives := part.get("oneOf") or part.get("anyOf"):
        return " or ".join(dict.fromkeys(map(kind, alternatives)))
    if "const" in part:
        return f"`{json.dumps(part['const'])}`"
    if "enum" in part:
        return ", ".join(f"`{json.dumps(value)}`" for value in part["enum"])
    if part["type"] == "array":
        return f"list of {kind(part['items'])}"
    values = part.get("additionalProperties")
    return f"object of {kind(values)}" if part["type"] == "object" and values else str(part["type"])


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(json.loads(SCHEMA.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
