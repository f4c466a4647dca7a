"""Deviations of a deployment that are made of a recorded exchange: what it accepts, and how it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from agent_contract.messages import Reply, Request
from server_defects.defect import Defect
from server_defects.hooks import Refusal
from server_defects.refusals import with_payload

#: The messages of a plain chat.
HELLO = [{"role": "user", "content": "Hello!"}]
#: The category of these deviations.
RECORDED = "recorded"
#: Fields of a chat that are in requests of every kind.
_COMMON = frozenset({"messages", "max_tokens", "model", "stream", "temperature"})
#: The kind of a refusal -> the fields without which a request is not refused so.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "model": ("model",),
    "session": ("store_in_session",),
    "tool": ("tools", "tool_choice"),
    "form": ("response_format",),
    "bound": ("n",),
}
#: A field that a request needs -> a value of it.
_NEEDED: Mapping[str, Any] = {"messages": HELLO, "prompt": "Hello!", "input": "Hello!"}
_AGENT = re.compile(r"(/(?:agents|assistants)/)[^/]+")


class Shown(Protocol):
    """A clause that a deployment does not keep, the requests that show it, and the last reply."""

    @property
    def clause(self) -> str:
        """The id of the clause."""

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests; the last one is decisive."""

    @property
    def last(self) -> Reply:
        """The reply to the last request."""


def deviations(evidence: Shown, refusal: Refusal | None) -> Iterator[Defect]:
    """Yield what would explain a recorded exchange; `refusal` is how a mock refuses its request, if it does."""
    status = evidence.last.status
    if refusal is not None and status < 300:
        yield _defect(evidence, "accepts", f"accepts what is refused for {evidence.clause}", accept=same_as(refusal))
    elif refusal is not None and status:
        answer = _answering(same_as(refusal), evidence.last)
        yield _defect(evidence, "refuses", f"answers {status} where {evidence.clause} refuses", refuse=answer)
    elif status >= 400:
        yield from _refusing(evidence)


def same_as(refusal: Refusal) -> Callable[[Refusal], bool]:
    """Return whether other refusals have the same reason: the kind, the clause, and the first fault."""
    reason = _reason(refusal)
    return lambda other: _reason(other) == reason


def _reason(refusal: Refusal) -> object:
    is_list = refusal.kind == "shape" and isinstance(refusal.detail, list)
    faults = [item.get("type") for item in refusal.detail[:1]] if is_list else []
    return refusal.kind, refusal.clauses[:1], _place(refusal), faults


def repaired(request: Request, refusal: Refusal, agent: str) -> Request | None:
    """Return a request that is not refused for this reason; None if there is nothing to leave out."""
    payload = payload_of(request)
    place = _place(refusal)
    if refusal.kind == "agent":
        return replace(request, path=_AGENT.sub(rf"\g<1>{agent}", request.path))
    if place[:1] == ("query",):
        return replace(request, query=tuple(pair for pair in request.query if pair[0] != place[-1]))
    if place[:1] == ("body",) and (payload is None or len(place) == 1):
        headers = {**request.headers, "content-type": "application/json"}
        return with_payload(replace(request, headers=headers), {"messages": HELLO})
    if payload is None:
        return None
    fields = _FIELDS.get(refusal.kind, place[1:2])
    if refusal.kind == "role":
        fields = ("messages",)
    kept = {name: value for name, value in payload.items() if name not in fields}
    needed = {name: _NEEDED[name] for name in fields if name in _NEEDED}
    return with_payload(request, {**kept, **needed}) if fields else None


def _refusing(evidence: Shown) -> Iterator[Defect]:
    """Yield refusals of what the request has and others don't."""
    request = evidence.requests[-1]
    payload = payload_of(request) or {}
    for name, value in payload.items():
        if name != "messages" and (name not in _COMMON or name.replace("_", "-") in evidence.clause):
            is_plain = not isinstance(value, (list, dict))
            said = f"`{name}` {json.dumps(value)}" if is_plain else f"`{name}`"
            answer = _early(request, _has(name, value if is_plain else ...), evidence.last)
            yield _defect(evidence, f"refuses-{name}", f"refuses {said} with {evidence.last.status}", arrive=answer)
    shape = _shape(payload.get("messages"))
    if shape != _shape(HELLO):
        answer = _early(request, lambda sent: _shape(sent.get("messages")) == shape, evidence.last)
        yield _defect(evidence, "refuses-messages", f"refuses such messages with {evidence.last.status}", arrive=answer)


def payload_of(request: Request) -> Mapping[str, Any] | None:
    """Return the JSON object of a request's body, None if it has another body."""
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _has(name: str, value: Any) -> Callable[[Mapping[str, Any]], bool]:
    return lambda sent: name in sent and (value is ... or (type(sent[name]), sent[name]) == (type(value), value))


def _shape(messages: Any) -> object:
    """Return roles, fields and types of content of messages."""
    if not isinstance(messages, list):
        return type(messages)
    return [
        (item.get("role"), sorted(item), _kinds(item.get("content"))) if isinstance(item, dict) else type(item)
        for item in messages
    ]


def _kinds(content: Any) -> object:
    """Return the types of the parts of content, or its own type."""
    if not isinstance(content, list):
        return type(content)
    return [part.get("type") if isinstance(part, dict) else type(part) for part in content]


def _early(request: Request, condition: Callable[[Mapping[str, Any]], bool], reply: Reply) -> Any:
    kind = _AGENT.sub(r"\g<1>*", request.path)

    def arrive(asked: Request, body: bytes, number: int) -> Reply | None:
        same = asked.method == request.method and _AGENT.sub(r"\g<1>*", asked.path) == kind
        sent = payload_of(asked) if same else None
        return reply if sent is not None and condition(sent) else None

    return arrive


def _answering(matches: Callable[[Refusal], bool], reply: Reply) -> Any:
    return lambda refusal: reply if matches(refusal) else refusal


def _place(refusal: Refusal) -> tuple[str, ...]:
    """Return where the first fault of a body is: in the body, and in which field."""
    if refusal.kind != "shape" or not isinstance(refusal.detail, list) or not refusal.detail:
        return ()
    return tuple(str(part) for part in refusal.detail[0].get("loc", ())[:2])


def _defect(evidence: Shown, name: str, sentence: str, **changes: Any) -> Defect:
    return Defect(f"{evidence.clause}-{name}", evidence.clause, RECORDED, sentence, changes)
