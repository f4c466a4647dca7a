"""A client of the control interface that checks every reply against the interface's own document."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from agent_contract import Found, check_reply
from agent_contract.messages import Reply, Request
from mockserver.control.gateway import own_contract
from mockserver.engine import Engine

OWN = own_contract()


@dataclass(frozen=True)
class Control:
    """Looks into a mock; every reply is held to the interface's own document."""

    engine: Engine
    scope: str = ""
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def reply(self, method: str, path: str, **query: str) -> Reply:
        headers = {**self.headers, **({"x-mock-scope": self.scope} if self.scope else {})}
        headers |= {"authorization": f"Bearer {self.token}"} if self.token else {}
        reply = self.engine.reply(Request(method, "/__mock__" + path, tuple(query.items()), headers))
        found = OWN.find(method, "/__mock__" + path)
        if isinstance(found, Found):
            assert check_reply(found.operation, reply) == ()
        return reply

    def get(self, path: str, **query: str) -> Any:
        reply = self.reply("GET", path, **query)
        assert reply.status == 200, reply
        return json.loads(reply.content())

    def status(self, method: str, path: str, **query: str) -> int:
        return self.reply(method, path, **query).status

    def numbers(self, **query: str) -> list[int]:
        return [one["number"] for one in self.get("/requests", **query)["requests"]]


def send(player: Engine, method: str, path: str, body: Any, scope: str = "mine") -> Reply:
    """Return the reply to a request with a JSON body in a scope."""
    headers = {"content-type": "application/json", "x-mock-scope": scope}
    reply = player.reply(Request(method, "/__mock__" + path, (), headers, json.dumps(body).encode()))
    found = OWN.find(method, "/__mock__" + path)
    assert isinstance(found, Found)
    assert check_reply(found.operation, reply) == ()
    return reply
