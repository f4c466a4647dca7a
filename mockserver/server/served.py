"""What a server serves: an engine, several engines at prefixes of the path, or one that follows its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from agent_contract.document.errors import ContractError
from agent_contract.messages import Exchange, Reply, Request
from agent_contract.redaction import Redaction
from mockserver.build import with_store
from mockserver.core.limits import Limits
from mockserver.core.player import Backend, BackendWrapper, Effort
from mockserver.engine import Engine
from mockserver.recording.metrics import Metrics

#: Seconds between two looks at the files.
_PAUSE = 0.5


class Served(Backend, Protocol):
    """What `LoggedEngine` serves; `Engine` describes the members."""

    @property
    def redaction(self) -> Redaction:
        """Removes the server's tokens from everything that is shown."""

    @property
    def metrics(self) -> Metrics | None:
        """What counts exchanges, if anything does."""

    def handle(self, request: Request) -> Exchange:
        """Return the exchange of a request; never raises."""

    def handle_all(self, requests: Sequence[Request]) -> list[Exchange]:
        """Return the exchanges of several requests, in their order; never raises."""

    def close(self) -> None:
        """Close the store."""


class ServedWrapper(BackendWrapper):
    """Takes from `engine` what a wrapper around it does not change; the wrapper defines `handle`."""

    engine: Served

    @property
    def redaction(self) -> Redaction:
        """Removes the server's tokens from everything that is shown."""
        return self.engine.redaction

    @property
    def metrics(self) -> Metrics | None:
        """What counts exchanges, if anything does."""
        return self.engine.metrics

    def handle(self, request: Request) -> Exchange:
        """Return the exchange of a request."""
        return self.engine.handle(request)

    def handle_all(self, requests: Sequence[Request]) -> list[Exchange]:
        """Return the exchanges of several requests, in their order."""
        return [self.handle(request) for request in requests]

    def close(self) -> None:
        """Close the store."""
        self.engine.close()


@dataclass(frozen=True, slots=True)
class Mounts:
    """Engines by the prefix of their paths, such as `/billing`; the empty prefix is that of all other paths.

    An engine never sees its prefix. Everything of it is below the prefix, its control interface too.
    """

    engines: Mapping[str, Served]

    def _first(self) -> Served:
        return self.engines.get("") or next(iter(self.engines.values()))

    @property
    def limits(self) -> Limits:
        """What one request may cost."""
        return self._first().limits

    @property
    def blocking(self) -> bool:
        """Whether a reply may wait for a store."""
        return any(engine.blocking for engine in self.engines.values())

    @property
    def redaction(self) -> Redaction:
        """Removes the server's tokens from everything that is shown."""
        return self._first().redaction

    @property
    def metrics(self) -> Metrics | None:
        """What counts exchanges, if anything does."""
        return self._first().metrics

    def effort(self, request: Request) -> Effort:
        """Return what the reply to a request may take."""
        engine, inner, _ = self._reached(request)
        return engine.effort(inner)

    def handle(self, request: Request) -> Exchange:
        """Return the exchange of a request with the engine at its prefix."""
        engine, inner, prefix = self._reached(request)
        exchange = engine.handle(inner)
        return replace(exchange, request=request, reply=_located(exchange.reply, prefix)) if prefix else exchange

    def handle_all(self, requests: Sequence[Request]) -> list[Exchange]:
        """Return the exchanges of several requests, in their order."""
        return [self.handle(request) for request in requests]

    def record(self, exchange: Exchange) -> None:
        """Record an exchange that the server answered itself."""
        self._first().record(exchange)

    def close(self) -> None:
        """Close all stores."""
        for engine in self.engines.values():
            engine.close()

    def _reached(self, request: Request) -> tuple[Served, Request, str]:
        """Return the engine with the longest prefix of a request, the request without it, and the prefix."""
        reached = [prefix for prefix in self.engines if prefix and f"{request.path}/".startswith(f"{prefix}/")]
        if not reached:
            return self._first(), request, ""
        prefix = max(reached, key=len)
        path, raw_path = request.path[len(prefix) :] or "/", request.raw_path.removeprefix(prefix)
        return self.engines[prefix], replace(request, path=path, raw_path=raw_path), prefix


def _located(reply: Reply, prefix: str) -> Reply:
    """Return a reply whose location, if it is a path, has the prefix."""
    location = reply.headers.get("location", "")
    if not location.startswith("/"):
        return reply
    return replace(reply, headers={**reply.headers, "location": prefix + location})


@dataclass(slots=True)
class Following(ServedWrapper):
    """An engine that is built again when a file of its document changes; what is stored stays.

    `build` returns a new engine. If it raises ContractError or ValueError, `say` gets the message, and the engine stays
    as it is.
    """

    engine: Engine
    build: Callable[[], Engine]
    say: Callable[[str], None]
    more_files: tuple[Path, ...] = ()
    _seen: dict[Path, int] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = self._looked()

    def handle_all(self, requests: Sequence[Request]) -> list[Exchange]:
        """Return the exchanges of several requests, in their order."""
        return self.engine.handle_all(requests)

    def follow(self) -> bool:
        """Build the engine again if a file has changed; return whether a new one serves."""
        looked = self._looked()
        if looked == self._seen:
            return False
        self._seen = looked
        try:
            built = self.build()
        except (ContractError, ValueError) as error:
            self.say(f"The changed document can't be served; the one before it still is.\n{error}")
            return False
        store = self.engine.store
        self.engine = with_store(built, store)
        if built.store is not store:
            built.store.close()
        self._seen = self._looked()  # it may refer to other files now
        self.say(f"{built.contract.title} {built.contract.version} was changed and is served again.")
        return True

    def _looked(self) -> dict[Path, int]:
        """Return the time of the last change of each file; 0 for one that can't be read."""
        document = self.engine.contract.schemas.document
        files = [Path(document.name(file)) for file in document.files]
        return {file: _changed_at(file) for file in (*files, *self.more_files)}


def _changed_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def follow_in_background(following: list[Following]) -> None:
    """Look at the files in a thread, until the process ends."""

    def watch() -> None:
        never = Event()
        while not never.wait(_PAUSE):
            for one in following:
                one.follow()

    Thread(target=watch, name="watch", daemon=True).start()
