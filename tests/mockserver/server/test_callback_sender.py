"""Callbacks and webhooks are sent after a reply, or on command, to allowed hosts only."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from mockserver.documented.callbacks import Prepared, triggered
from mockserver.engine import Engine
from mockserver.server.callback_sender import CallbackSender, send
from tests.mockserver.documented.support.played import document, play, value
from tests.mockserver.documented.support.played import send as ask

EVENT = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 7, "maximum": 7}}}


def request_of(content: Any) -> dict[str, Any]:
    """Return a path item whose POST has a body of JSON."""
    responses = {"200": {"description": "received"}}
    return {"post": {"requestBody": {"content": {"application/json": content}}, "responses": responses}}


DOCUMENT = document(
    {
        "/orders": {
            "post": {
                "operationId": "order",
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {"201": {"description": "ordered"}},
                "callbacks": {"shipped": {"{$request.body#/hook}/orders": request_of({"schema": EVENT})}},
            }
        }
    },
    webhooks={"restocked": request_of({"example": {"id": 3}})},
)
HOST = {"Host": "localhost"}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return play(tmp_path, DOCUMENT, callback_hosts=("hooks.example", "127.0.0.1:9000"))


def calling_back(engine: Engine) -> tuple[Any, Queue[str], Queue[Prepared]]:
    """Return what serves an engine, the lines that it says, and the callbacks that it sends."""
    said: Queue[str] = Queue()
    sent: Queue[Prepared] = Queue()

    def note(prepared: Prepared) -> str:
        sent.put(prepared)
        return "200"

    return CallbackSender(engine, lambda: engine, said.put, note), said, sent


def test_a_callback_is_sent_after_the_reply_that_triggers_it(engine: Engine) -> None:
    served, said, sent = calling_back(engine)

    with closing(served):
        exchange = ask(served, "POST", "/orders", {"hook": "http://hooks.example/x"})
        prepared = sent.get(timeout=5)

        assert exchange.reply.status == 201
        assert (prepared.name, prepared.method, prepared.url) == ("shipped", "POST", "http://hooks.example/x/orders")
        assert json.loads(prepared.body) == {"id": 7}
        assert said.get(timeout=5) == "callback shipped: POST http://hooks.example/x/orders 200"


def test_a_callback_to_a_host_that_is_not_allowed_is_not_sent(engine: Engine) -> None:
    served, said, sent = calling_back(engine)

    with closing(served):
        ask(served, "POST", "/orders", {"hook": "http://169.254.169.254/x"})

        assert "Nothing is sent to 169.254.169.254" in said.get(timeout=5)
        assert sent.empty()


def test_a_request_that_names_no_url_triggers_nothing(engine: Engine) -> None:
    assert list(triggered(engine.contract, ask(engine, "POST", "/orders", {}))) == []


def test_a_webhook_is_sent_on_command(engine: Engine) -> None:
    served, _, sent = calling_back(engine)

    with closing(served):
        command = {"name": "restocked", "url": "http://127.0.0.1:9000/hook"}
        exchange = ask(served, "POST", "/__mock__/callbacks", command, HOST)
        assert exchange.reply.status == 202
        assert json.loads(sent.get(timeout=5).body) == {"id": 3}

        ask(served, "POST", "/__mock__/callbacks", {**command, "body": {"id": 9}}, HOST)
        assert json.loads(sent.get(timeout=5).body) == {"id": 9}


@pytest.mark.parametrize(
    ("command", "status", "reason"),
    [
        ({"name": "restocked", "url": "http://127.0.0.1:1/"}, 400, "--callback-host 127.0.0.1"),
        ({"name": "restocked", "url": "file:///etc/passwd"}, 400, "is not a URL"),
        ({"name": "restocked", "url": "http://me@hooks.example/"}, 400, "is not a URL"),
        ({"name": "restocked", "url": "http://hooks.example.evil/"}, 400, "is not allowed"),
        ({"name": "none", "url": "http://hooks.example/"}, 404, "Documented: shipped, restocked."),
        ({"name": "restocked"}, 422, "url"),
    ],
)
def test_a_wrong_command_is_refused_with_the_reason(
    engine: Engine, command: dict[str, str], status: int, reason: str
) -> None:
    exchange = ask(engine, "POST", "/__mock__/callbacks", command, HOST)

    assert exchange.reply.status == status
    assert reason in exchange.reply.content().decode()


def test_callbacks_and_webhooks_are_listed(engine: Engine) -> None:
    listed = value(ask(engine, "GET", "/__mock__/callbacks", headers=HOST))["callbacks"]

    assert [(one["name"], one["operation"]) for one in listed] == [("shipped", "order"), ("restocked", None)]


def test_a_callback_is_sent_over_http() -> None:
    with listening() as (url, received):
        answer = send(Prepared("a", "POST", f"{url}/hook?x=1", {"content-type": "application/json"}, b"{}"))

        assert answer == "202"
        assert received.get(timeout=5) == ("POST", "/hook?x=1", "application/json", b"{}")
    assert send(Prepared("a", "POST", url, {}, b"")).startswith("failed: ")


@contextmanager
def listening() -> Iterator[tuple[str, Queue[Any]]]:
    """Yield the URL of a server that answers 202, and what it receives."""
    received: Queue[Any] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.put((self.command, self.path, self.headers["content-type"], body))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
