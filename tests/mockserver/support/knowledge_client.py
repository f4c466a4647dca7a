"""Shortcuts for the control plane of an engine: knowledge bases, indexes and their documents."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from agent_contract.messages import Exchange, Request
from mockserver.resources.agents import LIBRARY
from tests.mockserver.support.api_client import EMBEDDER, ApiClient

BASES = "/api/v1/control/knowledge-bases"
#: The knowledge base and the index of the configuration.
BUILT_IN = f"{BASES}/{LIBRARY.knowledge_base()}/indexes/{LIBRARY.id}"
LOCAL: dict[str, Any] = {"data_origin_type": "LOCAL_FILES", "index_refresh_policy": {"policy_type": "MANUAL"}}
EMBEDDING: dict[str, Any] = {
    "embeddings_model_endpoint": EMBEDDER,
    "text_splitting": "SENTENCE",
    "chunk_size": 100,
}


@dataclass(frozen=True)
class KnowledgeClient:
    """A client that creates knowledge bases and indexes, and returns their paths."""

    api: ApiClient = field(default_factory=ApiClient)

    def base(self, **fields: Any) -> str:
        """Create a knowledge base; return its path."""
        return f"{BASES}/{self.api.post(BASES, {**LOCAL, **fields})['id']}"

    def index(self, base: str = "", **fields: Any) -> str:
        """Create an index, by default in a new knowledge base; return its path."""
        path = f"{base or self.base()}/indexes"
        return f"{path}/{self.api.post(path, {**EMBEDDING, **fields})['id']}"

    def upload(
        self, index: str, name: str, content: bytes | str, media_type: str = "text/plain", part: str = "file"
    ) -> Exchange:
        """Upload a file to an index."""
        content = content.encode() if isinstance(content, str) else content
        head = f'--b\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n'
        body = f"{head}Content-Type: {media_type}\r\n\r\n".encode() + content + b"\r\n--b--\r\n"
        headers = {"content-type": "multipart/form-data; boundary=b"}
        headers |= {"x-mock-scope": self.api.scope} if self.api.scope else {}
        return self.api.checked(Request("POST", f"{index}/documents", (), headers, body))

    def uploaded(self, index: str, name: str, content: bytes | str, media_type: str = "text/plain") -> Any:
        """Upload a file to an index; return the document."""
        exchange = self.upload(index, name, content, media_type)
        assert exchange.reply.status == 201, exchange.reply
        return json.loads(exchange.reply.content())

    def found(self, index: str, text: str, **fields: Any) -> list[str]:
        """Return what the chunks contain that a search finds."""
        return [chunk["text"] for chunk in self.api.post(f"{index}/search", {"text": text, **fields})["chunks"]]


def id_of(path: str) -> str:
    """Return the id at the end of a path."""
    return path.rpartition("/")[2]
