"""Plays the contract: a mock server, in a process of its own, in a thread, or without a port.

`MockServer` is a running server for tests, `MockTransport` a transport for httpx, `Httpx2Transport` one for httpx2,
`load_engine` returns what they all play.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.adapters.httpx2_transport import Httpx2Transport
    from mockserver.adapters.httpx_transport import MockTransport
    from mockserver.adapters.threaded_server import MockServer
    from mockserver.build import load_engine
    from mockserver.engine import Engine
    from mockserver.generation.latency import Pace

__all__ = ["Engine", "Httpx2Transport", "MockServer", "MockTransport", "Pace", "load_engine"]

# Imported when asked for: a server needs no HTTP client, a transport no server.
_HOMES = {
    "Engine": "engine",
    "Httpx2Transport": "adapters.httpx2_transport",
    "MockServer": "adapters.threaded_server",
    "MockTransport": "adapters.httpx_transport",
    "Pace": "generation.latency",
    "load_engine": "build",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mockserver' has no attribute {name!r}")
    return getattr(import_module(f"mockserver.{_HOMES[name]}"), name)
