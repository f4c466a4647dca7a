"""Variants of gateways in front of a deployment, and of its state."""

import asyncio
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from agent_contract.messages import Headers, Reply, Request
from benchmarks.detection.conforming_variants.variant import Variant
from benchmarks.detection.field_mutators import without
from benchmarks.detection.hooks import Asgi, ServerHooks
from server_defects.hooks import Refusal
from server_defects.replies import empty_reply, json_reply, page_reply

PLAIN = ServerHooks()
TOKEN = "a-token-of-the-deployment"
#: Requests that a starting deployment fails.
COLD = 2
COLD_BODY = {
    "detail": [
        {
            "error_code": "AGENT_COMPLETION_FAILED",
            "loc": [],
            "msg": "Error interacting with GenAI services",
            "type": "agent_completion_failed",
        }
    ]
}


def cold_gateway(request: Request, body: bytes, number: int) -> Reply | None:
    """Answer 502 to the first requests."""
    return json_reply(COLD_BODY, 502) if number <= COLD and request.method == "POST" else None


def cold_model(answer: dict[str, Any], call: Any) -> dict[str, Any]:
    """Return the first answers with empty content."""
    if call.number <= COLD:
        for choice in answer["choices"]:
            choice["message"]["content"] = ""
    return answer


def slowly(seconds: float) -> Callable[[Asgi], Asgi]:
    """Return a wrapper that waits before each request."""

    def wrap(app: Asgi) -> Asgi:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(seconds)
            await app(scope, receive, send)

        return wrapped

    return wrap


def closing(status: int, headers: Headers, request: Request) -> Headers:
    """Return the headers with the wish to close the connection."""
    return {**headers, "connection": "close"}


def limited(after: Callable[[], str], every: int = 25) -> Any:
    """Return an arrival that answers 429 to one request in this number, with the given `Retry-After`."""

    def arrive(request: Request, body: bytes, number: int) -> Reply | None:
        if number % every:
            return None
        return json_reply({"detail": "Too Many Requests"}, 429, {"Retry-After": after()})

    return arrive


def forbidden(refusal: Refusal) -> Refusal:
    """Return a refused token as 403."""
    return Refusal("token", 403, "Forbidden") if refusal.kind == "token" else refusal


def by_page(refusal: Refusal) -> Refusal | Reply:
    """Return a refused token as a gateway's page."""
    if refusal.kind != "token":
        return refusal
    return page_reply("<h1>Unauthorized</h1>", 401, {"WWW-Authenticate": 'Bearer realm="agents"'})


def methods(status: int) -> Any:
    """Return an arrival that answers other methods with a status, as gateways do."""

    def arrive(request: Request, body: bytes, number: int) -> Reply | None:
        return None if request.method == "POST" else page_reply("<h1>No</h1>", status)

    return arrive


def cors(request: Request, body: bytes, number: int) -> Reply | None:
    """Answer HEAD and OPTIONS in the deployment's place, as gateways for browsers do."""
    allowed = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "POST, OPTIONS"}
    return empty_reply(200, headers=allowed) if request.method in ("HEAD", "OPTIONS") else None


def small_bodies(request: Request, body: bytes, number: int) -> Reply | None:
    """Refuse bodies over 64 KiB with 413."""
    return page_reply("<h1>413</h1>", 413) if len(body) > 65_536 else None


def with_charset(status: int, headers: Headers, request: Request) -> Headers:
    """Return the headers with a charset after the media type of JSON."""
    if headers.get("content-type") != "application/json":
        return headers
    return {**headers, "content-type": "application/json; charset=utf-8"}


def http_date() -> str:
    """Return the date of a second from now."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 1))


def zipped(app: Asgi) -> Asgi:
    """Return an application whose answers are compressed, streams too, each piece as it comes."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if b"gzip" not in dict(scope.get("headers", [])).get(b"accept-encoding", b""):
            await app(scope, receive, send)
            return
        squeeze = zlib.compressobj(wbits=31)

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [header for header in message["headers"] if header[0] != b"content-length"]
                await send({**message, "headers": [*kept, (b"content-encoding", b"gzip")]})
                return
            more = message.get("more_body", False)
            body = squeeze.compress(message.get("body", b"")) + squeeze.flush(
                zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH
            )
            await send({**message, "body": body})

        await app(scope, receive, sent)

    return wrapped


LATER = (
    *("stream_options", "tools", "tool_choice", "top_p", "top_k"),
    *("frequency_penalty", "presence_penalty", "max_completion_tokens", "response_format"),
)
VARIANTS = (
    Variant("token-401", "Asks for a token, and refuses with 401.", replace(PLAIN, token=TOKEN)),
    Variant("token-403", "Asks for a token, and refuses with 403.", replace(PLAIN, token=TOKEN, refuse=forbidden)),
    Variant(
        "token-by-gateway", "Asks for a token, and refuses with a page.", replace(PLAIN, token=TOKEN, refuse=by_page)
    ),
    Variant("slow", "Thinks before it answers, and between tokens.", replace(PLAIN, wrap=slowly(0.05), pause=0.002)),
    Variant("cold-gateway", "Answers 502 until its model is loaded.", replace(PLAIN, arrive=cold_gateway)),
    Variant("cold-model", "Answers with empty content until its model is loaded.", replace(PLAIN, answer=cold_model)),
    Variant("gzip", "Compresses its answers, streams too.", replace(PLAIN, wrap=zipped)),
    Variant("http2", "Speaks HTTP/2 over TLS, on another server.", replace(PLAIN, server="granian")),
    Variant("connection-close", "Closes the connection after each answer.", replace(PLAIN, leave=closing)),
    Variant(
        "rate-limited",
        "Answers 429 with `Retry-After` in seconds now and then.",
        replace(PLAIN, arrive=limited(lambda: "1")),
    ),
    Variant(
        "rate-limited-until",
        "Answers 429 with `Retry-After` as a date now and then.",
        replace(PLAIN, arrive=limited(http_date, 40)),
    ),
    Variant(
        "9.0-refusing",
        "A 9.0 server that refuses fields of later versions as unlisted.",
        replace(PLAIN, fields=without(*LATER), extra="forbid"),
    ),
    Variant(
        "9.0-ignoring",
        "A 9.0 server that ignores fields of later versions.",
        replace(PLAIN, fields=without(*LATER)),
    ),
    Variant("methods-404", "Answers 404 to other methods.", replace(PLAIN, arrive=methods(404))),
    Variant("methods-403", "Answers 403 to other methods.", replace(PLAIN, arrive=methods(403))),
    Variant("methods-501", "Answers 501 to other methods.", replace(PLAIN, arrive=methods(501))),
    Variant("methods-by-gateway", "Its gateway answers HEAD and OPTIONS.", replace(PLAIN, arrive=cors)),
    Variant("small-bodies", "Refuses bodies over 64 KiB with 413.", replace(PLAIN, arrive=small_bodies)),
    Variant("charset", "Names a charset beside its media type.", replace(PLAIN, leave=with_charset)),
)
