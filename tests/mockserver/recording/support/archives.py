"""HTTP archives in the form of several programs."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from agent_contract.messages import Exchange, Request

HOST = "https://agents.example.com"
STARTED = "2026-11-25T10:00:00.000000+00:00"


def pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": text} for name, text in values.items()]


def entry(exchange: Exchange, url: str = HOST, started: str = STARTED, **timings: float) -> dict[str, Any]:
    """Return an entry as mitmproxy exports it: bodies are decoded, binary ones in base64."""
    request, reply = exchange.request, exchange.reply
    query = "&".join(f"{name}={text}" for name, text in request.query)
    sent: dict[str, Any] = {
        "method": request.method,
        "url": url + request.path + (f"?{query}" if query else ""),
        "httpVersion": "HTTP/2.0",
        "cookies": [],
        "headers": pairs({":authority": "agents.example.com", **request.headers}),
        "queryString": pairs(dict(request.query)),
        "headersSize": 100,
        "bodySize": len(request.body),
    }
    if request.method in ("POST", "PUT", "PATCH"):
        media = request.headers.get("content-type", "")
        sent["postData"] = {"mimeType": media, "text": request.body.decode("utf-8", "surrogateescape"), "params": []}
    body = reply.content()
    got = {
        "status": reply.status,
        "statusText": "",
        "httpVersion": "HTTP/2.0",
        "cookies": [],
        "headers": pairs(reply.headers),
        "content": {"size": len(body), "compression": 0, "mimeType": reply.headers.get("content-type", "")},
        "redirectURL": "",
        "headersSize": 100,
        "bodySize": len(body),
    }
    got["content"] |= {"text": body.decode("utf-8", "surrogateescape")}  # type: ignore[operator]
    times = {"connect": -1.0, "ssl": None, "send": 0.0, "receive": 0.0, "wait": 0.0, **timings}
    return {
        "startedDateTime": started,
        "time": 0,
        "request": sent,
        "response": got,
        "cache": {},
        "timings": times,
        "serverIPAddress": "127.0.0.1",
    }


def failed(exchange: Exchange) -> dict[str, Any]:
    """Return an entry of a request that got no reply, as mitmproxy exports it."""
    got = {"status": 0, "statusText": "", "headers": [], "cookies": [], "content": {}, "_error": "connection closed"}
    return entry(exchange) | {"response": got}


def compressed(made: dict[str, Any]) -> dict[str, Any]:
    """Return an entry whose reply is compressed, with its bytes as they came, in base64."""
    content = made["response"]["content"]
    packed = base64.b64encode(gzip.compress(content["text"].encode())).decode()
    got = made["response"] | {"content": content | {"text": packed, "encoding": "base64"}}
    return made | {"response": got | {"headers": [*got["headers"], {"name": "Content-Encoding", "value": "gzip"}]}}


def archive(entries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    creator = {"name": "mitmproxy", "version": "12", "comment": ""}
    return {"log": {"version": "1.2", "creator": creator, "pages": [], "entries": list(entries)}}


def write(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text(json.dumps(archive(entries)), encoding="utf-8")
    return path


def elsewhere(path: str = "/index.html") -> Request:
    return Request("GET", path)
