"""Shortcuts for chat requests to an engine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from agent_contract import load_contract
from agent_contract.messages import Reply, Request
from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.engine import Engine
from mockserver.generation.latency import Pace
from mockserver.resources.sessions import decode
from mockserver.stores import Store

NOW = 1_700_000_000.0
UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
CONTRACT = load_contract()
OPERATION = CONTRACT.operations["createAssistantChatCompletion"]


@dataclass
class Clock:
    """A clock that shows `now` until a test changes it."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


def engine(
    config: Config | None = None, *, seed: int = 0, pace: Pace | None = None, store: Store | None = None
) -> Engine:
    return create_engine(CONTRACT, config or Config(), seed=seed, pace=pace or Pace(), clock=Clock(), store=store)


def limited(**limits: int) -> Engine:
    """Return an engine with these limits instead of the default ones."""
    config = Config()
    return engine(replace(config, limits=replace(config.limits, **limits)))


def path_of(agent: str = "demo") -> str:
    return OPERATION.path.replace("{agent_id}", agent)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def request(body: bytes | dict[str, Any] | list[Any] | None, agent: str = "demo", **headers: str) -> Request:
    """Return a POST with a JSON body; header names are written with underscores."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", path_of(agent), (), {"content-type": "application/json", **named}, sent)


@dataclass(frozen=True)
class ChatClient:
    """A client that sends chat requests to one engine."""

    engine: Engine = field(default_factory=engine)

    def reply(self, *messages: str | dict[str, Any], agent: str = "demo", **fields: Any) -> Reply:
        said = [user(message) if isinstance(message, str) else message for message in messages or ("Hello!",)]
        return self.engine.reply(request({"messages": said, **fields}, agent))

    def answer(self, *messages: str | dict[str, Any], agent: str = "demo", **fields: Any) -> Any:
        reply = self.reply(*messages, agent=agent, **fields)
        assert reply.status == 200, reply
        return json.loads(reply.content())

    def content(self, *messages: str | dict[str, Any], **fields: Any) -> str:
        content: str = self.answer(*messages, **fields)["choices"][0]["message"]["content"]
        return content

    def chunks(self, *messages: str | dict[str, Any], **fields: Any) -> list[Any]:
        reply = self.reply(*messages, stream=True, **fields)
        assert reply.status == 200, reply
        assert not isinstance(reply.body, bytes)
        assert reply.body[-1].data == b"[DONE]"
        return [json.loads(event.data) for event in reply.body[:-1]]

    def refusal(self, *messages: str | dict[str, Any], **fields: Any) -> tuple[int, str]:
        reply = self.reply(*messages, **fields)
        return reply.status, json.loads(reply.content())["detail"]


def stored_messages(store: Store, key: str) -> list[dict[str, Any]]:
    """Return the messages of the session that a store has under this key."""
    found = store.get(key)
    assert found is not None
    session = decode(found.value)
    return [json.loads(line) for line in store.lines(key, session.first, session.length)]


def details(reply: Reply) -> list[tuple[list[Any], str]]:
    """Return location and type of each error in a 422."""
    assert reply.status == 422, reply
    return [(fault["loc"], fault["type"]) for fault in json.loads(reply.content())["detail"]]
