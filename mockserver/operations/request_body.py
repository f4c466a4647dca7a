"""The body of a request as an operation reads it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from agent_contract import Call

#: A field that OpenAI's clients send with `tools`. The document does not describe it, but the mock follows it.
_WITH_TOOLS = {"parallel_tool_calls"}


def body_of(call: Call) -> dict[str, Any]:
    """Return the body, which is an object, without the fields that the schema does not list."""
    body: dict[str, Any] = call.body  # type: ignore[assignment]  # checked by the schema
    listed = _read_fields(call.operation.request_fields)
    if not listed or body.keys() <= listed:
        return body
    return {name: value for name, value in body.items() if name in listed}


@lru_cache(maxsize=64)
def _read_fields(listed: frozenset[str]) -> frozenset[str]:
    return listed | _WITH_TOOLS if "tools" in listed else listed
