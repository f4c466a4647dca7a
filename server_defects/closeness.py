"""How close a reply is to one that was recorded elsewhere: forms and numbers count, wording and ids don't."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

#: Keys whose values are words of the API.
_WORDS = frozenset({"object", "role", "finish_reason", "type", "deleted", "has_more"})
#: Headers that say something of a server.
_HEADERS = ("allow", "www-authenticate", "retry-after", "location")
#: How much the status and the media type count, in lines of a form.
_WEIGHT = 4
_DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class SeenReply:
    """A reply: its body as text, or the data of its events."""

    status: int
    media_type: str
    headers: frozenset[str] = frozenset()
    body: str = ""
    events: tuple[str, ...] = ()
    is_complete: bool = True
    #: the JSON of the body, or of the last event; of one with a usage if there is one
    value: Any = field(default=None, compare=False)


def seen_reply(
    status: int, headers: dict[str, str], body: str, events: Sequence[str] = (), *, is_complete: bool = True
) -> SeenReply:
    """Return a reply with these headers, whose names are in lower case."""
    values = [_parsed(text) for text in (events or (body,))]
    objects = [one for one in reversed(values) if isinstance(one, dict)]
    value = next((one for one in objects if one.get("usage")), objects[0] if objects else values[-1])
    media_type = headers.get("content-type", "").partition(";")[0]
    shown = frozenset(name for name in _HEADERS if headers.get(name))
    return SeenReply(status, media_type, shown, body, tuple(events), is_complete, value)


def closeness(recorded: Sequence[SeenReply], played: Sequence[SeenReply]) -> float:
    """Return how close the replies to the same requests are, from 0 to 1; the last one counts most."""
    *earlier, last = [_alike(one, other) for one, other in zip(recorded, played, strict=True)]
    related = _share(_relations(recorded), _relations(played))
    parts = [last, last, related, *([sum(earlier) / len(earlier)] if earlier else [])]
    return sum(parts) / len(parts)


def _alike(one: SeenReply, other: SeenReply) -> float:
    return _share(Counter(_lines(one)), Counter(_lines(other)))


def _share(one: Counter[str], other: Counter[str]) -> float:
    """Return how much of two multisets is in both."""
    every = (one | other).total()
    return (one & other).total() / every if every else 1.0


def _lines(reply: SeenReply) -> Iterator[str]:
    """Yield the form of a reply as lines."""
    for number in range(_WEIGHT):
        yield f"status {reply.status} {number}"
        yield f"type {reply.media_type} {number}"
    yield from (f"header {name}" for name in reply.headers)
    yield f"complete {reply.is_complete}"
    if reply.events:
        forms = [";".join(_form(_parsed(event), "")) for event in reply.events]
        runs = [form for form, _ in groupby(forms)]
        yield from (f"end {form}" for form in forms if "/finish_reason " in form.replace("/finish_reason None", ""))
        yield from (f"event {form}" for form in runs)
        yield from (f"first {form}" for form in runs[:2])
        yield from (f"last {form}" for form in runs[-2:])
    else:
        yield from _form(_parsed(reply.body), "")


def _form(value: Any, where: str) -> Iterator[str]:
    key = where.rpartition("/")[2]
    match value:
        case dict():
            yield f"{where} object"
            yield from _sums(value, where)
            for name, item in value.items():
                yield from _form(item, f"{where}/{name}")
        case list():
            yield f"{where} list of {min(len(value), 3)}"
            for item in value[:3]:
                yield from _form(item, where)
        case bool() | None:
            yield f"{where} {value}"
        case int() | float():
            size = "zero" if value == 0 else "negative" if value < 0 else f"of {len(str(int(value)))}"
            yield f"{where} {type(value).__name__} {size if key.startswith('created') or value <= 0 else ''}"
        case str():
            yield f"{where} {value if key in _WORDS or value == _DONE else 'text' if value else 'empty'}"


def _sums(value: dict[str, Any], where: str) -> Iterator[str]:
    if where.endswith("usage"):
        prompt, completion, total = (value.get(f"{kind}_tokens") for kind in ("prompt", "completion", "total"))
        if all(isinstance(count, int) for count in (prompt, completion, total)):
            yield f"{where} adds up: {prompt + completion == total}"  # type: ignore[operator]


def _relations(replies: Sequence[SeenReply]) -> Counter[str]:
    """Return how the values of replies are to each other: which are the same, and which counts grow."""
    found: Counter[str] = Counter()
    values = [reply.value if isinstance(reply.value, dict) else {} for reply in replies]
    for number, (before, after) in enumerate(pairwise(values)):
        for name in ("id", "session_id", "created"):
            if name in before and name in after:
                found[f"{number} {name} {before[name] == after[name]}"] += 1
        first, second = _prompt_tokens(before), _prompt_tokens(after)
        if first is not None and second is not None:
            found[f"{number} tokens {(second > first) - (second < first)}"] += 1
        found[f"{number} same {_text(before) == _text(after)}"] += 1
    return found


def _prompt_tokens(value: dict[str, Any]) -> int | None:
    usage = value.get("usage")
    count = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return count if isinstance(count, int) else None


def _text(value: dict[str, Any]) -> str:
    try:
        return str(value["choices"][0]["message"]["content"])
    except (LookupError, TypeError):
        return ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
