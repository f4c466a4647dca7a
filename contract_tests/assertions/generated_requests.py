"""Requests that schemathesis derives from the document: which, in what order, and what none of them may cost."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import chain, zip_longest
from typing import Any

import httpx
import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.schemas import BaseSchema

from agent_contract.messages import JSON
from contract_tests.deployment.payloads import MAX_TOKENS, plain
from contract_tests.wire.exchange import Exchange

#: In the place of the agent's id, which is not known yet when requests are generated.
AGENT = "the-agent"
#: No generated request asks for more choices, more messages, or has more characters.
MOST_CHOICES = 2
MOST_MESSAGES = 4
MOST_CHARACTERS = 2000
#: Random requests to generate for each one that may be sent: many are alike, or cost too much.
TRIES = 3
MOST_FUZZED = 600
_CONFIG: Mapping[str, Any] = {
    "seed": 0,
    "cache": {"enabled": False},
    "phases": {
        "examples": {"enabled": True},
        "coverage": {"enabled": True, "unexpected-methods": []},
        "fuzzing": {"enabled": False, "error-feedback": {"enabled": False}},
        "stateful": {"enabled": False},
    },
}


def schema(document: Mapping[str, Any], template: str) -> BaseSchema:
    """Return what schemathesis generates one operation's requests from.

    It is a copy of the document with one example, a plain request, and with a placeholder as the agent's id: the
    document's own examples speak of a mock's agents and of sessions that a deployment does not have.
    """
    copied = _without_extensions(copy.deepcopy(dict(document)))
    copied["servers"] = [{"url": "/"}]
    copied["paths"] = {template: copied["paths"][template]}
    for parameter in copied["components"]["parameters"].values():
        parameter |= {"example": AGENT, "schema": {"type": "string"}}
    for body in copied["components"]["requestBodies"].values():
        for content in body["content"].values():
            content["examples"] = {"plain": {"value": plain()}}
    config = schemathesis.Config.from_dict(dict(_CONFIG))
    return schemathesis.openapi.from_dict(copied, config=config)


def fuzzed(schema: BaseSchema, template: str, method: str, seed: int, number: int) -> list[Case[Any]]:
    """Return this number of random requests from one operation's schema, half of them valid, half of them not.

    The same seed gives the same requests.
    """
    found: list[Case[Any]] = []

    def gather(case: Case[Any]) -> None:
        found.append(case)

    for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
        strategy = schema[template][method].as_strategy(generation_mode=mode, path_parameters={"agent_id": AGENT})
        quick = settings(
            max_examples=max(number // 2, 1),
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        hypothesis.seed(seed)(quick(given(case=strategy)(gather)))()
    return found


def bodies(cases: Iterable[Case[Any]], unknown: frozenset[str] = frozenset()) -> Iterator[tuple[Case[Any], JSON]]:
    """Yield the cases to send, each with its body: each body once, and every field in its turn, numbers first.

    Left out are other methods, other agents and bodies that are not JSON, which have tests of their own; what could
    cost a real model dearly; and the fields in `unknown`, which a deployment's version does not have.
    """
    groups: dict[str, list[tuple[Case[Any], JSON]]] = {}
    seen: set[str] = set()
    for case in cases:
        if (
            case.method != "POST"
            or case.media_type != "application/json"
            or case.path_parameters != {"agent_id": AGENT}
        ):
            continue
        body = cheap(case.body)
        text = json.dumps(body, default=str)
        if text in seen or len(text) > MOST_CHARACTERS or (isinstance(body, dict) and unknown & body.keys()):
            continue
        seen.add(text)
        groups.setdefault(_group(body), []).append((case, body))
    ordered = [sorted(group, key=lambda pair: _rank(pair[1])) for _, group in sorted(groups.items())]
    yield from (pair for pair in chain.from_iterable(zip_longest(*ordered)) if pair is not None)


def cheap(body: Any) -> JSON:
    """Return the body without fields that make a real model work long or create a session."""
    if not isinstance(body, dict):
        return body if isinstance(body, None | bool | int | float | str | list) else None
    limited = {**body, "max_tokens": MAX_TOKENS if body.get("max_tokens") is None else body["max_tokens"]}
    for name, most in (("n", MOST_CHOICES), ("max_tokens", MAX_TOKENS), ("max_completion_tokens", MAX_TOKENS)):
        if isinstance(limited.get(name), int | float) and limited[name] > most:
            limited[name] = most
    for name in ("stream", "create_session"):
        if limited.get(name) is True:
            limited[name] = False
    if isinstance(limited.get("messages"), list):
        limited["messages"] = limited["messages"][:MOST_MESSAGES]
    return limited


def failures(case: Case[Any], exchange: Exchange, check: str) -> list[str]:
    """Return what a check of schemathesis, by its name, finds wrong with a reply."""
    request = httpx.Request(exchange.request.method, exchange.url, headers=dict(exchange.request.headers))
    kept = [
        (_bytes(name), _bytes(value))
        for name, value in exchange.headers
        if name not in ("content-encoding", "transfer-encoding")
    ]
    response = httpx.Response(exchange.status, headers=kept, content=exchange.body, request=request)
    response.elapsed = timedelta(0)
    try:
        case.validate_response(response, checks=[getattr(schemathesis.checks, check)])
    except BaseExceptionGroup as group:
        return [" ".join(f"{type(error).__name__}: {error}".split()) for error in group.exceptions]
    return []


def _group(body: JSON) -> str:
    """Return which fields a body is about: requests about each are sent in turn."""
    if not isinstance(body, dict):
        return ""
    return " ".join(sorted(name for name in body if body[name] != plain().get(name, plain)))


def _rank(body: JSON) -> int:
    """Return 0 for a body that differs from a plain one by a number: the number may be at a limit."""
    values = body.items() if isinstance(body, dict) else ()
    numbers = (isinstance(value, int | float) and value != plain().get(name) for name, value in values)
    return 0 if any(numbers) else 1


def _without_extensions(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _without_extensions(value) for name, value in part.items() if not str(name).startswith("x-")}
    if isinstance(part, list):
        return [_without_extensions(item) for item in part]
    return part


def _bytes(text: str) -> bytes:
    """Return a header's text as bytes: httpx takes ASCII alone as text."""
    return text.encode("utf-8", "surrogatepass")
