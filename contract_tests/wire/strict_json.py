"""JSON as RFC 8259 has it: Python's parser also takes NaN and Infinity, which no other language's does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from agent_contract.messages import JSON


def loads(text: str | bytes) -> JSON:
    """Return the value of a JSON text; raises ValueError or RecursionError for what is not JSON."""
    value: JSON = json.loads(text, parse_constant=_refuse)
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
