"""Small documents that a mock plays, and requests to them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from agent_contract.messages import Exchange, Request
from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.core.play_options import PlayOptions
from mockserver.engine import Engine
from tests.agent_contract.support.documents import compiled

JSON_BODY = "application/json"


def document(paths: Mapping[str, Any], **top: Any) -> dict[str, Any]:
    """Return a document with these paths."""
    return {"openapi": "3.1.0", "info": {"title": "Small", "version": "1"}, "paths": dict(paths), **top}


def getting(content: Mapping[str, Any] | None = None, status: str = "200", **operation: Any) -> dict[str, Any]:
    """Return a path whose GET is answered with this content."""
    response: dict[str, Any] = {"description": "ok"} | ({"content": dict(content)} if content is not None else {})
    return {"get": {"operationId": "read", "responses": {status: response}, **operation}}


def play(folder: Path, written: Mapping[str, Any], *, seed: int = 0, **options: Any) -> Engine:
    """Return an engine that plays a document, with these play options."""
    return create_engine(compiled(folder, dict(written)), Config(play=PlayOptions(**options)), seed=seed)


def send(
    engine: Engine, method: str, address: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> Exchange:
    """Return the exchange of a request; a body that is not bytes is sent as JSON."""
    path, _, query = address.partition("?")
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    if body is not None and not isinstance(body, bytes):
        body = orjson.dumps(body)
        sent.setdefault("content-type", JSON_BODY)
    return engine.handle(Request(method, unquote(path), pairs, sent, body or b""))


def value(exchange: Exchange) -> Any:
    """Return the JSON of a reply."""
    return orjson.loads(exchange.reply.content())
