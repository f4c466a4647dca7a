"""Serves the proxy at a listening socket, on the same server as the mock."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agent_contract import load_contract
from agent_contract.messages import Exchange
from mockserver.adapters.disconnect import DRAINED
from mockserver.build import create_engine, own_contract
from mockserver.config import Config
from mockserver.core.limits import Limits
from mockserver.engine import Engine
from mockserver.proxy.app import Enforce, Proxy, create_proxy
from mockserver.proxy.recorder import Recorder
from mockserver.proxy.upstream import Upstream
from mockserver.server.access_log import RequestLog
from mockserver.server.connection import ConnectionSettings
from mockserver.server.connection_limits import ConnectionLimits
from mockserver.server.http_server import run

#: Maximum number of bytes of a request: images in messages are larger than what the mock reads.
MOST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """Settings of a proxy; without a `folder` nothing is recorded. `redact` are names whose values are secrets."""

    enforce: Enforce = Enforce.NONE
    folder: Path | None = None
    redact: tuple[str, ...] = ()


def proxy_engine(
    spec: Path | None = None,
    api_version: str = "",
    *,
    control: bool = True,
    control_token: str | None = None,
    allowed_hosts: Iterable[str] = (),
    most_body: int = MOST_BODY,
) -> Engine:
    """Return the engine that has the contract, keeps the journal, and serves the control interface of a proxy.

    A request may have a body of `most_body` bytes. Raises `ContractError`.
    """
    contract = load_contract(spec, api_version) if spec else own_contract(api_version)
    config = Config(
        control=control,
        control_tokens=(control_token,) if control_token else (),
        allowed_hosts=tuple(allowed_hosts),
        limits=Limits(body=most_body),
    )
    return create_engine(contract, config, behaviours={})


def serve_proxy(
    engine: Engine,
    upstream: Upstream,
    settings: ProxySettings,
    listening: socket.socket,
    limits: ConnectionLimits,
    log_level: str,
    banner: str,
) -> None:
    """Serve until the process is stopped, then write what is still to be recorded."""
    with closing(engine), closing(RequestLog(log_level)) as log:
        recorder = Recorder(settings.folder, engine.redaction, log.say, settings.redact) if settings.folder else None

        def report(exchange: Exchange) -> None:
            log.add(exchange, 0.0, engine.redaction)
            engine.record(exchange)

        # A client that closes has left: the upstream must not work for it.
        most = (DRAINED + 1) * engine.limits.body
        connection = ConnectionSettings(limits, most, report, answers_half_closed=False)
        app = create_proxy(Proxy(engine, upstream, log, settings.enforce, recorder))
        try:
            run(app, listening, connection, log.say, lambda: log.say(banner), on_stop=upstream.close)
        finally:
            if recorder is not None:
                recorder.close()
