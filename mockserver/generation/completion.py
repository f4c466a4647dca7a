"""Completions as bytes: the whole answer, and the same answer as a stream of events.

Their form is the endpoint's published one, and where that is silent OpenAI's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agent_contract.messages import JSON_TYPE, Event, Reply
from mockserver.generation.latency import Pace
from mockserver.generation.tokenizer import pieces

DONE = Event(b"[DONE]")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a function: its arguments are JSON, in pieces, one for each token."""

    id: str
    name: str
    pieces: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what a message has of it."""
        function = {"name": self.name, "arguments": "".join(self.pieces)}
        return {"id": self.id, "type": "function", "function": function}

    def deltas(self, index: int) -> Iterator[bytes]:
        """Yield what the chunks of a stream have of it as call number `index`: its name, then its arguments."""
        begun = {"index": index, "id": self.id, "type": "function", "function": {"name": self.name, "arguments": ""}}
        yield orjson.dumps(begun)
        for piece in self.pieces:
            yield orjson.dumps({"index": index, "function": {"arguments": piece}})


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: its pieces, one for each token, and why it ended; in place of pieces it may have calls."""

    pieces: tuple[str, ...]
    finish_reason: str
    tokens: int
    calls: tuple[ToolCall, ...] = ()

    @property
    def content(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    def message(self, role: str) -> dict[str, Any]:
        """Return the message that `role` gives this answer in."""
        if self.calls:
            return {"role": role, "content": None, "tool_calls": [call.as_json() for call in self.calls]}
        return {"role": role, "content": self.content}

    def written(self, piece: bytes) -> list[bytes]:
        """Return the chunks of a stream, one for each token, as JSON; `piece` is the form of a text's."""
        if self.calls:
            deltas = (delta for index, call in enumerate(self.calls) for delta in call.deltas(index))
            return [b'"delta":{"tool_calls":[%s]}' % delta for delta in deltas]
        return [piece % orjson.dumps(text) for text in self.pieces]


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer to one request; `role` is who gives it."""

    id: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    prompt_tokens: int
    session_id: str | None
    context: Sequence[dict[str, Any]] | None
    role: str = "assistant"

    @property
    def usage(self) -> dict[str, int]:
        """What the request cost, all choices together."""
        completion = sum(choice.tokens for choice in self.choices)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        }

    def head(self, kind: str) -> dict[str, Any]:
        """Return the fields that begin an answer and each of its chunks."""
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "session_id": self.session_id} if self.session_id else head


@dataclass(frozen=True, slots=True)
class Form:
    """How answers are written: what `object` says of a whole one and of a chunk, and where the text stands in them.

    `said` is what a choice of a whole answer has, `opening` what one of a stream begins with, None for nothing; both
    are given who speaks. Into `piece`, JSON, the JSON of a text is put; `end` stands beside the `finish_reason`.
    """

    whole: str
    chunk: str
    said: Callable[[Choice, str], dict[str, Any]]
    opening: Callable[[Choice, str], dict[str, Any]] | None
    piece: bytes
    end: Mapping[str, Any]


CHAT = Form(
    whole="chat.completion",
    chunk="chat.completion.chunk",
    said=lambda choice, role: {"message": choice.message(role)},
    opening=lambda choice, role: {"delta": {"role": role, "content": None if choice.calls else ""}},
    piece=b'"delta":{"content":%s}',
    end={"delta": {}},
)
TEXT = Form(
    whole="text_completion",
    chunk="text_completion",
    said=lambda choice, _: {"text": choice.content},
    opening=None,
    piece=b'"text":%s',
    end={"text": ""},
)


def asks_for_usage(body: Mapping[str, Any]) -> bool:
    """Return whether a request asks for the usage at the end of its stream."""
    return bool((body.get("stream_options") or {}).get("include_usage"))


def choice_of_text(text: str, stops: Sequence[str], limit: int | None) -> Choice:
    """Return `text` up to the first of `stops`, and of that at most `limit` tokens."""
    ends = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
    return choice_of_pieces(pieces(text[: min(ends)] if ends else text), limit)


def choice_of_pieces(found: Sequence[str], limit: int | None) -> Choice:
    """Return at most `limit` tokens of a text that was cut into pieces."""
    if limit is not None and len(found) > limit:
        return Choice(tuple(found[:limit]), "length", limit)
    return Choice(tuple(found), "stop", len(found) if found and found[-1].strip() else 0)


def whole_reply(completion: Completion, pace: Pace, seed: bytes, form: Form = CHAT) -> Reply:
    """Return the answer as one JSON document, as late as its longest choice takes at this pace."""
    value = completion.head(form.whole)
    value["choices"] = [
        {"index": index, **form.said(choice, completion.role), "finish_reason": choice.finish_reason}
        for index, choice in enumerate(completion.choices)
    ]
    value["usage"] = completion.usage
    if completion.context is not None:
        value["index_context_info"] = completion.context
    longest = max(choice.tokens for choice in completion.choices)
    delay = sum(pace.delays(max(1, longest), seed)) if pace.waits else 0.0
    return Reply(200, JSON_TYPE, orjson.dumps(value), delay)


def stream_reply(completion: Completion, with_usage: bool, pace: Pace, seed: bytes, form: Form = CHAT) -> Reply:
    """Return the answer as events: role, content token by token and finish of each choice, usage if asked for.

    The choices speak in turn, a token each; a delay stands before the first token of each round.
    """
    written = [choice.written(form.piece) for choice in completion.choices]
    delays = pace.delays(max(1, *map(len, written)), seed)
    headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
    events = tuple(_events(completion, written, with_usage, delays, form))
    return Reply(200, headers, events, delays[0])


def _events(
    completion: Completion, written: Sequence[Sequence[bytes]], with_usage: bool, delays: Sequence[float], form: Form
) -> Iterator[Event]:
    head = completion.head(form.chunk)
    if form.opening is not None:
        yield from _openings(completion, head, form)
    elif completion.context is not None:
        yield Event(_with_context(completion, head, {"index": 0, **form.end, "finish_reason": None}))
    before = orjson.dumps(head)[:-1] + b',"choices":[{"index":'
    for place, delay in enumerate(delays):
        due = delay if place else 0.0  # the first is the reply's own
        for index, choice in enumerate(completion.choices):
            if place < len(written[index]):
                yield Event(b'%s%d,%s,"finish_reason":null}]}' % (before, index, written[index][place]), delay=due)
                due = 0.0
            if place == max(0, len(written[index]) - 1):
                finish = {"index": index, **form.end, "finish_reason": choice.finish_reason}
                yield Event(orjson.dumps({**head, "choices": [finish]}))
    if with_usage:
        yield Event(orjson.dumps({**head, "choices": [], "usage": completion.usage}))
    yield DONE


def _openings(completion: Completion, head: dict[str, Any], form: Form) -> Iterator[Event]:
    """Yield the chunk that begins each choice; the first of all carries the context."""
    for index, choice in enumerate(completion.choices):
        opening = form.opening(choice, completion.role) if form.opening else {}
        begun = {"index": index, **opening, "finish_reason": None}
        if index == 0 and completion.context is not None:
            yield Event(_with_context(completion, head, begun))
        else:
            yield Event(orjson.dumps({**head, "choices": [begun]}))


def _with_context(completion: Completion, head: dict[str, Any], choice: dict[str, Any]) -> bytes:
    return orjson.dumps({**head, "index_context_info": completion.context, "choices": [choice]})
