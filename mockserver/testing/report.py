"""What a report on a test contains about its requests: verdicts, and for each refusal what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from agent_contract import Contract
from agent_contract.messages import Violation
from agent_contract.printable import printable_line
from agent_contract.redaction import Redaction, secrets_in
from mockserver.recording.exchange_json import excerpt
from mockserver.testing.recorded import RecordedRequest

_MOST = 50  # requests of a report
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


def describe_requests(requests: Sequence[RecordedRequest], contract: Contract, redaction: Redaction) -> str:
    """Return a line for each request, and its refusal, without secrets."""
    if not requests:
        return "The mock has received no request. Does the client use agent_mock.base_url() or agent_mock.url?"
    shown = requests[-_MOST:]
    lines = [f"The last {_MOST} of {len(requests)} requests:"] if len(shown) < len(requests) else []
    for number, one in enumerate(shown, len(requests) - len(shown) + 1):
        hide = redaction.also(secrets_in((*one.headers.items(), *one.exchange.request.query)))
        lines.append(f"{number}. {_line(one, hide)}")
        if one.is_refused:
            lines += [f"   {line}" for line in _refusal(one, contract, hide)]
        lines += [f"   hint: {hint}" for hint in one.exchange.hints]
    return "\n".join(lines)


def _line(one: RecordedRequest, hide: Callable[[str], str]) -> str:
    verdict = "refused" if one.is_refused else "fault" if one.faults else "answered"
    more = [f"by the rule {one.rule}"] if one.rule else []
    more += [f"with {', '.join(one.faults)}"] if one.faults else []
    said = f": {excerpt(one.text, 60)}" if one.text else ""
    return printable_line(hide(f"{one.method} {one.path} {one.status} {' '.join((verdict, *more))}{said}"))


def _refusal(one: RecordedRequest, contract: Contract, hide: Callable[[str], str]) -> Iterator[str]:
    for clause in one.clauses:
        yield f"clause: {clause}: {contract.clause(clause).sentence}"
    violations = one.exchange.violations
    for violation, reason in zip(violations, _reasons(one, violations), strict=True):
        yield printable_line(hide(f"reason: {reason}"))
        if violation.rule != "required":
            yield printable_line(hide(f"value:  {excerpt(violation.got, _VALUE)}"))
        yield printable_line(hide(f"remedy: {_remedy(violation)}"))


def _reasons(one: RecordedRequest, violations: Sequence[Violation]) -> list[str]:
    """Return the reason for each violation, from the body of the refusal."""
    try:
        detail: Any = orjson.loads(one.exchange.reply.content())["detail"]
    except (ValueError, KeyError, TypeError):
        detail = None
    if isinstance(detail, list) and len(detail) == len(violations):
        return [f"{violation.place}: {item.get('msg')}" for violation, item in zip(violations, detail, strict=True)]
    return [f"{violation.place}: {detail}" if violation.place else str(detail) for violation in violations]


def _remedy(violation: Violation) -> str:
    expected = violation.expected
    if violation.rule == "required":
        return f'add the field "{violation.where[-1]}"'
    listed = ", ".join(map(str, expected)) if isinstance(expected, list) else str(expected)
    known = _REMEDIES.get(violation.rule)
    if known:
        return known.format(listed[:_VALUE])
    return "do what the reason states" if expected is None else f"send {listed[:_VALUE]}"
