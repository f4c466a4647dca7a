"""Sends callbacks and webhooks: after the reply that triggers one, or on command, to allowed hosts only."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from urllib.parse import urlsplit

import orjson

from agent_contract.messages import Exchange, Request
from mockserver.control.callbacks import SEND
from mockserver.core.outcome import Rejection
from mockserver.documented.callbacks import Prepared, prepare, triggered
from mockserver.engine import Engine
from mockserver.server.served import Served, ServedWrapper

_TIMEOUT = 10.0
_THREADS = 4


def send(prepared: Prepared) -> str:
    """Send a callback and return what came: a status, or why nothing did. Redirections are not followed."""
    parts = urlsplit(prepared.url)
    host, port = parts.hostname or "", parts.port
    try:
        connection = (
            http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=ssl.create_default_context())
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
        )
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {**prepared.headers, "user-agent": "agent-contract"}
            connection.request(prepared.method, target, prepared.body, headers)
            return str(connection.getresponse().status)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"failed: {error or type(error).__name__}"


@dataclass(slots=True)
class CallbackSender(ServedWrapper):
    """What is served, with its callbacks sent after its replies.

    `current` returns the engine that answers. `say` gets a line for each callback that was sent or may not be.
    """

    engine: Served
    current: Callable[[], Engine]
    say: Callable[[str], None]
    send: Callable[[Prepared], str] = send
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "callback"))
    _closed: Event = field(default_factory=Event)

    def handle(self, request: Request) -> Exchange:
        """Return the exchange of a request, and send its callbacks in a thread."""
        exchange = self.engine.handle(request)
        if exchange.operation == SEND and exchange.reply.status == 202:
            self._start(_commanded(exchange))
        else:
            self._call_back(exchange)
        return exchange

    def close(self) -> None:
        """Close the store; what is not sent yet never is."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.engine.close()

    def _call_back(self, exchange: Exchange) -> None:
        engine = self.current()
        options = engine.config.play
        for callback, url in triggered(engine.contract, exchange):
            try:
                hosts, delay, seed = options.callback_hosts, options.callback_delay, engine.ids.seed
                self._start(prepare(engine.contract, callback, url, hosts, seed=seed, delay=delay))
            except Rejection as refused:
                self.say(f"callback {callback.name} was not sent: {refused.why}")

    def _start(self, prepared: Prepared) -> None:
        self._threads.submit(self._send, prepared)

    def _send(self, prepared: Prepared) -> None:
        if not self._closed.wait(prepared.delay):
            self.say(f"callback {prepared.name}: {prepared.method} {prepared.url} {self.send(prepared)}")


def _commanded(exchange: Exchange) -> Prepared:
    """Return what a reply of the control interface describes."""
    value = orjson.loads(exchange.reply.content())
    headers = {"content-type": value["content_type"]} if value["content_type"] else {}
    return Prepared(value["name"], value["method"], value["url"], headers, value["body"].encode(), value["delay"])
