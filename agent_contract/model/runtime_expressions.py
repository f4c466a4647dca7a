"""Runtime expressions: what a link, or an example that follows another, takes from the exchange before.

A string that begins with `$` is an expression, and so is `{$…}` inside any other string; the rest is literal.
Source: OpenAPI 3.1.1, section 4.8.20.4.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlencode

from agent_contract.document.json_pointer import look_up, tokens_of
from agent_contract.messages import JSON, Exchange, Reply

_EXPRESSION = re.compile(
    r"\$(?:(?P<whole>url|method|statusCode)"
    r"|(?P<side>request|response)\.(?:(?P<part>header|query|path)\.(?P<name>.+)|body(?:#(?P<pointer>/.*)?)?))"
)
_EMBEDDED = re.compile(r"\{(\$[^{}]*)\}")
#: What only a request has.
_OF_REQUESTS = ("query", "path")

REMEDY = "write it as in $response.body#/id, $response.header.NAME, $request.path.NAME or $request.body#/id"


class CompletedExchange(NamedTuple):
    """An exchange that took place, with what filled the parameters of its path."""

    exchange: Exchange
    path: Mapping[str, str]


def unreadable(text: str) -> str:
    """Return the first expression in a string that can't be read, "" if all can."""
    for expression in [text] if text.startswith("$") else _EMBEDDED.findall(text):
        found = _EXPRESSION.fullmatch(expression)
        if found is None or (found["side"] == "response" and found["part"] in _OF_REQUESTS):
            return str(expression)
    return ""


def evaluate(text: str, before: CompletedExchange) -> JSON:
    """Return the value of a string after an exchange; LookupError names an expression without a value there.

    The body of a stream is its first event's data. `$url` is the path with its query: an exchange knows no host.
    """
    if text.startswith("$"):
        return _value(text, before)
    return _EMBEDDED.sub(lambda match: as_text(_value(match[1], before)), text)


def as_text(value: JSON) -> str:
    """Return a value as it is written into a path, a query or a header."""
    return value if isinstance(value, str) else json.dumps(value)


def _value(expression: str, before: CompletedExchange) -> JSON:
    found = _EXPRESSION.fullmatch(expression)
    if found is None:
        raise LookupError(f"{expression} is not a runtime expression: {REMEDY}")
    try:
        return _whole(found["whole"], before) if found["whole"] else _part(found, before)
    except (LookupError, ValueError):
        raise LookupError(f"{expression} names nothing in the exchange before") from None


def _whole(name: str, before: CompletedExchange) -> JSON:
    request, reply = before.exchange.request, before.exchange.reply
    if name == "url":
        return quote(request.path) + (f"?{urlencode(request.query)}" if request.query else "")
    return request.method if name == "method" else reply.status


def _part(found: re.Match[str], before: CompletedExchange) -> JSON:
    message = before.exchange.request if found["side"] == "request" else before.exchange.reply
    name = found["name"]
    if found["part"] == "header":
        return message.headers[name.lower()]
    if found["part"] == "path":
        return before.path[name]
    if found["part"] == "query":
        return dict(reversed(before.exchange.request.query))[name]
    if isinstance(message, Reply) and not isinstance(message.body, bytes):
        content = message.body[0].data
    else:
        content = message.body  # type: ignore[assignment]
    return look_up(json.loads(content), tokens_of(found["pointer"] or ""))
