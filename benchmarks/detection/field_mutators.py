"""Changes of the fields of requests, which pydantic reads."""

from collections.abc import Callable
from typing import Any

from benchmarks.detection.hooks import Fields


def typed(**changes: tuple[Any, Any]) -> Callable[[Fields], Fields]:
    """Return an edit that gives fields another type and default."""
    return lambda fields: {**fields, **changes}


def without(*names: str) -> Callable[[Fields], Fields]:
    """Return an edit that takes fields away."""
    return lambda fields: {name: kind for name, kind in fields.items() if name not in names}


def retyped(*kinds: str, **changes: tuple[Any, Any]) -> Callable[[str, Fields], Fields]:
    """Return an edit that gives fields of some kinds of request another type and default."""
    return lambda kind, fields: {**fields, **changes} if kind in kinds else fields
