"""The mock server of the contract: as a process, in a thread, or in memory without a port.

`MockServer` runs a server in a thread, for tests. `MockTransport` and `Httpx2Transport` are transports for httpx and
httpx2. `load_engine` returns the engine that each of them serves. `load_exchange` reads a fixture.
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
    from mockserver.fixtures.load import load_exchange, load_exchanges
    from mockserver.generation.latency import Pace

__all__ = [
    "Engine",
    "Httpx2Transport",
    "MockServer",
    "MockTransport",
    "Pace",
    "load_engine",
    "load_exchange",
    "load_exchanges",
]

# Imported lazily: a server doesn't need an HTTP client, a transport doesn't need a server.
_MODULES = {
    "Engine": "engine",
    "Httpx2Transport": "adapters.httpx2_transport",
    "MockServer": "adapters.threaded_server",
    "MockTransport": "adapters.httpx_transport",
    "Pace": "generation.latency",
    "load_engine": "build",
    "load_exchange": "fixtures.load",
    "load_exchanges": "fixtures.load",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'mockserver' has no attribute {name!r}")
    return getattr(import_module(f"mockserver.{_MODULES[name]}"), name)
