"""`report.schema.json` describes what the types of `contract_tests.report.model` hold, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from contract_tests.options import Options
from contract_tests.report.build import shown_options
from contract_tests.report.model import Report
from contract_tests.report.saved_json import SCHEMA

FILE = json.loads(SCHEMA.read_text(encoding="utf-8"))
TYPES = msgspec.json.schema(Report)
#: These identify a saved report and are no fields of the type; the options are a mapping there.
OF_THE_FILE = {("format",), ("version",)}
JSON_TYPES = {str: "string", int: "integer", bool: "boolean", float: "number"}

Path = tuple[str, ...]


def resolved(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        part = document["$defs"][part["$ref"].rpartition("/")[2]]
    return part


def leaves(document: Mapping[str, Any], part: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield each place of a value with its type; the items of a list and the values of a mapping are at `*`."""
    part = resolved(document, part)
    if alternatives := part.get("anyOf") or part.get("oneOf"):
        for alternative in alternatives:
            yield from leaves(document, alternative, path)
        return
    if "const" in part or "enum" in part:
        for value in part.get("enum", [part.get("const")]):
            yield path, JSON_TYPES[type(value)]
        return
    yield path, part["type"]
    for name, inner in part.get("properties", {}).items():
        yield from leaves(document, inner, (*path, name))
    inner = part.get("items") or part.get("additionalProperties") or (part.get("prefixItems") or [{}])[0]
    if inner:
        yield from leaves(document, inner, (*path, "*"))


def optional(document: Mapping[str, Any], part: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """Yield each place of a field that an object can lack."""
    part = resolved(document, part)
    for alternative in part.get("anyOf") or part.get("oneOf") or ():
        yield from optional(document, alternative, path)
    for name, inner in part.get("properties", {}).items():
        if name not in part.get("required", ()):
            yield (*path, name)
        yield from optional(document, inner, (*path, name))
    if inner := part.get("items"):
        yield from optional(document, inner, (*path, "*"))


def test_schema_and_types_have_the_same_fields_of_the_same_types() -> None:
    described = {leaf for leaf in leaves(FILE, FILE) if leaf[0] not in OF_THE_FILE and leaf[0][:1] != ("options",)}
    typed = {leaf for leaf in leaves(TYPES, TYPES) if leaf[0][:1] != ("options",)}
    assert described == typed
    assert len(typed) > 50


def test_what_the_schema_lets_a_report_lack_has_a_default() -> None:
    lacking = {path for path in optional(FILE, FILE) if path[0] != "options"}
    assert lacking - set(optional(TYPES, TYPES)) == set()
    assert ("left_behind",) in lacking


def test_the_schema_names_the_options_that_a_report_holds() -> None:
    held = shown_options(Options(), token=True)
    assert FILE["properties"]["options"]["properties"].keys() == held.keys()
