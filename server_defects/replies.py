"""Replies of a few kinds, as defects make them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from agent_contract.messages import Reply
from mockserver.faults.broken_reply import Piece


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a value as JSON."""
    return _typed("application/json", json.dumps(value).encode(), status, headers)


def page_reply(page: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return an HTML page."""
    return _typed("text/html; charset=utf-8", page.encode(), status, headers)


def text_reply(text: str, status: int = 200) -> Reply:
    """Return plain text."""
    return _typed("text/plain; charset=utf-8", text.encode(), status, None)


def empty_reply(status: int, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a reply without a body."""
    return Reply(status, {**(headers or {}), **({} if status == 204 else {"content-length": "0"})}, b"")


def stream_reply(frames: Iterable[bytes], pause: float = 0.0) -> Reply:
    """Return frames as a stream of events, with a pause of this many seconds after each."""
    return Reply(200, {"content-type": "text/event-stream"}, tuple(Piece(frame, delay=pause) for frame in frames))


def with_body(reply: Reply, body: bytes, content_type: str = "") -> Reply:
    """Return a reply with another body, and another content type if one is given."""
    kept = {**reply.headers, "content-length": str(len(body))}
    return Reply(reply.status, {**kept, "content-type": content_type} if content_type else kept, body)


def _typed(media_type: str, body: bytes, status: int, headers: Mapping[str, str] | None) -> Reply:
    named = {name.lower(): value for name, value in (headers or {}).items()}
    return Reply(status, {"content-type": media_type, "content-length": str(len(body)), **named}, body)
