"""What the public clients of the API do, written from the facts: a program that fills a knowledge base and asks it.

It is a client as they are: it takes only what the answers contain, waits as they wait, and cleans up in the wrong order
first. `run` returns a line for each step.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx

CONTROL = "/api/v1/control"
COMPATIBLE = "/api/v1/compatibility/openai/v1"
POLL, PATIENCE = 0.1, 20.0
TEXT = b"# Ferries\n\nThe last ferry to the island leaves at nine in the evening. Bicycles travel free.\n"
QUESTION = "When does the last ferry leave?"


class KnowledgeProgram:
    """One run of the program against a server."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def run(self) -> Iterator[str]:
        """Yield a line for each step."""
        models = self._get(f"{COMPATIBLE}/models")["data"]
        embedder = next(one["id"] for one in models if one["model_type"] == "EMBEDDINGS")
        completer = next(one["id"] for one in models if one["model_type"] == "COMPLETIONS")
        base = self._ensure_base("island")
        yield f"knowledge base {base['name']} {base['data_origin_type']}"
        base_path = f"{CONTROL}/knowledge-bases/{base['id']}"
        indexes = f"{base_path}/indexes"
        splitting = {"text_splitting": "SENTENCE", "chunk_size": 400, "chunk_overlap": 100}
        index = self._post(indexes, {"name": "island", "embeddings_model_endpoint": embedder, **splitting})
        path = f"{indexes}/{index['id']}"
        yield f"index {index['name']} {index['num_documents']} documents"
        document = self._upload(path, "ferries.md", TEXT)
        yield f"document {document['origin_name']} {self._wait(path, document)}"
        yield f"twice {self._upload_status(path, 'ferries.md', TEXT)}"
        found = self._post(f"{path}/search", {"text": QUESTION, "top_k": 1})["chunks"]
        yield f"search {found[0]['origin_name']}"
        agent = self._post(
            f"{COMPATIBLE}/agents", {"name": "island", "model": completer, "index_id": index["id"], "index_top_n": 3}
        )
        yield f"agent {agent['status']} {self._get(base_path)['num_linked_agents']}"
        messages = {"messages": [{"role": "user", "content": QUESTION}]}
        answer = self._post(f"{COMPATIBLE}/agents/{agent['id']}/chat/completions", messages)
        yield f"cites {[one['metadata']['origin_name'] for one in answer['index_context_info']]}"
        wrong = self._client.delete(base_path)
        yield f"delete first {wrong.status_code}"
        self._delete(f"{COMPATIBLE}/agents/{agent['id']}")
        self._delete(f"{path}/documents/{document['id']}")
        self._delete(base_path)
        yield f"deleted {self._client.get(base_path).status_code}"

    def _ensure_base(self, name: str) -> Any:
        """Return the knowledge base with this name, which is created if the pages of the list don't have it."""
        after: dict[str, str] = {}
        while True:
            page = self._get(f"{CONTROL}/knowledge-bases", limit="1", **after)
            for one in page["data"]:
                if one.get("name") == name:
                    return one
            if not page["has_more"]:
                break
            after = {"after": page["last_id"]}
        policy = {"data_origin_type": "LOCAL_FILES", "index_refresh_policy": {"policy_type": "MANUAL"}}
        return self._post(f"{CONTROL}/knowledge-bases", {"name": name, "description": "Ferries.", **policy})

    def _upload(self, path: str, name: str, content: bytes) -> Any:
        reply = self._client.post(f"{path}/documents", files={"file": (name, content, "text/markdown")})
        return reply.raise_for_status().json()

    def _upload_status(self, path: str, name: str, content: bytes) -> int:
        return self._client.post(f"{path}/documents", files={"file": (name, content)}).status_code

    def _wait(self, path: str, document: Any) -> str:
        """Return the state of a document when no indexing is active any more."""
        end = time.monotonic() + PATIENCE
        while self._client.get(f"{path}/active-indexing").status_code == httpx.codes.OK:
            if time.monotonic() > end:
                raise TimeoutError(f"the indexing has not ended after {PATIENCE} s")
            time.sleep(POLL)
        return str(self._get(f"{path}/documents/{document['id']}")["state"])

    def _get(self, path: str, **query: str) -> Any:
        return self._client.get(path, params=query).raise_for_status().json()

    def _post(self, path: str, body: Any) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()

    def _delete(self, path: str) -> None:
        assert self._client.delete(path).raise_for_status().json()["deleted"] is True
