"""Many clients that extend a few sessions concurrently, and checks that every turn is stored once and in order."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from mockserver.stores import Store
from mockserver.stores.base import all_items
from tests.mockserver.support.chat_client import path_of, stored_messages, user


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A turn that was answered with 200: its session, its text, and the prompt tokens of its answer."""

    session: str
    text: str
    prompt_tokens: int


@dataclass(slots=True)
class Crowd:
    """Clients of the server at `url`, the answers that they got, and the total time in seconds."""

    url: str
    sessions: list[str] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    retry_after: set[str] = field(default_factory=set)
    seconds: float = 0.0

    def extend(self, sessions: int, clients: int, more: Callable[[int], bool]) -> None:
        """Create sessions, then let clients extend them concurrently until `more` returns false.

        `more` gets the number of turns that the client has finished.
        """
        asyncio.run(self._extend(sessions, clients, more))

    async def _extend(self, sessions: int, clients: int, more: Callable[[int], bool]) -> None:
        limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
        async with httpx.AsyncClient(base_url=self.url, limits=limits, timeout=60) as client:
            for _ in range(sessions):
                self.sessions.append((await self._ask(client, {"create_session": True}, "Start.")).json()["session_id"])
            begin = time.perf_counter()
            await asyncio.gather(*(self._client(client, number, more) for number in range(clients)))
            self.seconds = time.perf_counter() - begin

    async def _client(self, client: httpx.AsyncClient, number: int, more: Callable[[int], bool]) -> None:
        session, turn = self.sessions[number % len(self.sessions)], 0
        while more(turn):
            text = f"Turn {turn} of client {number}."
            reply = await self._ask(client, {"store_in_session": session}, text)
            if reply.status_code == 200:
                usage = reply.json()["usage"]
                self.acknowledged.append(Acknowledged(session, text, usage["prompt_tokens"]))
            elif reply.status_code == 503:
                self.retry_after.add(reply.headers["retry-after"])
            turn += 1

    async def _ask(self, client: httpx.AsyncClient, fields: dict[str, Any], text: str) -> httpx.Response:
        reply = await client.post(path_of(), json={"messages": [user(text)], **fields})
        self.statuses[reply.status_code] += 1
        return reply


def kept(store: Store, session: str) -> list[str]:
    """Return the user messages of a session in order, without the first."""
    (key,) = (key for key, _ in all_items(store.items, "") if key.endswith(session))
    return [message["content"] for message in stored_messages(store, key) if message["role"] == "user"][1:]


def in_order(crowd: Crowd, session: str) -> list[str]:
    """Return the acknowledged turns of a session, ordered by their prompt tokens."""
    turns = [turn for turn in crowd.acknowledged if turn.session == session]
    assert len({turn.prompt_tokens for turn in turns}) == len(turns)
    return [turn.text for turn in sorted(turns, key=lambda turn: turn.prompt_tokens)]
