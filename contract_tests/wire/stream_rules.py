"""A streamed answer as a state machine over its events: what is wrong with it, rule by rule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent_contract.printable import shorten
from contract_tests.wire import strict_json

if TYPE_CHECKING:
    from contract_tests.wire.sse import EventStream, ReceivedEvent

DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its JSON object, its place among the events, from 1, and the second in which it came."""

    value: Mapping[str, Any]
    place: int
    at: float

    def choices(self) -> Iterator[tuple[object, Mapping[str, Any], object]]:
        """Yield index, delta and finish reason of each of its choices; a choice that is not an object is skipped."""
        choices = self.value.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                delta = choice.get("delta")
                yield choice.get("index"), delta if isinstance(delta, dict) else {}, choice.get("finish_reason")


@dataclass(frozen=True, slots=True)
class StreamFault:
    """What a stream does against one rule: `framing`, `done`, `constant`, `role`, `finish`, … ."""

    rule: str
    expected: str
    got: str


#: (state, sign) -> (state after it, the rule that the sign breaks there). A choice starts silent.
TRANSITIONS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("silent", "role"): ("silent", ""),
    ("silent", "content"): ("speaking", ""),
    ("silent", "finish"): ("finished", ""),
    ("speaking", "role"): ("speaking", "role"),
    ("speaking", "content"): ("speaking", ""),
    ("speaking", "finish"): ("finished", ""),
    ("finished", "role"): ("finished", "role"),
    ("finished", "content"): ("finished", "after-finish"),
    ("finished", "finish"): ("finished", "finish"),
}
_EXPECTED: Mapping[str, str] = {
    "role": "a choice's role before its content, if at all",
    "after-finish": "no content after a choice's finish_reason",
    "finish": "one finish_reason for each choice",
}


@lru_cache(maxsize=4)
def chunks(stream: EventStream) -> tuple[Chunk, ...]:
    """Return the stream's chunks: its events that are JSON objects. Those of the last few streams are kept."""
    found = ((_object(event), place, event.at) for place, event in enumerate(stream.events, 1))
    return tuple(Chunk(value, place, at) for value, place, at in found if value is not None)


def spoken(stream: EventStream, index: int = 0) -> str:
    """Return the content of the choice, its deltas joined."""
    deltas = (delta.get("content") for chunk in chunks(stream) for at, delta, _ in chunk.choices() if at == index)
    return "".join(text for text in deltas if isinstance(text, str))


def faults(stream: EventStream, n: int = 1, failure: str = "") -> tuple[StreamFault, ...]:
    """Return all that is wrong with a stream that answers with `n` choices, `failure` if it broke off."""
    found = chunks(stream)
    return (
        *_framing(stream),
        *_done(stream, failure),
        *_constant(found),
        *_index(found, n, ended=_has_done(stream)),
        *_choices(found, ended=_has_done(stream)),
    )


def usages(stream: EventStream) -> list[tuple[Chunk, Mapping[str, Any]]]:
    """Return the chunks that carry a usage which is not null, with it."""
    return [(chunk, usage) for chunk in chunks(stream) if isinstance(usage := chunk.value.get("usage"), dict)]


def _object(event: ReceivedEvent) -> dict[str, Any] | None:
    try:
        value = strict_json.loads(event.data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _has_done(stream: EventStream) -> bool:
    return any(event.data == DONE for event in stream.events)


def _framing(stream: EventStream) -> Iterator[StreamFault]:
    expected = "each event's data one chunk as JSON, or [DONE]"
    for place, event in enumerate(stream.events, 1):
        if event.data != DONE and _object(event) is None:
            yield StreamFault("framing", expected, f"event {place}: {shorten(event.data, 120)}")
    for line in stream.ignored:
        if line.lstrip().startswith(("{", DONE)):
            yield StreamFault(
                "framing", "each chunk in a `data:` line", f"a line that clients ignore: {shorten(line, 120)}"
            )
    for line in stream.garbled:
        yield StreamFault("framing", "lines in UTF-8", f"other bytes: {shorten(line, 120)}")


def _done(stream: EventStream, failure: str) -> Iterator[StreamFault]:
    expected = "data: [DONE] once, and last"
    places = [place for place, event in enumerate(stream.events, 1) if event.data == DONE]
    last = len(stream.events)
    if failure:
        yield StreamFault("done", expected, f"after {last} events: {failure}")
    elif not places:
        unended = stream.unfinished == DONE
        yield StreamFault("done", expected, "[DONE] without the blank line that ends it" if unended else "no [DONE]")
    elif len(places) > 1:
        yield StreamFault("done", expected, f"[DONE] {len(places)} times, as events {', '.join(map(str, places))}")
    elif places[0] != last:
        yield StreamFault("done", expected, f"[DONE] as event {places[0]} of {last}")
    elif stream.unfinished:
        yield StreamFault("done", expected, f"after [DONE]: {shorten(stream.unfinished, 120)}")


def _constant(found: Sequence[Chunk]) -> Iterator[StreamFault]:
    for name in ("id", "created", "model"):
        values = [chunk.value[name] for chunk in found if chunk.value.get(name) is not None]
        different = list(dict.fromkeys(json.dumps(value) for value in values))
        if len(different) > 1:
            yield StreamFault("constant", f"one {name} in all chunks", f"{len(different)}: {', '.join(different[:3])}")


def _index(found: Sequence[Chunk], n: int, *, ended: bool) -> Iterator[StreamFault]:
    expected = "the index 0" if n == 1 else f"the indices 0 to {n - 1}"
    seen: set[object] = set()
    for chunk in found:
        for index, _, _ in chunk.choices():
            known = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < n
            if not known and str(index) not in seen:
                yield StreamFault("index", expected, f"event {chunk.place}: index {json.dumps(index)}")
            seen.add(index if known else str(index))
    missing = [index for index in range(n) if index not in seen]
    if missing and ended:
        yield StreamFault("index", expected, f"none of index {', '.join(map(str, missing))}")


def _choices(found: Sequence[Chunk], *, ended: bool) -> Iterator[StreamFault]:
    states: dict[str, str] = {}
    for chunk in found:
        for number, delta, reason in chunk.choices():
            index = json.dumps(number)
            signs = [name for name in ("role", "content") if delta.get(name)] + (["finish"] if reason else [])
            for sign in signs:
                state, rule = TRANSITIONS[states.get(index, "silent"), sign]
                states[index] = state
                if rule:
                    got = f"event {chunk.place}: {sign} of choice {index} when it is {state}"
                    yield StreamFault(rule, _EXPECTED[rule], got)
            states.setdefault(index, "silent")
    for index, state in states.items():
        if ended and state != "finished":
            yield StreamFault("finish", _EXPECTED["finish"], f"[DONE], and none for choice {index}")
