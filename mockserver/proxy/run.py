"""Serves the proxy at a listening socket, on the same server as the mock."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from agent_contract import load_contract
from agent_contract.messages import Exchange, Request
from mockserver.adapters.disconnect import DRAINED
from mockserver.build import create_engine, own_contract, scenario_of
from mockserver.config import Config
from mockserver.core.limits import Limits
from mockserver.engine import Engine
from mockserver.faults.catalogue import AnsweredBy
from mockserver.proxy.app import Proxy, create_proxy
from mockserver.proxy.passage import Enforce
from mockserver.proxy.recorder import ExchangeRecorder
from mockserver.proxy.upstream import Upstream
from mockserver.recording.replay import Replay
from mockserver.server.access_log import RequestLog
from mockserver.server.connection import ConnectionSettings
from mockserver.server.connection_limits import ConnectionLimits
from mockserver.server.http_server import run

#: Maximum number of bytes of a request: images in messages are larger than what the mock reads.
MOST_BODY = 64 * 1024 * 1024


class RecordMode(Enum):
    """What a proxy does with the recordings that its folder has at the start, by the names that VCR gave to these."""

    #: Replay them; refuse every other request.
    NONE = "none"
    #: Do as `none` if there are any; otherwise record.
    ONCE = "once"
    #: Replay them; pass every other request on, and record it.
    NEW_EPISODES = "new_episodes"
    #: Pass every request on, and record it in place of the recordings of the same request.
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """Settings of a proxy; without a `folder` nothing is recorded. `redact` are names whose values are secrets.

    `replay` has what the folder contained at the start.
    """

    enforce: Enforce = Enforce.NONE
    folder: Path | None = None
    redact: tuple[str, ...] = ()
    mode: RecordMode = RecordMode.ALL
    replay: Replay | None = None

    @property
    def replays(self) -> bool:
        """Whether requests are answered from recordings."""
        return self.mode in (RecordMode.NONE, RecordMode.NEW_EPISODES) or not self.records

    @property
    def records(self) -> bool:
        """Whether exchanges with the upstream are recorded, and the upstream is asked at all."""
        if self.mode is RecordMode.ONCE:
            return not self.replay
        return self.mode is not RecordMode.NONE


def connect_proxy(
    engine: Engine, upstream: Upstream, settings: ProxySettings, log: RequestLog, say: Callable[[str], None]
) -> Proxy:
    """Return the proxy of these settings; `say` is called with a line for each exchange that is not recorded."""
    recorder = None
    if settings.folder is not None and settings.records:
        replaces = settings.replay.names if settings.replay and settings.mode is RecordMode.ALL else no_names
        recorder = ExchangeRecorder(settings.folder, engine.redaction, say, settings.redact, replaces)
    replay = settings.replay if settings.replays else None
    return Proxy(engine, upstream, log, settings.enforce, recorder, replay, settings.records)


def no_names(_: Request) -> tuple[str, ...]:
    """Return no names: no recording is replaced."""
    return ()


def proxy_engine(
    spec: Path | None = None,
    api_version: str = "",
    *,
    control: bool = True,
    control_token: str | None = None,
    allowed_hosts: Iterable[str] = (),
    most_body: int = MOST_BODY,
    scenario: Path | None = None,
    faults: Iterable[str] = (),
    replays: bool = False,
) -> Engine:
    """Return the engine that has the contract, keeps the journal, and serves the control interface of a proxy.

    A request may have a body of `most_body` bytes. The rules of the file `scenario` and the `faults` must work in a
    proxy, and in a replay if it `replays`. Raises `ContractError`.
    """
    contract = load_contract(spec, api_version, strict=False) if spec else own_contract(api_version)
    config = Config(
        control=control,
        control_tokens=(control_token,) if control_token else (),
        allowed_hosts=tuple(allowed_hosts),
        limits=Limits(body=most_body),
    )
    config = replace(config, scenario=scenario_of(contract, config, scenario, faults))
    answered_by = (AnsweredBy.PROXY, AnsweredBy.REPLAY) if replays else (AnsweredBy.PROXY,)
    return create_engine(contract, config, behaviours={}, answered_by=answered_by)


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
        proxy = connect_proxy(engine, upstream, settings, log, log.say)

        def report(exchange: Exchange) -> None:
            log.add(exchange, 0.0, engine.redaction)
            engine.record(exchange)

        # A client that closes has left: the upstream must not work for it.
        most = (DRAINED + 1) * engine.limits.largest_body
        connection = ConnectionSettings(limits, most, report, answers_half_closed=False)
        try:
            run(create_proxy(proxy), listening, connection, log.say, lambda: log.say(banner), on_stop=upstream.close)
        finally:
            if proxy.recorder is not None:
                proxy.recorder.close()
