"""Explains entries of the journal to the author of a client: verdicts, and for each refusal what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from agent_contract import Contract
from agent_contract.printable import printable_line
from mockserver.recording.exchange_json import excerpt
from mockserver.recording.summary import is_refused, last_text, verdict_of

#: Maximum number of requests that an explanation lists.
MOST_EXPLAINED = 50
_VALUE = 200  # characters of a value
#: What to do about a broken schema keyword, with what it expects.
_REMEDIES: Mapping[str, str] = {
    "required": "add the field",
    "type": "send the type {}",
    "enum": "send one of {}",
    "const": "send {}",
    "minimum": "send at least {}",
    "exclusiveMinimum": "send more than {}",
    "maximum": "send at most {}",
    "exclusiveMaximum": "send less than {}",
    "minLength": "send at least {} characters",
    "maxLength": "send at most {} characters",
    "minItems": "send at least {} items",
    "maxItems": "send at most {} items",
    "pattern": "send text that matches {}",
    "format": "send a {}",
    "json": "send valid JSON",
    "additionalProperties": "leave it out",
}


def explain(entries: Sequence[tuple[int, Mapping[str, Any]]], total: int, contract: Contract) -> str:
    """Return a line for each stored entry, oldest first, and its refusal. `total` is the number of all requests."""
    lines = [f"The last {len(entries)} of {total} requests:"] if len(entries) < total else []
    for number, entry in entries:
        lines.append(f"{number}. {_line(entry)}")
        if is_refused(entry):
            lines += [f"   {line}" for line in _refusal(entry, contract)]
        lines += [f"   hint: {hint}" for hint in entry.get("hints", ())]
    return "\n".join(lines)


def _line(entry: Mapping[str, Any]) -> str:
    request, faults, rule = entry["request"], entry.get("faults"), entry.get("rule")
    verdict = verdict_of(entry)
    more = [f"by the rule {rule}"] if rule else []
    more += [f"with {', '.join(faults)}"] if faults else []
    said = last_text(request)
    shown = f": {excerpt(said, 60)}" if said else ""
    words = " ".join(("answered" if verdict == "hint" else verdict, *more))
    return printable_line(f"{request['method']} {request['path']} {entry['reply']['status']} {words}{shown}")


def described_violations(entry: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return each violation of a stored entry with the `reason` for the refusal and a `remedy`."""
    violations = entry["violations"]
    return [
        {**violation, "reason": reason, "remedy": _remedy(violation)}
        for violation, reason in zip(violations, _reasons(entry, violations), strict=True)
    ]


def _refusal(entry: Mapping[str, Any], contract: Contract) -> Iterator[str]:
    for clause in entry["clauses"]:
        yield f"clause: {clause}: {contract.clause(clause).sentence}"
    for violation in described_violations(entry):
        yield printable_line(f"reason: {violation['reason']}")
        if violation["rule"] != "required":
            yield printable_line(f"value: {violation['got']}")
        yield printable_line(f"remedy: {violation['remedy']}")


def _reasons(entry: Mapping[str, Any], violations: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the reason for each violation, from the body of the refusal."""
    try:
        detail: Any = orjson.loads(entry["reply"].get("text", ""))["detail"]
    except (ValueError, KeyError, TypeError):
        detail = None
    places = [violation["place"] for violation in violations]
    if isinstance(detail, list) and len(detail) == len(violations):
        return [f"{place}: {item.get('msg')}" for place, item in zip(places, detail, strict=True)]
    if not isinstance(detail, str):
        return [f"{place}: the rule {violation['rule']}" for place, violation in zip(places, violations, strict=True)]
    return [f"{place}: {detail}" if place else detail for place in places]


def _remedy(violation: Mapping[str, str]) -> str:
    expected = _parsed(violation["expected"])
    if violation["rule"] == "required":
        return f'add the field "{violation["place"].rpartition("/")[2]}"'
    listed = ", ".join(map(str, expected)) if isinstance(expected, list) else str(expected)
    known = _REMEDIES.get(violation["rule"])
    if known:
        return known.format(listed[:_VALUE])
    choice = "one of " if ", " in listed else ""  # rejections list names in a string
    return "do what the reason states" if expected is None else f"send {choice}{listed[:_VALUE]}"


def _parsed(text: str) -> Any:
    """Return the value of JSON text, or the text if it was cut."""
    try:
        return orjson.loads(text)
    except ValueError:
        return text
