"""Completions as bytes: as one JSON document, or as a stream of events.

Their form is the one that the endpoint publishes; unpublished details are like OpenAI's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agent_contract.messages import JSON_TYPE, Event, Reply
from agent_contract.value_class import value_class
from mockserver.generation.latency import Pace
from mockserver.generation.tokenizer import pieces

DONE = Event(b"[DONE]")


@value_class(frozen=True, slots=True)
class ToolCall:
    """A function call; the pieces, one per token, are its arguments as JSON."""

    id: str
    name: str
    pieces: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the call as a part of a message."""
        function = {"name": self.name, "arguments": "".join(self.pieces)}
        return {"id": self.id, "type": "function", "function": function}

    def deltas(self, index: int) -> Iterator[bytes]:
        """Yield the call as parts of a stream's chunks: first its name, then its arguments, piece by piece."""
        begun = {"index": index, "id": self.id, "type": "function", "function": {"name": self.name, "arguments": ""}}
        yield orjson.dumps(begun)
        for piece in self.pieces:
            yield orjson.dumps({"index": index, "function": {"arguments": piece}})


@value_class(frozen=True, slots=True)
class Choice:
    """One answer: its text in pieces, one per token, or calls; and the reason why it ended.

    If it `is_refusal`, the text is the one with which the model refuses.
    """

    pieces: tuple[str, ...]
    finish_reason: str
    tokens: int
    calls: tuple[ToolCall, ...] = ()
    is_refusal: bool = False

    @property
    def content(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    def message(self, role: str) -> dict[str, Any]:
        """Return the answer as a message of `role`."""
        if self.calls:
            return {"role": role, "content": None, "tool_calls": [call.as_json() for call in self.calls]}
        if self.is_refusal:
            return {"role": role, "content": None, "refusal": self.content}
        return {"role": role, "content": self.content}

    def chunk_parts(self, piece: tuple[bytes, bytes]) -> list[bytes]:
        """Return the content of each chunk as JSON, one per token; `piece` is what surrounds text."""
        if self.calls:
            deltas = (delta for index, call in enumerate(self.calls) for delta in call.deltas(index))
            return [b'"delta":{"tool_calls":[%s]}' % delta for delta in deltas]
        if self.is_refusal:
            return [b'"delta":{"refusal":%s}' % orjson.dumps(text) for text in self.pieces]
        before, after = piece
        return [before + orjson.dumps(text) + after for text in self.pieces]


@value_class(frozen=True, slots=True)
class Completion:
    """The answer to a request; `role` is the role of its messages. `counted` replaces token counts by name."""

    id: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    prompt_tokens: int
    session_id: str | None
    context: Sequence[dict[str, Any]] | None
    role: str = "assistant"
    counted: Mapping[str, int] | None = None

    @property
    def usage(self) -> dict[str, int]:
        """The token usage of the request with all choices."""
        prompt, completion = self.prompt_tokens, sum(choice.tokens for choice in self.choices)
        if self.counted is not None:
            prompt = self.counted.get("prompt_tokens", prompt)
            completion = self.counted.get("completion_tokens", completion)
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        return usage if self.counted is None else {**usage, **self.counted}

    def head(self, kind: str) -> dict[str, Any]:
        """Return the first fields of an answer and of each chunk."""
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "session_id": self.session_id} if self.session_id else head


@dataclass(frozen=True, slots=True)
class CompletionFormat:
    """The form of answers. `whole` and `chunk` are the values of `object` in a JSON document and in a chunk.

    `content` returns the fields of a choice in a JSON document, `opening` those of its first chunk (None: there is
    none); both get the role. `piece` is what surrounds the text of a chunk as JSON, `end` the fields next to
    `finish_reason`.
    """

    whole: str
    chunk: str
    content: Callable[[Choice, str], dict[str, Any]]
    opening: Callable[[Choice, str], dict[str, Any]] | None
    piece: tuple[bytes, bytes]
    end: Mapping[str, Any]


CHAT = CompletionFormat(
    whole="chat.completion",
    chunk="chat.completion.chunk",
    content=lambda choice, role: {"message": choice.message(role)},
    opening=lambda choice, role: {
        "delta": {"role": role, "content": None if choice.calls or choice.is_refusal else ""}
    },
    piece=(b'"delta":{"content":', b"}"),
    end={"delta": {}},
)
TEXT = CompletionFormat(
    whole="text_completion",
    chunk="text_completion",
    content=lambda choice, _: {"text": choice.content},
    opening=None,
    piece=(b'"text":', b""),
    end={"text": ""},
)


def asks_for_usage(body: Mapping[str, Any]) -> bool:
    """Return whether a request wants the usage at the end of its stream."""
    return bool((body.get("stream_options") or {}).get("include_usage"))


def choice_of_text(text: str, stops: Sequence[str], limit: int | None) -> Choice:
    """Return `text` up to the first of `stops`, with at most `limit` tokens."""
    ends = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
    return choice_of_pieces(pieces(text[: min(ends)] if ends else text), limit)


def choice_of_pieces(found: Sequence[str], limit: int | None) -> Choice:
    """Return a choice with at most `limit` of the pieces."""
    if limit is not None and len(found) > limit:
        return Choice(tuple(found[:limit]), "length", limit)
    return Choice(tuple(found), "stop", len(found) if found and found[-1].strip() else 0)


def whole_reply(completion: Completion, pace: Pace, seed: bytes, form: CompletionFormat = CHAT) -> Reply:
    """Return the answer as one JSON document, delayed by the time of its longest choice."""
    value = completion.head(form.whole)
    value["choices"] = [
        {"index": index, **form.content(choice, completion.role), "finish_reason": choice.finish_reason}
        for index, choice in enumerate(completion.choices)
    ]
    value["usage"] = completion.usage
    if completion.context is not None:
        value["index_context_info"] = completion.context
    longest = max(choice.tokens for choice in completion.choices)
    delay = sum(pace.delays(max(1, longest), seed)) if pace.waits else 0.0
    return Reply(200, JSON_TYPE, orjson.dumps(value), delay)


def stream_reply(
    completion: Completion, with_usage: bool, pace: Pace, seed: bytes, form: CompletionFormat = CHAT
) -> Reply:
    """Return the answer as events: role, tokens and finish reason of each choice, then the usage if wanted.

    The choices take turns, with one token each; each round begins after a delay.
    """
    written = [choice.chunk_parts(form.piece) for choice in completion.choices]
    delays = pace.delays(max(1, *map(len, written)), seed)
    headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
    head = completion.head(form.chunk)
    events = list(_beginning(completion, head, form))
    _add_rounds(events, completion, written, delays, head, form)
    if with_usage:
        events.append(Event(orjson.dumps({**head, "choices": [], "usage": completion.usage})))
    events.append(DONE)
    return Reply(200, headers, tuple(events), delays[0])


def _beginning(completion: Completion, head: dict[str, Any], form: CompletionFormat) -> Iterator[Event]:
    if form.opening is not None:
        yield from _openings(completion, head, form)
    elif completion.context is not None:
        yield Event(_with_context(completion, head, {"index": 0, **form.end, "finish_reason": None}))


def _add_rounds(
    events: list[Event],
    completion: Completion,
    written: Sequence[Sequence[bytes]],
    delays: Sequence[float],
    head: dict[str, Any],
    form: CompletionFormat,
) -> None:
    """Add the tokens of the choices to `events`, a round after each delay, and the finish reason of each choice."""
    start, end = orjson.dumps(head)[:-1] + b',"choices":[{"index":', b',"finish_reason":null}]}'
    begun = [b"%s%d," % (start, index) for index in range(len(written))]
    for place, delay in enumerate(delays):
        due = delay if place else 0.0  # the first delay is the reply's
        for index, parts in enumerate(written):
            if place < len(parts):
                events.append(Event(begun[index] + parts[place] + end, "", due))
                due = 0.0
            if place == (len(parts) or 1) - 1:
                finish = {"index": index, **form.end, "finish_reason": completion.choices[index].finish_reason}
                events.append(Event(orjson.dumps({**head, "choices": [finish]})))


def _openings(completion: Completion, head: dict[str, Any], form: CompletionFormat) -> Iterator[Event]:
    """Yield the first chunk of each choice; the very first contains the context."""
    for index, choice in enumerate(completion.choices):
        opening = form.opening(choice, completion.role) if form.opening else {}
        begun = {"index": index, **opening, "finish_reason": None}
        if index == 0 and completion.context is not None:
            yield Event(_with_context(completion, head, begun))
        else:
            yield Event(orjson.dumps({**head, "choices": [begun]}))


def _with_context(completion: Completion, head: dict[str, Any], choice: dict[str, Any]) -> bytes:
    return orjson.dumps({**head, "index_context_info": completion.context, "choices": [choice]})
