"""Measured answers of FastAPI to invalid bodies; the mock must give the same. Each row is a test on every adapter."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Row(NamedTuple):
    """A body, the status of its reply, and location and type of the error; a 400 has neither."""

    name: str
    body: bytes
    status: int
    where: list[Any] | None = None
    kind: str = ""
    content_type: str | None = "application/json"


GOOD = b'{"messages":[{"role":"user","content":"Hello!"}]}'


def _with(fields: str) -> bytes:
    return GOOD[:-1] + b"," + fields.encode() + b"}"


UNREADABLE = "There was an error parsing the body"
NO_MODEL = "model_attributes_type"

ROWS = [
    Row("malformed", b"{", 422, ["body", 1], "json_invalid"),
    Row("a wrong byte at the start", b"x", 422, ["body", 0], "json_invalid"),
    Row("malformed at its end", GOOD + b"}", 422, ["body", len(GOOD)], "json_invalid"),
    Row("cut in the middle of a character", '{"messages": "ü"}'.encode()[:-3], 400),
    Row("empty", b"", 422, ["body"], "missing"),
    Row("a list", b"[]", 422, ["body"], NO_MODEL),
    Row("null", b"null", 422, ["body"], NO_MODEL),
    Row("a string", b'"x"', 422, ["body"], NO_MODEL),
    Row("a number", b"1", 422, ["body"], NO_MODEL),
    Row("another content type", GOOD, 422, ["body"], NO_MODEL, "text/plain"),
    Row("a form", GOOD, 422, ["body"], NO_MODEL, "application/x-www-form-urlencoded"),
    Row("no content type", GOOD, 422, ["body"], NO_MODEL, None),
    Row("not UTF-8", b'{"messages":[{"role":"user","content":"\xff\xfe"}]}', 400),
    Row("nested ten thousand deep", b"[" * 10_000, 400),
    Row("nested ten thousand deep in a field", _with('"x":' + "[" * 10_000 + "]" * 10_000), 400),
    Row("NaN", _with('"temperature":NaN'), 422, ["body", 63], "json_invalid"),
    Row("Infinity", _with('"temperature":-Infinity'), 422, ["body", 63], "json_invalid"),
    Row("1e400", _with('"temperature":1e400'), 422, ["body", 63], "json_invalid"),
    Row("a lone surrogate", _with(r'"user":"\ud800"'), 422, ["body", 56], "json_invalid"),
    Row("a key twice, the last one wrong", _with('"n":1,"n":0'), 422, ["body", "n"], "greater_than_equal"),
]

#: Unusual but valid bodies.
ODD = {
    "a key twice, the last one good": (_with('"n":0,"n":1'), "application/json"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, "application/json"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "application/json"),
    "another kind of JSON": (GOOD, "application/vnd.agent+json; charset=utf-8"),
    "JSON in capitals": (GOOD, "APPLICATION/JSON"),
    "emoji, NUL and right-to-left": (
        json.dumps({"messages": [{"role": "user", "content": "\U0001f44b\U0001f3fd \0 \u202e \u05e9"}]}).encode(),
        "application/json",
    ),
    "white space around": (b" \n\t" + GOOD + b"\r\n ", "application/json"),
}
