"""Completions as bytes: the whole answer, and the same answer as a stream of events.

Their form is the endpoint's published one, and where that is silent OpenAI's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agent_contract.values import Event, Reply
from mockserver.pace import Pace
from mockserver.tokens import pieces

DONE = Event(b"[DONE]")


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: its pieces, one for each token, and why it ended."""

    pieces: tuple[str, ...]
    finish_reason: str
    tokens: int

    @property
    def content(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer to one request; `extra` holds what this endpoint adds to OpenAI's, such as `session_id`."""

    id: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    prompt_tokens: int
    session_id: str | None
    context: Sequence[dict[str, Any]] | None

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

    `said` is what a choice of a whole answer has, `opening` what each choice of a stream begins with, None for nothing;
    into `piece`, JSON, the JSON of a text is put; `end` stands beside the `finish_reason`.
    """

    whole: str
    chunk: str
    said: Callable[[Choice], dict[str, Any]]
    opening: Mapping[str, Any] | None
    piece: bytes
    end: Mapping[str, Any]


CHAT = Form(
    whole="chat.completion",
    chunk="chat.completion.chunk",
    said=lambda choice: {"message": {"role": "assistant", "content": choice.content}},
    opening={"delta": {"role": "assistant", "content": ""}},
    piece=b'"delta":{"content":%s}',
    end={"delta": {}},
)
TEXT = Form(
    whole="text_completion",
    chunk="text_completion",
    said=lambda choice: {"text": choice.content},
    opening=None,
    piece=b'"text":%s',
    end={"text": ""},
)


def asks_for_usage(body: Mapping[str, Any]) -> bool:
    """Return whether a request asks for the usage at the end of its stream."""
    return bool((body.get("stream_options") or {}).get("include_usage"))


def cut(text: str, stops: Sequence[str], limit: int | None) -> Choice:
    """Return `text` up to the first of `stops`, and of that at most `limit` tokens."""
    ends = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
    said = text[: min(ends)] if ends else text
    found = pieces(said)
    if limit is not None and len(found) > limit:
        return Choice(tuple(found[:limit]), "length", limit)
    return Choice(tuple(found), "stop", len(found) if said.strip() else 0)


def plain(completion: Completion, pace: Pace, seed: bytes, form: Form = CHAT) -> Reply:
    """Return the answer as one JSON document, as late as its longest choice takes at this pace."""
    value = completion.head(form.whole)
    value["choices"] = [
        {"index": index, **form.said(choice), "finish_reason": choice.finish_reason}
        for index, choice in enumerate(completion.choices)
    ]
    value["usage"] = completion.usage
    if completion.context is not None:
        value["index_context_info"] = completion.context
    longest = max(len(choice.pieces) for choice in completion.choices)
    delay = sum(pace.delays(max(1, longest), seed))
    return Reply(200, {"content-type": "application/json"}, orjson.dumps(value), delay)


def stream(completion: Completion, with_usage: bool, pace: Pace, seed: bytes, form: Form = CHAT) -> Reply:
    """Return the answer as events: role, content token by token and finish of each choice, usage if asked for.

    The choices speak in turn, a token each; a delay stands before the first token of each round.
    """
    longest = max(len(choice.pieces) for choice in completion.choices)
    delays = pace.delays(max(1, longest), seed)
    headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
    events = tuple(_events(completion, with_usage, delays, form))
    return Reply(200, headers, events, delays[0])


def _events(completion: Completion, with_usage: bool, delays: Sequence[float], form: Form) -> Iterator[Event]:
    head = completion.head(form.chunk)
    if form.opening is not None:
        yield from _openings(completion, head, form.opening)
    before = orjson.dumps(head)[:-1] + b',"choices":[{"index":'
    for place, delay in enumerate(delays):
        due = delay if place else 0.0  # the first is the reply's own
        for index, choice in enumerate(completion.choices):
            if place < len(choice.pieces):
                piece = form.piece % orjson.dumps(choice.pieces[place])
                yield Event(b'%s%d,%s,"finish_reason":null}]}' % (before, index, piece), delay=due)
                due = 0.0
            if place == max(0, len(choice.pieces) - 1):
                finish = {"index": index, **form.end, "finish_reason": choice.finish_reason}
                yield Event(orjson.dumps({**head, "choices": [finish]}))
    if with_usage:
        yield Event(orjson.dumps({**head, "choices": [], "usage": completion.usage}))
    yield DONE


def _openings(completion: Completion, head: dict[str, Any], opening: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the chunk that begins each choice; the first of all carries the context."""
    context = {"index_context_info": completion.context} if completion.context is not None else {}
    for index in range(len(completion.choices)):
        begun = {"index": index, **opening, "finish_reason": None}
        yield Event(orjson.dumps({**head, **(context if index == 0 else {}), "choices": [begun]}))
