"""Replies that a fault sends instead of the operation's: nothing is stored."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

import orjson

from agent_contract.messages import JSON_TYPE, Reply

#: What the real service answers while its model server starts. Source: seen on deployments.
_COLD = [
    {
        "type": "agent_completion_failed",
        "loc": ["body"],
        "msg": "Error interacting with GenAI services",
        "error_code": "AGENT_COMPLETION_FAILED",
    }
]
_HTML = b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center><hr>gateway</body></html>"
#: A parameter of a status, and the header that it sets.
_HEADERS: Mapping[str, str] = {
    "retry_after": "retry-after",
    "retry_after_ms": "retry-after-ms",
    "should_retry": "x-should-retry",
    "limit_requests": "x-ratelimit-limit-requests",
    "remaining_requests": "x-ratelimit-remaining-requests",
    "reset_requests": "x-ratelimit-reset-requests",
    "limit_tokens": "x-ratelimit-limit-tokens",
    "remaining_tokens": "x-ratelimit-remaining-tokens",
    "reset_tokens": "x-ratelimit-reset-tokens",
}


def status_reply(status: int, why: str, given: Mapping[str, Any]) -> Reply:
    """Return an error with a body like the framework's; `given` holds `detail` and the values of headers."""
    headers = dict(JSON_TYPE)
    for name, header in _HEADERS.items():
        value = given.get(name)
        if value is not None:
            headers[header] = str(value).lower() if isinstance(value, bool) else str(value)
    if given.get("retry_after_date") is not None:
        # A client compares it with its own clock, which shows real time.
        headers["retry-after"] = formatdate(math.ceil(time.time() + given["retry_after_date"]), usegmt=True)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return _json(status, given.get("detail") or why, headers)


def cold_start(given: Mapping[str, Any]) -> Reply:  # noqa: ARG001 - the parameters of every fault
    """Return the 502 of a service whose model server does not answer."""
    return _json(502, _COLD)


def session_forgotten(given: Mapping[str, Any]) -> Reply:  # noqa: ARG001
    """Return the 404 for an unknown session."""
    return _json(404, "No session found with the specified ID: it has expired, or the server has lost it.")


def still_linked(given: Mapping[str, Any]) -> Reply:  # noqa: ARG001
    """Return the 409 to a deletion."""
    return _json(409, "It can't be deleted: something is still linked to it.")


def refused(given: Mapping[str, Any]) -> Reply:  # noqa: ARG001
    """Return the reply in the journal for a connection that is refused."""
    return Reply(503, {}, b"")


def agent_creation_failed(given: Mapping[str, Any]) -> Reply:  # noqa: ARG001
    """Return the 500 of an agent that can't be created."""
    return _json(500, "Internal Server Error")


def gateway_page(given: Mapping[str, Any]) -> Reply:
    """Return the HTML page of a gateway."""
    status = int(given["status"])
    return Reply(status, {"content-type": "text/html"}, _HTML % (status, status))


def _json(status: int, detail: object, headers: Mapping[str, str] = JSON_TYPE) -> Reply:
    return Reply(status, headers, orjson.dumps({"detail": detail}))
