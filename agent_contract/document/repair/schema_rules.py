"""Repair rules for schemas: keywords of other versions, values of the wrong type, and patterns of other languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator

from agent_contract.document.repair.rule import DocumentPart, RepairRule

_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")

#: Types of other languages and tools, as keywords; {} is a value of any type.
ALIASES: Mapping[str, Mapping[str, str]] = {
    name: keywords
    for names, keywords in (
        ("any mixed anytype unknown undefined void generic", dict[str, str]()),
        ("file binary bytes blob", {"type": "string", "format": "binary"}),
        ("str text char enum url password", {"type": "string"}),
        ("date-time datetime timestamp", {"type": "string", "format": "date-time"}),
        ("date", {"type": "string", "format": "date"}),
        ("uuid", {"type": "string", "format": "uuid"}),
        ("email", {"type": "string", "format": "email"}),
        ("int long int32 int64 short bigint", {"type": "integer"}),
        ("float double decimal numeric", {"type": "number"}),
        ("bool", {"type": "boolean"}),
        ("map dict hash json struct", {"type": "object"}),
        ("list tuple set", {"type": "array"}),
        ("none nil", {"type": "null"}),
    )
    for name in names.split()
}


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _count(value: Any) -> bool:
    return _number(value) and value >= 0 and value == int(value)


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


#: What the value of a keyword must be.
_VALUES: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("minimum", "maximum"), _number),
    **dict.fromkeys(
        (
            *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
            *("minContains", "maxContains"),
        ),
        _count,
    ),
    "multipleOf": lambda value: _number(value) and value > 0,
    **dict.fromkeys(("uniqueItems", "readOnly", "writeOnly", "deprecated", "nullable"), _flag),
    **dict.fromkeys(
        ("pattern", "format", "title", "description", "contentEncoding", "contentMediaType", "$comment"), _text
    ),
    "dependentRequired": lambda value: isinstance(value, dict) and all(_strings(names) for names in value.values()),
}


def _exclusive(part: DocumentPart) -> str | None:
    """A boolean bound, which is OpenAPI 3.0's and draft 4's, in a later document."""
    flag = part.item
    if isinstance(flag, bool) and not part.document.is_3_0:
        bound = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}[part.field]
        del part.value[part.field]
        if flag and _number(part.value.get(bound)):
            part.value[part.field] = part.value.pop(bound)
        return f"'{part.field}: {str(flag).lower()}'"
    if not isinstance(flag, bool) and not _number(flag):
        return _keyword(part, _number)
    return None


def _keyword_value(part: DocumentPart) -> str | None:
    return _keyword(part, _VALUES[part.field])


def _keyword(part: DocumentPart, fits: Callable[[Any], bool]) -> str | None:
    """A keyword whose value is of the wrong type: read, if it is the text of one; else left out."""
    value = part.item
    if fits(value):
        return None
    found = f"'{part.field}: {_short(value)}'"
    read = _read(value)
    if read is not None and fits(read):
        part.value[part.field] = read
    else:
        del part.value[part.field]
    return found


def _read(value: Any) -> Any:
    """Return the number or the boolean that a string spells, or the string that a scalar is; None for neither."""
    if isinstance(value, str):
        text = value.strip().lower()
        if text in ("true", "false"):
            return text == "true"
        try:
            return int(text)
        except ValueError:
            try:
                return float(text)
            except ValueError:
                return None
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _required(part: DocumentPart) -> str | None:
    """`required` with a name twice, with what is not a name, or not a list."""
    value = part.item
    if isinstance(value, bool):  # on a property: `_properties_required` moves it up
        del part.value["required"]
        return f"'required: {str(value).lower()}' in a schema"
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    kept = list(dict.fromkeys(name for name in names if isinstance(name, str)))
    if kept == value:
        return None
    part.value["required"] = kept
    return f"'required: {_short(value)}'"


def _properties_required(part: DocumentPart) -> str | None:
    """Properties with a `required: true` of their own, as in draft 3."""
    properties = part.item
    if not isinstance(properties, dict):
        return None
    marked = {
        name: item["required"]
        for name, item in properties.items()
        if isinstance(item, dict) and isinstance(item.get("required"), bool)
    }
    if not marked:
        return None
    for name in marked:
        del properties[name]["required"]
    listed = part.value.get("required")
    names = [*(listed if isinstance(listed, list) else ()), *(name for name, flag in marked.items() if flag)]
    if names:
        part.value["required"] = list(dict.fromkeys(name for name in names if isinstance(name, str)))
    return f"'required: true' on {', '.join(map(repr, list(marked)[:3]))}"


def _empty_choice(part: DocumentPart) -> str | None:
    """A choice without a branch, which no value could satisfy."""
    value = part.item
    if value == [] or value is None:
        del part.value[part.field]
        return f"'{part.field}: {_short(value)}'"
    return None


def _enum(part: DocumentPart) -> str | None:
    value = part.item
    if isinstance(value, list) and value:
        return None
    if value in ([], None, {}):
        del part.value["enum"]
    else:
        part.value["enum"] = list(value) if isinstance(value, dict) else [value]
    return f"'enum: {_short(value)}'"


def _examples(part: DocumentPart) -> str | None:
    """The examples of a schema as a map, which they are everywhere else in OpenAPI."""
    value = part.item
    if isinstance(value, list):
        return None
    if isinstance(value, dict):
        inside = [item["value"] if isinstance(item, dict) and "value" in item else item for item in value.values()]
        part.value["examples"] = inside
    else:
        part.value["examples"] = [] if value is None else [value]
    return f"'examples' is {_noun(value)}"


def _type(part: DocumentPart) -> str | None:
    value = part.item
    if isinstance(value, str) and value in _TYPES:
        return None
    if isinstance(value, list) and value and all(item in _TYPES for item in value) and not part.document.is_3_0:
        if len(set(value)) == len(value):
            return None
        part.value["type"] = list(dict.fromkeys(value))
        return f"'type: {_short(value)}'"
    del part.value["type"]
    names = value if isinstance(value, list) else [value]
    if len(names) == 1 and isinstance(names[0], str) and "," in names[0]:
        names = [name.strip() for name in names[0].split(",")]
    known = [_alias(name) for name in names]
    if known and all(known):
        kinds = list(dict.fromkeys(one["type"] for one in known))
        _set_types(part, kinds)
        if len(known) == 1 and "format" in known[0]:
            part.value.setdefault("format", known[0]["format"])
    return f"'type: {_short(value)}'"


def _alias(name: Any) -> Mapping[str, str]:
    if name is None:
        return {"type": "null"}
    text = str(name).strip().lower()
    return {"type": text} if text in _TYPES else ALIASES.get(text, {})


def _set_types(part: DocumentPart, kinds: list[str]) -> None:
    """Set the types of a schema; in OpenAPI 3.0, which has only one, by `nullable` and `anyOf`."""
    if not part.document.is_3_0:
        part.value["type"] = kinds[0] if len(kinds) == 1 else kinds
        return
    others = [kind for kind in kinds if kind != "null"]
    if "null" in kinds and len(others) == 1:
        part.value["nullable"] = True
    if len(others) == 1:
        part.value["type"] = others[0]
    elif not others:
        part.value["type"] = "null"
    elif "anyOf" not in part.value:
        part.value["anyOf"] = [{"type": kind} for kind in kinds]


def _nullable(part: DocumentPart) -> str | None:
    """`nullable`, which OpenAPI 3.1 took out, next to a type."""
    if part.document.is_3_0 or part.item is not True:
        return None
    kinds = part.value.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(kinds, list) or "null" in kinds:
        return None
    part.value["type"] = [*kinds, "null"]
    if isinstance(part.value.get("enum"), list) and None not in part.value["enum"]:
        part.value["enum"] = [*part.value["enum"], None]
    del part.value["nullable"]
    return "'nullable: true' in OpenAPI 3.1"


_DELIMITED = re.compile(r"^([/#~])(.*)\1([imsxuADU]*)$", re.DOTALL)
#: Spellings of PCRE, .NET and Python that this validator has under another name.
_SPELLINGS = ((r"\A", "^"), (r"\Z", "$"), (r"\z", "$"), (r"\h", r"[ \t]"), (r"\e", r"\x1b"))


def _pattern(part: DocumentPart) -> str | None:
    """A pattern that can't be compiled: in the spelling of another language, or too large."""
    pattern = part.item
    if not isinstance(pattern, str):
        return None
    known = part.state.patterns
    if pattern not in known:
        known[pattern] = _readable(pattern)
    read = known[pattern]
    if read == pattern:
        return None
    if read is None:
        del part.value["pattern"]
    else:
        part.value["pattern"] = read
    return f"the pattern {_short(pattern)}"


def _readable(pattern: str) -> str | None:
    """Return the pattern in the validator's spelling, None if it has none."""
    delimited = _DELIMITED.match(pattern)
    if delimited and (delimited[2].startswith("^") or delimited[2].endswith("$")):
        flags = "".join(flag for flag in delimited[3] if flag in "imsx")
        inside = delimited[2].replace("\\/", "/")
        pattern = f"(?{flags}){inside}" if flags else inside
    if _compiles(pattern):
        return pattern
    translated = pattern
    for foreign, own in _SPELLINGS:
        translated = translated.replace(foreign, own)
    translated = re.sub(r"\\u\{([0-9A-Fa-f]+)\}", r"\\x{\1}", translated)
    translated = re.sub(r"\\u([0-9A-Fa-f]{4})", r"\\x{\1}", translated)
    translated = re.sub(r"\\([\"'/_:;,@#%&=<>!~` -])(?![^\[]*\])", r"\1", translated)
    return translated if _compiles(translated) else None


def _compiles(pattern: str) -> bool:
    try:
        Draft202012Validator({"pattern": pattern})
    except ValueError:
        return False
    return True


def _pattern_properties(part: DocumentPart) -> str | None:
    """Patterns for names that can't be compiled: those names are not checked."""
    patterns = part.item
    if not isinstance(patterns, dict):
        return None
    bad = []
    for pattern in list(patterns):
        if pattern not in part.state.patterns:
            part.state.patterns[pattern] = _readable(pattern)
        read = part.state.patterns[pattern]
        if read != pattern:
            bad.append(pattern)
            schema = patterns.pop(pattern)
            if read is not None:
                patterns[read] = schema
    return f"the pattern {_short(bad[0])} of property names" if bad else None


def _base(part: DocumentPart) -> str | None:
    """What would move the base of references, or name another dialect."""
    value = part.value.pop(part.field)
    return f"'{part.field}: {_short(value)}'"


def _tuple_items(part: DocumentPart) -> str | None:
    """`items` as a list, which is `prefixItems` since 2020-12."""
    value = part.item
    if not isinstance(value, list):
        return None
    del part.value["items"]
    if value:
        part.value["prefixItems"] = value
    rest = part.value.pop("additionalItems", None)
    if isinstance(rest, (dict, bool)):
        part.value["items"] = rest
    return "'items' is a list"


def _dynamic(part: DocumentPart) -> str | None:
    """A dynamic reference: it is read as a plain one to the anchor of that name."""
    name = part.value.pop(part.field)
    anchor = {"$recursiveRef": "#"}.get(part.field, name)
    if part.field in ("$dynamicRef", "$recursiveRef") and isinstance(anchor, str):
        part.value.setdefault("$ref", anchor)
    return f"'{part.field}: {_short(name)}'"


def _dependencies(part: DocumentPart) -> str | None:
    """`dependencies`, which later drafts divided in two."""
    value = part.value.pop("dependencies")
    if isinstance(value, dict):
        names = {name: item for name, item in value.items() if _strings(item)}
        schemas = {name: item for name, item in value.items() if isinstance(item, (dict, bool))}
        for keyword, found in (("dependentRequired", names), ("dependentSchemas", schemas)):
            if found:
                part.value.setdefault(keyword, found)
    return "'dependencies' of draft 7"


def _short(value: Any) -> str:
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _noun(value: Any) -> str:
    names = {dict: "a map", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")


SCHEMA_RULES: tuple[RepairRule, ...] = (
    RepairRule(
        *("boolean-bound", "schema", ("exclusiveMinimum", "exclusiveMaximum")),
        "`exclusiveMinimum: true` or `exclusiveMaximum: true` in OpenAPI 3.1",
        "it is read as in OpenAPI 3.0",
        "read",
        _exclusive,
    ),
    RepairRule(
        *("property-required", "schema", ("properties",)),
        "`required: true` on a property",
        "the property is required by the schema that has it",
        "read",
        _properties_required,
    ),
    RepairRule(
        *("required-names", "schema", ("required",)),
        "`required` with a name twice, with something that is not a name, or not a list",
        "each name counts once, and everything else is ignored",
        "read",
        _required,
    ),
    RepairRule(
        *("empty-choice", "schema", ("oneOf", "anyOf", "allOf")),
        "`oneOf: []`, `anyOf: []` or `allOf: []`",
        "the keyword is ignored",
        "unchecked",
        _empty_choice,
    ),
    RepairRule(
        *("enum-not-a-list", "schema", ("enum",)),
        "`enum` that is empty or not a list",
        "one value is a list of one; an empty list is ignored",
        "unchecked",
        _enum,
    ),
    RepairRule(
        *("examples-map", "schema", ("examples",)),
        "`examples` of a schema as a map, or as one value",
        "its values are the examples",
        "read",
        _examples,
    ),
    RepairRule(
        *("unknown-type", "schema", ("type",)),
        "`type: any`, `file`, `int`, `datetime` or another word that is not a type of JSON Schema, a type twice, or "
        "several types in OpenAPI 3.0",
        "a known word is read as the type that it means; another one is ignored",
        "unchecked",
        _type,
    ),
    RepairRule(
        *("nullable-3.1", "schema", ("nullable",)),
        "`nullable: true` in OpenAPI 3.1",
        "it is read as in OpenAPI 3.0: null is accepted",
        "read",
        _nullable,
    ),
    RepairRule(
        *("foreign-pattern", "schema", ("pattern",)),
        "a `pattern` that is too large or in the spelling of another language, such as `/^a$/i`",
        "it is translated if it has the same meaning in JSON Schema, else not checked",
        "unchecked",
        _pattern,
    ),
    RepairRule(
        *("foreign-name-pattern", "schema", ("patternProperties",)),
        "`patternProperties` with a pattern that can't be compiled",
        "it is translated, else these names are not checked",
        "unchecked",
        _pattern_properties,
    ),
    RepairRule(
        *("tuple-items", "schema", ("items",)),
        "`items` as a list, as up to draft 2019-09",
        "they are read as `prefixItems`, and `additionalItems` as `items`",
        "read",
        _tuple_items,
    ),
    RepairRule(
        *("draft-7-dependencies", "schema", ("dependencies",)),
        "`dependencies` of draft 7",
        "they are read as `dependentRequired` and `dependentSchemas`",
        "read",
        _dependencies,
    ),
    RepairRule(
        *("dynamic-reference", "schema", ("$dynamicRef", "$recursiveRef", "$recursiveAnchor")),
        "`$dynamicRef` or `$recursiveRef`",
        "it is read as `$ref` to that anchor",
        "read",
        _dynamic,
    ),
    RepairRule(
        *("own-base", "schema", ("$id", "$schema")),
        "`$id` or `$schema` in a schema",
        "it is ignored: references are read by their place in the document",
        "read",
        _base,
    ),
    RepairRule(
        *("keyword-value", "schema", tuple(_VALUES)),
        'a keyword with a value of the wrong type, such as `minLength: "5"` or `maximum: null`',
        "text that spells the value is read; else the keyword is ignored",
        "unchecked",
        _keyword_value,
    ),
)
