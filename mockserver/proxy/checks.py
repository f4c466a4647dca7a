"""Holds a reply to the contract: its head before it is passed on, its body when it has arrived, or event by event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from agent_contract import Operation, check_reply, exceeds_symbols
from agent_contract.messages import Reply, Violation
from agent_contract.validation.check import bare_type
from agent_contract.validation.sse import EVENT_END, parse_events
from mockserver.core.limits import SYMBOLS
from mockserver.recording.recording import EVENT_STREAM

#: Violations in one header, and characters of each.
_MOST_LISTED = 8
_MOST_PLACE = 120


def check_head(operation: Operation | None, reply: Reply) -> tuple[Violation, ...]:
    """Return what is known to be wrong before the body arrives: the status, the headers, the media type."""
    if operation is None:
        return ()
    return tuple(one for one in check_reply(operation, replace(reply, body=b"")) if one.where[0] != "body")


def check_whole(operation: Operation | None, reply: Reply) -> tuple[Violation, ...]:
    """Return what a whole reply breaks; a body of too many values is not judged."""
    if operation is None:
        return ()
    content = reply.content()
    if is_stream(reply) or not exceeds_symbols(content, SYMBOLS):
        return check_reply(operation, replace(reply, body=content))
    return check_head(operation, reply)


def is_stream(reply: Reply) -> bool:
    """Return whether a reply is a stream of events."""
    return bare_type(reply.headers.get("content-type", "")) == EVENT_STREAM


class EventGate:
    """Lets the events of a stream pass only when they are whole and fulfil the contract."""

    def __init__(self, operation: Operation, head: Reply) -> None:
        self._operation, self._head = operation, head
        self._waiting = b""
        self._events = 0

    @property
    def size(self) -> int:
        """The bytes of the event that is not whole yet."""
        return len(self._waiting)

    def add(self, data: bytes) -> tuple[bytes, tuple[Violation, ...]]:
        """Return the bytes that may pass, and what the event after them breaks."""
        searched = max(0, len(self._waiting) - 3)
        self._waiting += data
        ends = [match.end() for match in EVENT_END.finditer(self._waiting, searched)]
        passed, start = b"", 0
        for end in ends:
            part = self._waiting[start:end]
            if broken := check_reply(self._operation, replace(self._head, body=part)):
                return passed, tuple(_numbered(broken, self._events))
            self._events += len(parse_events(part))
            passed, start = passed + part, end
        self._waiting = self._waiting[start:]
        return passed, ()

    def rest(self) -> bytes:
        """Return what follows the last event, at the end of the stream."""
        return self._waiting


def header_value(violations: Iterable[Violation]) -> str:
    """Return violations as the value of a header: `request/body/n maximum, reply/body/usage required`."""
    known = list(violations)
    listed = [f"{one.place[:_MOST_PLACE]} {one.rule}" for one in known[:_MOST_LISTED]]
    more = [f"and {len(known) - _MOST_LISTED} more"] if len(known) > _MOST_LISTED else []
    text = ", ".join([*listed, *more])
    return "".join(sign if " " <= sign <= "~" else "?" for sign in text)


def of_message(message: str, violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """Return violations with `request` or `reply` before their places."""
    return tuple(replace(one, where=(message, *one.where)) for one in violations)


def _numbered(violations: Iterable[Violation], first: int) -> Iterator[Violation]:
    """Yield violations of a part of a stream with the numbers that its events have in the whole."""
    for one in violations:
        if len(one.where) > 1 and one.where[0] == "body" and isinstance(one.where[1], int):
            yield replace(one, where=("body", one.where[1] + first, *one.where[2:]))
        else:
            yield one
