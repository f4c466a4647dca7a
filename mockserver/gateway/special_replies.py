"""Replies that no operation makes, and what every reply gets before it is sent."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path

import orjson

from agent_contract.document.errors import ContractError
from agent_contract.messages import JSON_TYPE, Exchange, Reply, Request
from mockserver.core.live_reply import LiveReply
from mockserver.core.outcome import Rejection
from mockserver.faults.fault import FAULT_HEADER
from mockserver.stores import StoreUnavailable

_NO_LENGTH = frozenset({204, 304})


def unavailable(error: StoreUnavailable) -> Rejection:
    """Return the refusal of a request whose store is unavailable."""
    return Rejection(503, "", str(error), headers={"retry-after": str(error.retry_after)})


def wrong_fault(request: Request, error: ContractError) -> Rejection:
    """Return the rejection of a request whose header X-Mock-Fault is invalid."""
    return Rejection(400, "", str(error), ("header", FAULT_HEADER), None, request.headers[FAULT_HEADER])


def internal_error(error: Exception) -> Reply:
    """Return the 500 reply for an unexpected error; it names the line of code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown line"
    why = f"Internal error of the mock: {type(error).__name__} at {place}. Please report it."
    body = orjson.dumps({"detail": why})
    return Reply(500, {**JSON_TYPE, "content-length": str(len(body))}, body)


def finished(exchange: Exchange, headers: Mapping[str, str]) -> Exchange:
    """Return the exchange with `headers` and the length in its reply, and without a body if the method is HEAD."""
    reply = exchange.reply
    if isinstance(reply, LiveReply) and exchange.request.method != "HEAD":
        return exchange  # its length is unknown, and pages of other origins can't read it
    all_headers = {**reply.headers, **headers}
    body = reply.body
    if isinstance(body, bytes) and reply.status not in _NO_LENGTH:
        all_headers["content-length"] = str(len(body))
    sent = Reply(reply.status, all_headers, b"" if exchange.request.method == "HEAD" else body, reply.delay)
    return Exchange(
        exchange.request,
        sent,
        exchange.operation,
        exchange.clauses,
        exchange.violations,
        exchange.hints,
        exchange.rule,
        exchange.faults,
    )
