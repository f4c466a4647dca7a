"""All values of an exchange that a recording would hold, with their names: what is searched for tokens."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from agent_contract.messages import Exchange, Reply
from agent_contract.validation.check import bare_type
from agent_contract.validation.sse import parse_events
from mockserver.recording.recording import EVENT_STREAM, URL_HEADERS, form_fields

#: The place, the name and the text of a value; the name is "" if it has none.
Value = tuple[str, str, str]
#: The text that a stream sends in parts, by its place in the events.
Parts = dict[tuple[str, ...], str]
_Leaf = tuple[tuple[str, ...], str]
#: What can be a token in text that has no fields; its name is one that no id has.
_WORD = re.compile(r"[A-Za-z0-9+/_.~-]{24,512}")
_TEXT = "text"


def values_of(exchange: Exchange, parts: Parts) -> Iterator[Value]:
    """Yield place, name and text of everything that is written; `parts` is what `joined_parts` returned."""
    request, reply = exchange.request, exchange.reply
    for part in request.path.split("/"):
        yield "request/path", "", part
    for name, text in request.query:
        yield f"request/query/{name}", name, text
    for message, headers in (("request", request.headers), ("reply", reply.headers)):
        for name, text in headers.items():
            yield f"{message}/headers/{name}", name, text
            if name in URL_HEADERS:
                yield from ((f"{message}/headers/{name}", key, value) for key, value in parse_qsl(urlsplit(text).query))
    yield from _of_body("request", request.body, request.headers.get("content-type", ""))
    media = reply.headers.get("content-type", "")
    if bare_type(media) == EVENT_STREAM:
        for place, text in parts.items():
            yield "/".join(("reply", "body", *place)), place[-1], text
        yield "reply/body", "", reply.content().decode("utf-8", "replace")
    else:
        yield from _of_body("reply", reply.content(), media)


def joined_parts(reply: Reply) -> Parts:
    """Return the text that a stream sends in parts, by its place in the events: a token can be divided among them."""
    if bare_type(reply.headers.get("content-type", "")) != EVENT_STREAM:
        return {}
    parts: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for event in parse_events(reply.content()):
        for place, text in _leaves(event.data.decode("utf-8", "replace")) or ():
            if place:
                parts[place].append(text)
    return {place: "".join(found) for place, found in parts.items()}


def _of_body(message: str, body: bytes, content_type: str) -> Iterator[Value]:
    here, text = f"{message}/body", body.decode("utf-8", "replace")
    form = form_fields(content_type, body)
    if form is not None:
        yield from ((f"{here}/{name}", name, value) for name, value in form)
        yield here, "", text
        return
    leaves = _leaves(text)
    if leaves is None:  # a line of JSON each, or other text
        lines = [_leaves(line) for line in text.splitlines() if line.strip()]
        leaves = [leaf for line in lines for leaf in line or ()]
        if None in lines:
            yield from ((here, _TEXT, word) for word in _WORD.findall(text))
    for place, value in leaves:
        yield "/".join((here, *place)), _name(place), value
    yield here, "", text


def _leaves(text: str) -> list[_Leaf] | None:
    """Return the strings of JSON with their places, also those of JSON in a string; None for other text."""
    try:
        waiting: list[tuple[tuple[str, ...], Any]] = [((), json.loads(text))]
    except (ValueError, RecursionError):
        return None
    found: list[_Leaf] = []
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            found.append((place, value))
            if value.lstrip()[:1] in ("{", "["):
                found += [((*place, *inside), inner) for inside, inner in _leaves(value) or ()]
        elif isinstance(value, (dict, list)):
            parts: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [((*place, str(name)), part) for name, part in parts]
    return found


def _name(place: tuple[str, ...]) -> str:
    """Return the name of a field; that of a list for its items."""
    return next((part for part in reversed(place) if not part.isdigit()), "")
