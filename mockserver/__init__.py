"""Plays the contract: a mock server, in a process of its own, in a thread, or without a port.

`MockServer` is a running server for tests, `MockTransport` an httpx transport, `load_engine` what both play.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.engine import Engine
    from mockserver.loading import load_engine
    from mockserver.pace import Pace
    from mockserver.threaded import MockServer
    from mockserver.transport import MockTransport

__all__ = ["Engine", "MockServer", "MockTransport", "Pace", "load_engine"]

# Imported when asked for: a server needs no HTTP client, a transport no server.
_HOMES = {
    "Engine": "engine",
    "MockServer": "threaded",
    "MockTransport": "transport",
    "Pace": "pace",
    "load_engine": "loading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mockserver' has no attribute {name!r}")
    return getattr(import_module(f"mockserver.{_HOMES[name]}"), name)
