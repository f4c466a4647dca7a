"""Completions as bytes: as one JSON document, or as a stream of events.

Their form is the one that the endpoint publishes; unpublished details are like OpenAI's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson

from agent_contract.messages import JSON_TYPE, Event, Reply
from agent_contract.value_class import value_class
from mockserver.generation.latency import Pace
from mockserver.generation.tokenizer import count_pieces_before, pieces

DONE = Event(b"[DONE]")
_STREAM_TYPE = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


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
    """One answer: its text in pieces, or calls; and the reason why it ended. A stream sends each piece in an event.

    If it `is_refusal`, the text is the one with which the model refuses. `parts` are text and calls in the order of a
    stream; without them it is either text or calls.
    """

    pieces: tuple[str, ...]
    finish_reason: str
    tokens: int
    calls: tuple[ToolCall, ...] = ()
    is_refusal: bool = False
    parts: tuple[tuple[str, ...] | ToolCall, ...] = ()

    @property
    def content(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    def message(self, role: str) -> dict[str, Any]:
        """Return the answer as a message of `role`."""
        if self.calls:
            calls = [call.as_json() for call in self.calls]
            return {"role": role, "content": self.content or None, "tool_calls": calls}
        if self.is_refusal:
            return {"role": role, "content": None, "refusal": self.content}
        return {"role": role, "content": self.content}

    def chunks(self, start: bytes, piece: tuple[bytes, bytes], end: bytes) -> list[bytes]:
        """Return a chunk for each token, between `start` and `end`; `piece` is what surrounds text."""
        if self.calls:
            return [b"%s%s%s" % (start, part, end) for part in self._interleaved(piece)]
        before, after = (b'"delta":{"refusal":', b"}") if self.is_refusal else piece
        start, end = start + before, after + end
        return [start + orjson.dumps(text) + end for text in self.pieces]

    def _interleaved(self, piece: tuple[bytes, bytes]) -> Iterator[bytes]:
        """Yield text and calls as JSON, one token each."""
        before, after = piece
        numbers = count()
        for part in self.parts or self.calls:
            if isinstance(part, ToolCall):
                yield from (b'"delta":{"tool_calls":[%s]}' % delta for delta in part.deltas(next(numbers)))
            else:
                yield from (before + orjson.dumps(text) + after for text in part)


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
        prompt, completion = self.prompt_tokens, sum([choice.tokens for choice in self.choices])
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
        "delta": {"role": role, "content": None if choice.is_refusal or (choice.calls and not choice.pieces) else ""}
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


def choice_of_parts(text: str, sentences: Sequence[str]) -> Choice:
    """Return a choice for an answer that is not streamed: its pieces are the text and the sentences, not tokens."""
    return Choice((text, *sentences), "stop", count_pieces_before(text, sentences))


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
    longest = max([choice.tokens for choice in completion.choices])
    delay = sum(pace.delays(max(1, longest), seed)) if pace.waits else 0.0
    return Reply(200, JSON_TYPE, orjson.dumps(value), delay)


def stream_reply(
    completion: Completion, with_usage: bool, pace: Pace, seed: bytes, form: CompletionFormat = CHAT
) -> Reply:
    """Return the answer as events: role, tokens and finish reason of each choice, then the usage if wanted.

    The choices take turns, with one token each; each round begins after a delay.
    """
    head = completion.head(form.chunk)
    start = orjson.dumps(head)[:-1] + b',"choices":['
    written = [
        choice.chunks(b'%s{"index":%d,' % (start, index), form.piece, b',"finish_reason":null}]}')
        for index, choice in enumerate(completion.choices)
    ]
    delays = pace.delays(max(1, *map(len, written)), seed)
    events = list(_beginning(completion, head, start, form))
    _add_rounds(events, completion, written, delays, start, form)
    if with_usage:
        events.append(Event(orjson.dumps({**head, "choices": [], "usage": completion.usage})))
    events.append(DONE)
    return Reply(200, _STREAM_TYPE, tuple(events), delays[0])


def _beginning(completion: Completion, head: dict[str, Any], start: bytes, form: CompletionFormat) -> Iterator[Event]:
    """Yield the first chunk of each choice, if the form has one; the very first chunk contains the context."""
    context = completion.context
    if form.opening is None and context is None:
        return
    for index, choice in enumerate(completion.choices):
        opening = form.opening(choice, completion.role) if form.opening else form.end
        begun = {"index": index, **opening, "finish_reason": None}
        if context is not None and index == 0:
            yield Event(orjson.dumps({**head, "index_context_info": context, "choices": [begun]}))
        else:
            yield _chunk(start, begun)
        if form.opening is None:
            return


def _add_rounds(
    events: list[Event],
    completion: Completion,
    written: Sequence[Sequence[bytes]],
    delays: Sequence[float],
    start: bytes,
    form: CompletionFormat,
) -> None:
    """Add the tokens of the choices to `events`, a round after each delay, and the finish reason of each choice."""
    for place, delay in enumerate(delays):
        due = delay if place else 0.0  # the first delay is the reply's
        for index, chunks in enumerate(written):
            if place < len(chunks):
                events.append(Event(chunks[place], "", due))
                due = 0.0
            if place == (len(chunks) or 1) - 1:
                finish = {"index": index, **form.end, "finish_reason": completion.choices[index].finish_reason}
                events.append(_chunk(start, finish))


def _chunk(start: bytes, choice: dict[str, Any]) -> Event:
    return Event(start + orjson.dumps(choice) + b"]}")
