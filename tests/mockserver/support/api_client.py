"""Shortcuts for all operations of an engine; every reply is checked against the contract."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from agent_contract import Found, check_reply
from agent_contract.messages import Exchange, Request
from mockserver.engine import Engine
from tests.mockserver.support.chat_client import CONTRACT, engine

BASE = "/api/v1/compatibility/openai/v1"
COMPLETER = "llama-2-70b-chat-hf"
EMBEDDER = "bge-small-en-v1.5"


@dataclass(frozen=True)
class ApiClient:
    """A client that calls operations of one engine; a path is below `BASE` unless it begins with `/api/`."""

    engine: Engine = field(default_factory=engine)
    scope: str = ""

    def exchange(self, method: str, path: str, body: Any = None, **query: str) -> Exchange:
        headers = {"content-type": "application/json", **({"x-mock-scope": self.scope} if self.scope else {})}
        sent = b"" if body is None else json.dumps(body).encode()
        path = path if path.startswith("/api/") else BASE + path
        return self.checked(Request(method, path, tuple(query.items()), headers, sent))

    def checked(self, request: Request) -> Exchange:
        """Return the exchange of a request, whose reply must keep the contract."""
        method, path = request.method, request.path
        exchange = self.engine.handle(request)
        found = CONTRACT.find(method, path)
        assert isinstance(found, Found)
        assert check_reply(found.operation, exchange.reply) == ()
        return exchange

    def answer(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Return the answer, which must be a success."""
        reply = self.exchange(method, path, body, **query).reply
        assert reply.status in {200, 201}, reply
        return json.loads(reply.content())

    def status(self, method: str, path: str, body: Any = None, **query: str) -> int:
        return self.exchange(method, path, body, **query).reply.status

    def refusal(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, str, Any]:
        """Return status, clauses and detail of a refusal."""
        exchange = self.exchange(method, path, body, **query)
        detail = json.loads(exchange.reply.content())["detail"]
        return exchange.reply.status, " ".join(exchange.clauses), detail

    def get(self, path: str, **query: str) -> Any:
        return self.answer("GET", path, **query)

    def post(self, path: str, body: Any) -> Any:
        return self.answer("POST", path, body)

    def events(self, path: str, body: Any) -> list[Any]:
        """Return the chunks of a stream, which must end with [DONE]."""
        reply = self.exchange("POST", path, {**body, "stream": True}).reply
        assert not isinstance(reply.body, bytes)
        assert reply.body[-1].data == b"[DONE]"
        return [json.loads(event.data) for event in reply.body[:-1]]

    def agent(self, **fields: Any) -> Any:
        """Create an agent and return it."""
        return self.post("/agents", {"model": COMPLETER, **fields})

    def chat(self, agent: str, text: str = "Hello!", **fields: Any) -> Any:
        return self.post(
            f"/agents/{agent}/chat/completions", {"messages": [{"role": "user", "content": text}], **fields}
        )
