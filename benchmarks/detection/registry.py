"""The agents and models of the reference server."""

import base64
import hashlib
import math
import re
import struct
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server_defects.hooks import Message, Refusal

#: Another agent than the one under test.
SPARE = "e4a1c7d2-90b3-4f6e-8d15-2c7b6a9f0e33"
FILTERS = ("name", "index_id", "knowledge_base_id")
EMBEDDER = "bge-small-en"
#: Numbers of a vector, unless a request asks for others.
DIMENSIONS = 96
DEFAULTS = {"session_max_length": 10_000, "session_max_ttl": 86_400, "completion_role": "assistant"}


@dataclass
class Registry:
    """Agents by id, in the order in which they were created, and the operations on them; each method conforms.

    A mutant is a subclass that overrides a method.
    """

    agent_id: str
    model: str
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for id, name, age in (
            (self.agent_id, "reference", 7200),
            ("e4a1c7d2-90b3-4f6e-8d15-2c7b6a9f0e33", "spare", 3600),
        ):
            self.agents[id] = self.made(id, {"model": self.model, "name": name}, int(time.time()) - age)

    def made(self, id: str, sent: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Return a new agent."""
        given = {name: value for name, value in sent.items() if value is not None}
        return {"id": id, "object": "agent", "created_at": now, "status": "AVAILABLE", **DEFAULTS, **given}

    def create(self, sent: Mapping[str, Any]) -> tuple[int, Any]:
        """Keep a new agent; return status and answer."""
        agent = self.made(self.new_id(), sent, int(time.time()))
        self.agents[agent["id"]] = agent
        return 201, agent

    def new_id(self) -> str:
        """Return the id of a new agent."""
        return str(uuid.uuid4())

    def known(self, id: str) -> dict[str, Any]:
        """Return an agent; refuse an unknown one with 404."""
        if id not in self.agents:
            raise Refusal("agent", 404, "No agent found with the specified ID")
        return self.agents[id]

    def get(self, id: str) -> tuple[int, Any]:
        """Return status and answer of a read."""
        return 200, self.known(id)

    def update(self, id: str, sent: Mapping[str, Any]) -> tuple[int, Any]:
        """Change an agent; return status and answer."""
        changed = {**self.known(id), **sent}
        self.agents[id] = {name: value for name, value in changed.items() if value is not None}
        return 200, self.agents[id]

    def delete(self, id: str) -> tuple[int, Any]:
        """Remove an agent; return status and answer."""
        self.known(id)
        del self.agents[id]
        return 200, {"id": id, "object": "agent.deleted", "deleted": True}

    def chosen(self, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the agents that a list's filters leave, in its order."""
        filters = {
            name: query[name] for name in ("name", "index_id", "knowledge_base_id") if query.get(name) is not None
        }
        found = [one for one in self.agents.values() if all(one.get(name) == value for name, value in filters.items())]
        return found if query["order"] == "asc" else found[::-1]

    def cursor(self, agents: Sequence[Mapping[str, Any]], id: str) -> int:
        """Return the position of an agent in a list; refuse an unknown one with 400."""
        for place, agent in enumerate(agents):
            if agent["id"] == id:
                return place
        raise Refusal("cursor", 400, "An invalid ID was passed for paginating results.")

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:
        """Return status and answer of a list."""
        chosen = self.chosen(query)
        start = self.cursor(chosen, query["after"]) + 1 if query.get("after") is not None else 0
        end = self.cursor(chosen, query["before"]) if query.get("before") is not None else len(chosen)
        rest = chosen[start:end][query["offset"] :]
        data = rest[: query["limit"]]
        answer: dict[str, Any] = {"object": "list", "data": data, "has_more": len(rest) > len(data)}
        total = len(chosen) if query["set_num_objects"] else None
        ends = (data[0]["id"], data[-1]["id"]) if data else (None, None)
        return 200, {**answer, "num_objects": total, "first_id": ends[0], "last_id": ends[1]}

    def models(self) -> tuple[int, Any]:
        """Return status and answer of the list of models."""
        common = {"object": "model", "created": 1700000000, "owned_by": "reference"}
        completions = {"id": self.model, **common, "model_type": "COMPLETIONS", "model_engine": "VLLM"}
        embeddings = {"id": EMBEDDER, **common, "model_type": "EMBEDDINGS", "model_engine": "INFINITY"}
        return 200, {"object": "list", "data": [completions, embeddings]}

    def of_kind(self, model: str, wanted: str) -> None:
        """Refuse an unknown model with 404, one of another kind with 400."""
        if model not in (self.model, EMBEDDER):
            raise Refusal("model", 404, "Unknown model endpoint requested.")
        if model != wanted:
            raise Refusal("kind", 400, "Invalid model endpoint specified or model endpoint not ready.")

    def embed(self, sent: Mapping[str, Any]) -> tuple[int, Any]:
        """Return status and answer of embeddings."""
        self.of_kind(sent["model"], EMBEDDER)
        texts = [sent["input"]] if isinstance(sent["input"], str) else sent["input"]
        vectors = [vector_of(text, sent.get("dimensions") or DIMENSIONS) for text in texts]
        shown = [encoded(vector) if sent.get("encoding_format") == "base64" else vector for vector in vectors]
        data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(shown)]
        count = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": count, "total_tokens": count}
        return 200, {"object": "list", "data": data, "model": sent["model"], "usage": usage}

    def instructions(self, id: str) -> list[Message]:
        """Return an agent's instructions as messages."""
        told = self.agents.get(id, {}).get("instructions")
        return [{"role": "system", "content": told}] if told else []


def vector_of(text: str, dimensions: int) -> list[float]:
    """Return a unit vector in which each word has a direction of its own."""
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()) or [text]:
        number = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4])
        vector[number % dimensions] += 1.0
    length = math.hypot(*vector)
    return [value / length for value in vector]


def encoded(vector: Sequence[float]) -> str:
    """Return a vector as the base64 of its 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
