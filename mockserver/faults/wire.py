"""Faults of a reply on the wire: pure functions from a finished reply to a faulty one.

Each gets the reply and the fault's parameters. `after` is a number of events of a stream.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from agent_contract.messages import Event, Reply
from mockserver.faults.broken_reply import BrokenReply, Ending, Piece

_DONE = b"[DONE]"
_LEAST = 1e-9  # a normal distribution has no end
Given = Mapping[str, Any]


def latency(reply: Reply, given: Given, seed: bytes) -> Reply:
    """Return the reply, later; the variation depends on the seed alone."""
    from statistics import NormalDist  # most mocks never need it, and it imports fractions

    source = random.Random(seed)  # only `random()` is reproducible across Python versions
    varied = given["jitter"] * (2 * source.random() - 1)
    drawn = min(max(source.random(), _LEAST), 1 - _LEAST)
    varied += given["deviation"] * NormalDist().inv_cdf(drawn)
    return replace(reply, delay=max(0.0, reply.delay + given["seconds"] + varied))


def slow_drip(reply: Reply, given: Given, _: bytes) -> Reply:
    """Return the reply in pieces with pauses."""
    pause = given["seconds"]
    if isinstance(reply.body, bytes):
        pieces = (Piece(part, delay=pause) for part in _split(reply.body, max(1, -(-len(reply.body) // 10))))
        return replace(reply, body=tuple(pieces))
    return replace(reply, body=tuple(replace(event, delay=event.delay + pause) for event in reply.body))


def reset_before_headers(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return a connection that is reset instead of a reply."""
    return BrokenReply(reply.status, reply.headers, (), reply.delay, ending=Ending.RESET, has_head=False)


def refused(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return a connection that is refused."""
    return BrokenReply(reply.status, reply.headers, (), reply.delay, ending=Ending.REFUSE, has_head=False)


def reset_midway(reply: Reply, given: Given, _: bytes) -> Reply:
    """Return the beginning of the reply, then a reset."""
    body = _beginning(reply, given["after"])
    return BrokenReply(reply.status, reply.headers, body, reply.delay, ending=Ending.RESET)


def cut(reply: Reply, given: Given, _: bytes) -> Reply:
    """Return the beginning of a stream, then a closed connection."""
    return BrokenReply(reply.status, reply.headers, _beginning(reply, given["after"]), reply.delay)


def stall(reply: Reply, given: Given, _: bytes) -> Reply:
    """Return the beginning of the reply, then nothing."""
    body = _beginning(reply, given["after"])
    return BrokenReply(reply.status, reply.headers, body, reply.delay, ending=Ending.STALL, seconds=given["seconds"])


def truncated_body(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return half of the body, with the length of the whole."""
    content = reply.content()
    headers = {**reply.headers, "content-length": str(len(content))}
    return BrokenReply(reply.status, headers, (Piece(content[: len(content) // 2]),), reply.delay)


def malformed_json(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return half of the JSON text, as if it were the whole."""
    content = reply.content()
    return _with_body(reply, content[: len(content) // 2])


def broken_gzip(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return the body as it is, with a header that calls it gzip."""
    return replace(reply, headers={**reply.headers, "content-encoding": "gzip"})


def wrong_content_type(reply: Reply, given: Given, _: bytes) -> Reply:
    """Return the reply with another content type."""
    return replace(reply, headers={**reply.headers, "content-type": given["content_type"]})


def malformed_sse(reply: Reply, given: Given, _: bytes) -> Reply:
    """Return a stream with an event whose data is not JSON."""
    return _inserted(reply, given["after"], Event(b'{"choices":[{"index":0,"delta":{"content":"'))


def error_event(reply: Reply, given: Given, _: bytes) -> Reply:
    """Return a stream that reports an error after some events, and ends."""
    error = {"message": given["message"], "type": "server_error", "code": given["code"]}
    events = (*_events(reply)[: given["after"]], Event(orjson.dumps({"error": error})))
    return replace(reply, body=events)


def without_done(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return a stream without its last event."""
    return replace(reply, body=tuple(event for event in _events(reply) if event.data != _DONE))


def with_comments(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return a stream with a comment before each event, as a keep-alive."""
    return replace(reply, body=tuple(one for event in _events(reply) for one in (Piece(b": keep-alive\n\n"), event)))


def with_crlf(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return a stream whose lines end with CRLF."""
    pieces = (Piece(event.encode().replace(b"\n", b"\r\n"), delay=event.delay) for event in _events(reply))
    return replace(reply, body=tuple(pieces))


def in_pieces(reply: Reply, given: Given, _: bytes) -> Reply:
    """Return the body in pieces that divide events, lines and characters; a pause keeps them apart."""
    pieces = _split(reply.content(), given["size"])
    return replace(reply, body=tuple(Piece(part, delay=given["seconds"]) for part in pieces))


def usage_without_choices(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return a stream with a chunk of usage that has no choices, although it was not requested."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    first = next((_json(event) for event in _events(reply) if event.data != _DONE), {})
    chunk = {**first, "choices": [], "usage": usage}
    return _inserted(reply, 1, Event(orjson.dumps(chunk)))


def null_content(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return the answer with content that is null."""
    return _with_content(reply, None)


def empty_content(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return the answer with empty content."""
    return _with_content(reply, "")


def calls_without_index(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return a stream whose tool calls have no `index`."""

    def change(choice: dict[str, Any]) -> None:
        for _, call in _calls(choice):
            call.pop("index", None)

    return _with_choices(reply, change)


def calls_with_id_once(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return a stream whose tool calls have their id, type and name in their first chunk only."""
    begun: set[tuple[int, int]] = set()

    def change(choice: dict[str, Any]) -> None:
        for place, call in _calls(choice):
            if place in begun:
                call.pop("id", None)
                call.pop("type", None)
                (call.get("function") or {}).pop("name", None)
            begun.add(place)

    return _with_choices(reply, change)


def calls_with_id_repeated(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return a stream whose tool calls have their id, type and name in every chunk."""
    first: dict[tuple[int, int], dict[str, Any]] = {}

    def change(choice: dict[str, Any]) -> None:
        for place, call in _calls(choice):
            begun = first.setdefault(place, {**call, "function": {**(call.get("function") or {})}})
            call |= {name: begun[name] for name in ("id", "type") if name in begun}
            call["function"] = {**(call.get("function") or {}), "name": begun["function"].get("name")}

    return _with_choices(reply, change)


def calls_not_json(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return the answer with tool calls whose arguments have single quotes."""

    def change(choice: dict[str, Any]) -> None:
        for _, call in _calls(choice):
            function = call.get("function") or {}
            function["arguments"] = (function.get("arguments") or "").replace('"', "'")

    return _with_choices(reply, change)


def calls_cut(reply: Reply, given: Given, _: bytes) -> Reply:  # noqa: ARG001
    """Return the answer with tool calls whose arguments are not complete JSON."""

    def change(choice: dict[str, Any]) -> None:
        for _, call in _calls(choice):
            function = call.get("function") or {}
            function["arguments"] = (function.get("arguments") or "").removesuffix("}")

    return _with_choices(reply, change)


def _calls(choice: dict[str, Any]) -> Iterator[tuple[tuple[int, int], dict[str, Any]]]:
    """Yield the tool calls of a choice, each with the indexes of the choice and of the call."""
    message = choice.get("message") or choice.get("delta") or {}
    for number, call in enumerate(message.get("tool_calls") or ()):
        yield (choice.get("index", 0), call.get("index", number)), call


def _with_content(reply: Reply, content: str | None) -> Reply:
    def change(choice: dict[str, Any]) -> None:
        message = choice.get("message") or choice.get("delta") or {}
        if message.get("content") is not None:
            message["content"] = content

    return _with_choices(reply, change)


def _with_choices(reply: Reply, change: Callable[[dict[str, Any]], None]) -> Reply:
    """Return the reply after `change` was called with each choice of its JSON."""
    if isinstance(reply.body, bytes):
        value = orjson.loads(reply.body)
        _apply(value, change)
        return _with_body(reply, orjson.dumps(value))
    return replace(reply, body=tuple(_changed(event, change) for event in reply.body))


def _changed(event: Event, change: Callable[[dict[str, Any]], None]) -> Event:
    if event.data == _DONE:
        return event
    value = _json(event)
    _apply(value, change)
    return replace(event, data=orjson.dumps(value))


def _apply(value: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> None:
    for choice in value.get("choices") or ():
        change(choice)


def _json(event: Event) -> dict[str, Any]:
    value = orjson.loads(event.data)
    return value if isinstance(value, dict) else {}


def _with_body(reply: Reply, body: bytes) -> Reply:
    return replace(reply, headers={**reply.headers, "content-length": str(len(body))}, body=body)


def _inserted(reply: Reply, after: int, event: Event) -> Reply:
    events = _events(reply)
    return replace(reply, body=(*events[:after], event, *events[after:]))


def _beginning(reply: Reply, after: int) -> tuple[Event, ...]:
    """Return the first events of a stream, or half of another body."""
    if isinstance(reply.body, bytes):
        return (Piece(reply.body[: len(reply.body) // 2]),)
    return reply.body[:after]


def _events(reply: Reply) -> tuple[Event, ...]:
    return () if isinstance(reply.body, bytes) else reply.body


def _split(body: bytes, size: int) -> Iterable[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))
