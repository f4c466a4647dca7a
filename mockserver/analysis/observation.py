"""What one recorded exchange shows about the client that sent it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import orjson

from agent_contract import Contract, Found
from agent_contract.messages import Event, Exchange
from agent_contract.validation.check import bare_type
from agent_contract.validation.sse import parse_events
from mockserver.recording.recording import EVENT_STREAM, Recording

#: The operations that answer messages; the first two have an agent, and sessions.
CHATS = frozenset({"createAssistantChatCompletion", "createAgentChatCompletion", "createChatCompletion"})
DONE = "[DONE]"


@dataclass(frozen=True)
class Observation:
    """An exchange, with parsed bodies. `replies` holds the JSON of the reply, or that of each event of a stream.

    `time` is when the request came, `seconds` how long the answer took. Without `is_whole`, a part of a body is
    missing. `body` is None for a body that is not JSON, and data of an event that is not JSON is a string.
    """

    number: int
    operation: str
    path: str
    headers: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    body: Any
    status: int
    replies: tuple[Any, ...]
    is_stream: bool
    clauses: tuple[str, ...]
    faults: tuple[str, ...]
    is_whole: bool = True
    agent: str = ""
    session: str = ""
    time: float = 0.0
    seconds: float = 0.0

    @property
    def sent(self) -> Mapping[str, Any]:
        """The fields of the body; empty if it is not an object."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def messages(self) -> list[Mapping[str, Any]]:
        """The messages of the request."""
        found = self.sent.get("messages")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @cached_property
    def objects(self) -> list[Mapping[str, Any]]:
        """The JSON objects of the reply."""
        return [value for value in self.replies if isinstance(value, dict)]

    @property
    def is_answered(self) -> bool:
        """Whether a chat was answered with choices."""
        return self.operation in CHATS and self.status == 200 and bool(self.parts)

    @property
    def session_id(self) -> str:
        """The `session_id` of the reply, empty without one."""
        return next((str(value["session_id"]) for value in self.objects if value.get("session_id")), "")

    @cached_property
    def choices(self) -> list[Mapping[str, Any]]:
        """The choices of the reply, or of all chunks."""
        lists = [value.get("choices") for value in self.objects]
        return [one for several in lists if isinstance(several, list) for one in several if isinstance(one, dict)]

    @cached_property
    def parts(self) -> list[Mapping[str, Any]]:
        """The message of each choice, or its delta in each chunk."""
        found = [choice.get("message", choice.get("delta")) for choice in self.choices]
        return [part for part in found if isinstance(part, dict)]


def from_exchange(exchange: Exchange, number: int = 0) -> Observation:
    """Return the observation of an exchange of a running mock."""
    request, reply = exchange.request, exchange.reply
    is_stream = not isinstance(reply.body, bytes)
    data = [reply.body] if isinstance(reply.body, bytes) else [event.data for event in reply.body]
    return Observation(
        number=number,
        operation=exchange.operation,
        path=request.path,
        headers=request.headers,
        query=request.query,
        body=_parsed(request.body, None),
        status=reply.status,
        replies=tuple(_parsed(one, one.decode("utf-8", "replace")) for one in data if one),
        is_stream=is_stream,
        clauses=exchange.clauses,
        faults=exchange.faults,
    )


def from_entry(entry: Mapping[str, Any]) -> Observation:
    """Return the observation of an entry of the journal, in the form that the control interface shows.

    Raises LookupError, TypeError, ValueError or AttributeError if it is not such an entry.
    """
    request, reply = entry["request"], entry["reply"]
    is_stream = "events" in reply
    body = [event["data"] for event in reply["events"]] if is_stream else [reply["json"]] if "json" in reply else []
    return Observation(
        number=int(entry["number"]),
        operation=str(entry["operation"] or ""),
        path=str(request["path"]),
        headers={str(name).lower(): str(value) for name, value in request["headers"].items()},
        query=tuple((str(name), str(value)) for name, value in request["query"]),
        body=request.get("json"),
        status=int(reply["status"]),
        replies=tuple(body),
        is_stream=is_stream,
        clauses=tuple(map(str, entry["clauses"])),
        faults=tuple(map(str, entry["faults"])),
        is_whole=not request["cut"] and not reply["cut"],
        agent=str(entry["agent"] or ""),
        session=str(entry["session"] or ""),
        time=float(entry["time"]),
        seconds=float(reply.get("seconds", 0.0)),
    )


def from_recordings(recordings: Iterable[Recording], contract: Contract) -> Iterator[Observation]:
    """Yield the observation of each recording, numbered from 1.

    Recordings that don't have the time of their request are taken to follow each other.
    """
    ended = 0.0
    for number, recording in enumerate(recordings, 1):
        exchange, found = (
            recording.exchange,
            contract.find(recording.exchange.request.method, recording.exchange.request.path),
        )
        operation, parameters = (found.operation.id, found.parameters) if isinstance(found, Found) else ("", {})
        reply = exchange.reply
        seconds = reply.delay + (0.0 if isinstance(reply.body, bytes) else sum(part.delay for part in reply.body))
        started = ended if recording.started is None else recording.started
        ended = started + seconds
        is_stream = bare_type(reply.headers.get("content-type", "")) == EVENT_STREAM
        body: bytes | tuple[Event, ...] = parse_events(reply.content()) if is_stream else reply.content()
        whole = replace(exchange, reply=replace(reply, body=body), operation=operation)
        agent = parameters.get("agent_id", "")
        yield replace(from_exchange(whole, number), agent=agent, time=started, seconds=seconds)


def _parsed(data: bytes, otherwise: Any) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        pass
    try:  # large integers, NaN, halves of surrogate pairs
        return json.loads(data)
    except (ValueError, RecursionError):
        return otherwise
