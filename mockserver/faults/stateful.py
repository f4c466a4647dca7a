"""Faults that depend on earlier requests: quotas, a queue, and tokens that expire.

Each is a pure function from its state and a request to the next state; a scope keeps the state in its store.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import orjson

from agent_contract.messages import Reply
from mockserver.faults.error_replies import status_reply
from mockserver.generation.tokenizer import count_tokens

Given = Mapping[str, Any]
#: Tokens of clients that `token-expired` remembers.
_MOST_TOKENS = 100
#: Requests of a quota without limits.
_REQUESTS = 10


class Sent(NamedTuple):
    """What decides whether a fault applies: of a request the operation, the parsed body, the headers and the size in
    bytes of its body; and the reply, if any.
    """

    operation: str
    body: Any
    reply: Reply | None = None
    headers: Mapping[str, str] = {}
    size: int = 0


class Decision(NamedTuple):
    """The next state of a fault, and what it does to a request: a reply instead of the operation's, or a delay."""

    state: Any
    reply: Reply | None = None
    delay: float = 0.0


#: Returns the next state of a fault and what it does, from its state, its parameters, a request and the time.
Decide: TypeAlias = Callable[[Any, Given, Sent, float], Decision]
#: Returns the next state of a fault, and headers for the reply; called with the reply.
Settle: TypeAlias = Callable[[Any, Given, Sent, float], tuple[Any, Mapping[str, str]]]


def count_request(state: Any, given: Given, sent: Sent, now: float) -> Decision:  # noqa: ARG001
    """Count a request in the window of a quota; refuse it if the requests or the tokens of the window are used up."""
    window = state if state and now < state["end"] else {"end": now + given["window"], "requests": 0, "tokens": 0}
    limits = _limits(given)
    for what, limit in limits.items():
        if window[what] >= limit:
            why = f"The limit of {limit} {what} in {given['window']:g} s is reached."
            headers = _rate_headers(window, limits, now)
            wait = {"retry_after": math.ceil(window["end"] - now)}
            reply = status_reply(429, why, wait)
            return Decision(window, Reply(reply.status, {**reply.headers, **headers}, reply.body))
    return Decision({**window, "requests": window["requests"] + 1})


def count_tokens_of_reply(state: Any, given: Given, sent: Sent, now: float) -> tuple[Any, Mapping[str, str]]:
    """Add the tokens of a reply to the window of a quota; return the window, and the headers of the reply."""
    window = {**state, "tokens": state["tokens"] + _tokens(sent)}
    return window, _rate_headers(window, _limits(given), now)


def _limits(given: Given) -> dict[str, int]:
    limits = {what: given[what] for what in ("requests", "tokens") if given[what] is not None}
    return limits or {"requests": _REQUESTS}


def _rate_headers(window: Mapping[str, Any], limits: Mapping[str, int], now: float) -> dict[str, str]:
    """Return what is left of a window, in the headers that OpenAI's API uses."""
    headers = {}
    for what, limit in limits.items():
        headers[f"x-ratelimit-limit-{what}"] = str(limit)
        headers[f"x-ratelimit-remaining-{what}"] = str(max(0, limit - window[what]))
        headers[f"x-ratelimit-reset-{what}"] = f"{max(0, math.ceil(window['end'] - now))}s"
    return headers


def join_queue(state: Any, given: Given, sent: Sent, now: float) -> Decision:  # noqa: ARG001
    """Let a request wait until a slot is free, and then take its time; refuse it if the queue is full.

    The state holds the time when each request ends.
    """
    ends = sorted(end for end in state or () if end > now)
    waiting = len(ends) - given["slots"]
    if waiting >= given["length"]:
        wait = {"retry_after": math.ceil(ends[0] - now)}
        return Decision(ends, status_reply(503, f"The queue is full: {waiting} requests wait.", wait))
    end = (ends[waiting] if waiting >= 0 else now) + given["seconds"]
    return Decision([*ends, end], delay=end - now)


def expire_token(state: Any, given: Given, sent: Sent, now: float) -> Decision:
    """Refuse a token that was used often enough, or for long enough; another token is accepted."""
    token = hashlib.blake2b(sent.headers.get("authorization", "").encode(), digest_size=12).hexdigest()
    known = dict(state or {})
    first, uses = known.pop(token, (now, 0))
    known = dict([*known.items()][-_MOST_TOKENS + 1 :]) | {token: (first, uses + 1)}
    requests, seconds = given["requests"], given["seconds"]
    if requests is None and seconds is None:
        requests = 1
    is_old = seconds is not None and now - first >= seconds
    if not is_old and (requests is None or uses < requests):
        return Decision(known)
    reply = status_reply(401, "The access token has expired.", {})
    challenge = 'Bearer error="invalid_token", error_description="The access token has expired"'
    return Decision(known, Reply(reply.status, {**reply.headers, "www-authenticate": challenge}, reply.body))


def _tokens(sent: Sent) -> int:
    """Return the tokens that a reply used: its `usage`, otherwise an estimate from the messages and the events."""
    reply = sent.reply
    if reply is None:
        return 0
    parts = [reply.body] if isinstance(reply.body, bytes) else [event.data for event in reply.body]
    used = [usage.get("total_tokens") or 0 for usage in _usages(parts)]
    if used or not isinstance(sent.body, dict):
        return max(used, default=0)
    return len(parts) + count_tokens(str(sent.body.get("messages") or sent.body.get("prompt") or ""))


def _usages(parts: list[bytes]) -> Iterator[Mapping[str, Any]]:
    for part in parts:
        try:
            value = orjson.loads(part)
        except ValueError:
            continue
        usage = value.get("usage") if isinstance(value, dict) else None
        if isinstance(usage, dict):
            yield usage
