"""The engine: a request in, its reply out. It runs what operations do, and knows nothing of chats."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import orjson

from agent_contract import Call, Contract, Found, NotAllowed
from agent_contract.messages import Exchange, Reply, Request
from agent_contract.redaction import Redaction, redaction_of
from mockserver import control
from mockserver.config import Config
from mockserver.control.origin import foreign
from mockserver.core.behaviour import Behaviour, Limits, Refused, Setting, Turn, View
from mockserver.core.ids import Turns
from mockserver.core.scopes import Worlds, beginning, misnamed, name_of
from mockserver.gateway import cors
from mockserver.gateway.gateway import Service
from mockserver.generation.latency import Pace
from mockserver.generation.retrieval import KnowledgeIndex, search_indexes
from mockserver.operations.table import BEHAVIOURS
from mockserver.recording.journal import Journal, noted_of, read, shown
from mockserver.resources import agents
from mockserver.resources.models import with_agents_own
from mockserver.stores import Conflict, MemoryStore, Store, StoreUnavailable

_NO_LENGTH = frozenset({204, 304})


class Player(Protocol):
    """What an adapter plays: an `Engine`, or something around one."""

    @property
    def limits(self) -> Limits:
        """What one request may cost; no more than `limits.body` bytes of a body and one are read."""

    @property
    def blocking(self) -> bool:
        """Whether a reply may have to wait for a disk or a network; an event loop asks for it in a thread then."""

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request; never raises."""


@dataclass(slots=True)
class Engine:
    """Plays a contract: the same contract, configuration, seed, clock and order of requests give the same bytes.

    `clock` returns seconds since 1970; `journal` is given every exchange after its reply is made.
    """

    contract: Contract
    config: Config = field(default_factory=Config)
    seed: int = 0
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], float] = time.time
    store: Store | None = None
    journal: Callable[[Exchange], None] | None = None
    behaviours: Mapping[str, Behaviour] = field(default_factory=lambda: BEHAVIOURS)
    _setting: Setting = field(init=False)
    _store: Store = field(init=False)
    _turns: Turns = field(init=False)
    _api: Service = field(init=False)
    _own: Service = field(init=False)
    _worlds: Worlds = field(init=False)
    _journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        config, every = self.config, agents.each(self.config.agents)
        own = [KnowledgeIndex(agent.id, agent.name, agent.documents) for agent in every if agent.documents]
        models, indexes = with_agents_own(config.models, every), search_indexes([*config.indexes, *own])
        seed = str(self.seed).encode()
        self._setting = Setting(config.agents, config.limits, self.pace, seed, models, indexes)
        self._store = self.store or MemoryStore(self.limits.sessions, self.limits.store, self.clock)
        self._turns = Turns(self.seed, self.clock, self._store)
        self._api = Service(self.contract, self.behaviours, config.tokens, most=self.limits.body, seed=self.seed)
        self._own = control.service(self.contract, config)
        self._worlds = Worlds(self._store, self.limits.worlds, self.clock)
        self._journal = Journal(self._store, self.limits.journal, self.redaction)

    @property
    def limits(self) -> Limits:
        """What one request may cost; an adapter reads no more than `limits.body` bytes and one."""
        return self.config.limits

    @property
    def redaction(self) -> Redaction:
        """What hides the server's tokens in all that is kept or shown."""
        return redaction_of((*self.config.tokens, *self.config.control_tokens))

    @property
    def blocking(self) -> bool:
        """Whether a reply may have to wait for the store."""
        return self._store.blocking

    def close(self) -> None:
        """Give back what the store holds of the machine."""
        self._store.close()

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request, and tell the journal of both."""
        exchange = self.play(request)
        if self.journal:
            self.journal(exchange)
        return exchange.reply

    def requests(self, scope: str = "") -> list[dict[str, Any]]:
        """Return what a world was asked and answered, newest first, each as `/__mock__/requests` shows it."""
        entries = read(View(self._store, beginning(scope)))
        found: list[dict[str, Any]] = orjson.loads(orjson.dumps([shown(*entry) for entry in entries]))
        return found

    def reset(self) -> None:
        """Forget what was created, changed, said and asked, in every world."""
        View(self._store, "").commit(control.RESET)
        self._worlds.forget()

    def play(self, request: Request) -> Exchange:
        """Return a request with its reply, the clauses that a refusal rests on, and what was wrong; note it."""
        try:
            return self._play(request)
        except Exception as error:
            exchange = Exchange(request, internal_error(error))
            self.record(exchange)
            return exchange

    def record(self, exchange: Exchange) -> None:
        """Write into the journal an exchange that no operation answered: a bad request, or a failure of the engine."""
        with contextlib.suppress(StoreUnavailable):
            self._journal.write(beginning(""), exchange, noted_of(self.clock(), "", ()))

    def _play(self, request: Request) -> Exchange:
        if request.path.startswith(control.PREFIX):
            return self._look(request)
        found = self.contract.find(request.method, request.path)
        if isinstance(found, NotAllowed) and cors.is_preflight(request):
            return Exchange(request, cors.preflight(request, found.allow))
        stranger = self._api.unauthorized(request, found)
        # Who is not let in opens no world, and so can't push out one that is in use.
        world = "" if stranger or misnamed(request) else name_of(request)
        view = View(self._store, beginning(world))
        checked = self._api.check(request, found, stranger)
        if isinstance(checked, Call):
            checked = self._act(self._api, checked, view, self._turns.draw)
        exchange = replace(checked, reply=_finished(request, checked.reply, cors.headers(request)))
        self._note(exchange, found, world, view)
        return exchange

    def _look(self, request: Request) -> Exchange:
        """Return what the mock's own interface answers; no page of another origin may read it."""
        # HEAD is answered wherever GET is; `_finished` leaves the body out.
        method = "GET" if request.method == "HEAD" else request.method
        found = self._own.contract.find(method, request.path)
        always_open = isinstance(found, Found) and found.operation.id in self._own.open
        if not always_open and (why := foreign(request, self.config.allowed_hosts)):
            return self._own.refuse(request, None, Refused(403, "", why, ("header",)))
        checked = self._own.check(request, found, self._own.unauthorized(request, found))
        if isinstance(checked, Call):
            # It draws no ids: whether somebody looks must not change what the API answers.
            checked = self._act(self._own, checked, View(self._store, ""), lambda: Turn(self.clock(), "", "", b""))
        return replace(checked, reply=_finished(request, checked.reply, {}))

    def _act(self, service: Service, call: Call, view: View, draw: Callable[[], Turn]) -> Exchange:
        """Run the operation's behaviour, again whenever somebody else wrote meanwhile what it had read."""
        operation = call.operation
        behaviour = service.behaviours.get(operation.id)
        if behaviour is None:
            return Exchange(call.request, service.documented(operation), operation.id)
        try:
            while True:
                view.begin()
                outcome = behaviour(call, self._setting, draw(), view)
                if isinstance(outcome, Refused):
                    return service.refuse(call.request, operation, outcome)
                with contextlib.suppress(Conflict):
                    view.commit(outcome)
                    if outcome.cleared:
                        self._worlds.forget()
                    return Exchange(call.request, outcome.reply, operation.id)
        except StoreUnavailable as error:
            headers = {"retry-after": str(error.retry_after)}
            return service.refuse(call.request, operation, Refused(503, "", str(error), headers=headers))

    def _note(self, exchange: Exchange, found: Found | NotAllowed | None, world: str, view: View) -> None:
        """Write an exchange into the journal of its world."""
        if exchange.reply.status == 503:  # the store is gone: nobody shall wait for it twice
            return
        address = found.parameters.get("agent_id", "") if isinstance(found, Found) else ""
        agent = agents.id_of(self.config.agents, address) if address else ""
        noted = noted_of(self.clock(), agent, view.touched)
        with contextlib.suppress(StoreUnavailable):
            self._worlds.touch(world)
            self._journal.write(view.world, exchange, noted)


def internal_error(error: Exception) -> Reply:
    """Return the reply to a request that the engine failed on, which names the place in the code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    why = f"The mock failed, which is a fault of its own: {type(error).__name__} at {place}. Please report it."
    body = orjson.dumps({"detail": why})
    return Reply(500, {"content-type": "application/json", "content-length": str(len(body))}, body)


def _finished(request: Request, reply: Reply, more: Mapping[str, str]) -> Reply:
    """Return the reply with the headers of every reply and some more; without its body where HEAD asked for it."""
    headers = {**reply.headers, **more}
    body = reply.body
    if isinstance(body, bytes) and reply.status not in _NO_LENGTH:
        headers["content-length"] = str(len(body))
    return Reply(reply.status, headers, b"" if request.method == "HEAD" else body, reply.delay)
