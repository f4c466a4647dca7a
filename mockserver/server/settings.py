"""How a server serves, whatever it serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mockserver.server.connection_limits import ConnectionLimits

if TYPE_CHECKING:
    import ssl

#: Seconds that replies which are being sent may still take when the server is stopped.
DRAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of a server; `banner` is printed when it accepts connections. Without `tls` it speaks plain HTTP."""

    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    log_level: str = "info"
    banner: str = ""
    tls: ssl.SSLContext | None = None
    drain_seconds: float = DRAIN_SECONDS
