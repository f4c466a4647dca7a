"""A client that chats with a mock, and what the journal of the mock shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agent_contract.messages import Exchange, Request
from mockserver.analysis.observation import Observation, from_entry
from mockserver.analysis.session_lint import Misuse, lint_sessions
from mockserver.build import create_engine, own_contract
from mockserver.generation.latency import Pace

API = "/api/v1/compatibility/openai/v1"
Message = dict[str, Any]


def user(content: str) -> Message:
    return {"role": "user", "content": content}


class Conversation:
    """Chats with an agent of a mock at the time `now`; nothing waits."""

    def __init__(self, agent: str = "demo", ttft: float = 0.0) -> None:
        self.now = 1_700_000_000.0
        self.engine = create_engine(own_contract(), pace=Pace(ttft), clock=lambda: self.now)
        self._path = f"{API}/agents/{agent}/chat/completions"

    def send(
        self, *messages: Message | str, headers: Mapping[str, str] | None = None, query: str = "", **fields: Any
    ) -> Exchange:
        """Send messages; strings are those of a user."""
        body = {"messages": [user(one) if isinstance(one, str) else one for one in messages], **fields}
        parameters = tuple((name, value) for name, _, value in [query.partition("=")] if name)
        sent = {"content-type": "application/json", **(headers or {})}
        return self.engine.handle(Request("POST", self._path, parameters, sent, orjson.dumps(body)))

    def answer(self, *messages: Message | str, **fields: Any) -> dict[str, Any]:
        reply = self.send(*messages, **fields).reply
        assert reply.status == 200, reply.content()
        found: dict[str, Any] = orjson.loads(reply.content())
        return found

    def message(self, *messages: Message | str, **fields: Any) -> Message:
        """Return the message of the first choice."""
        found: Message = self.answer(*messages, **fields)["choices"][0]["message"]
        return found

    def create(self, *messages: Message | str, **fields: Any) -> str:
        """Return the id of the session that the messages create."""
        return str(self.answer(*messages, create_session=True, **fields)["session_id"])

    def observations(self) -> list[Observation]:
        return [from_entry(entry) for entry in reversed(self.engine.requests())]

    def findings(self) -> list[Misuse]:
        return lint_sessions(self.observations())
