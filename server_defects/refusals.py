"""The refusals of a mock as the hooks see them, and requests that a lenient server would not refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import orjson

from agent_contract.messages import Exchange, Request
from server_defects.hooks import CHECKS, Check, Refusal, agent_exists, model_matches, roles_accepted

#: A part of a clause's name -> the kind of a refusal for which it is the reason.
_KINDS = {
    "agent-unknown": "agent",
    "model": "model",
    "role": "role",
    "session": "session",
    "token": "token",
    "tool": "tool",
    "response-format": "form",
    "bound": "bound",
}


def refusal_of(exchange: Exchange, payload: Any) -> Refusal | None:
    """Return the refusal in an exchange; None for another reply, and for one that no operation gave."""
    reply = exchange.reply
    if reply.status < 400 or (reply.status in (404, 405) and not exchange.clauses) or not isinstance(reply.body, bytes):
        return None
    try:
        detail = orjson.loads(reply.body)["detail"]
    except (ValueError, LookupError, TypeError):
        return None
    kind = "shape" if reply.status == 422 else _kind(exchange.clauses)
    headers = {name: value for name, value in reply.headers.items() if name not in ("content-type", "content-length")}
    return Refusal(kind, reply.status, detail, headers, payload, exchange.clauses) if kind else None


def _kind(clauses: tuple[str, ...]) -> str:
    for clause in clauses:
        family, _, name = clause.partition(".")
        if family == "models":  # a model that the path or the body of another operation names
            return "endpoint"
        for part, kind in _KINDS.items():
            if part in name:
                return kind
    return ""


def with_payload(request: Request, payload: Mapping[str, Any]) -> Request:
    """Return the request with another body of JSON."""
    body = json.dumps(payload).encode()
    more = {"content-type": "application/json", "content-length": str(len(body))}
    return replace(request, headers={**request.headers, **more}, body=body)


def _of_known_agent(request: Request, payload: Mapping[str, Any], agent: str) -> Request:
    return replace(request, path=re.sub(r"(/(?:agents|assistants)/)[^/]+", rf"\g<1>{agent}", request.path))


def _of_own_model(request: Request, payload: Mapping[str, Any], agent: str) -> Request:
    return with_payload(request, {name: value for name, value in payload.items() if name != "model"})


def _of_users(request: Request, payload: Mapping[str, Any], agent: str) -> Request:
    known = ("user", "assistant", "tool", "system")
    messages = [
        {**message, "role": message["role"] if message["role"] in known else "user"} for message in payload["messages"]
    ]
    return with_payload(request, {**payload, "messages": messages})


Repair = Callable[[Request, Mapping[str, Any], str], Request]
#: The check that a server leaves out, and the request that a mock accepts in the place of the one that it refuses.
REPAIRS: Mapping[Check, tuple[str, Repair]] = MappingProxyType(
    {
        agent_exists: ("agent", _of_known_agent),
        model_matches: ("model", _of_own_model),
        roles_accepted: ("role", _of_users),
    }
)


def repairs_of(checks: tuple[Check, ...]) -> Mapping[str, Repair]:
    """Return the repairs of requests that a server with these checks would not refuse, by the kind of the refusal."""
    return dict(repair for check, repair in REPAIRS.items() if check not in checks)


def added_to(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """Return the checks that a server has beyond the usual ones."""
    return tuple(check for check in checks if check not in CHECKS)
