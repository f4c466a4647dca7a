"""The knowledge bases of the reference server: indexes, documents and indexings, and the operations on them."""

import hashlib
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.detection.registry import EMBEDDER, Registry
from server_defects.hooks import Refusal

#: Seconds that an indexing takes.
TAKES = 0.2
#: Bytes of a file, at most.
MOST = 10 * 1024 * 1024

Object = dict[str, Any]


@dataclass
class Knowledge:
    """Objects by id, in the order in which they were created; each method conforms, and returns status and answer.

    A mutant is a subclass that overrides a method. `texts` maps the id of each document to its content.
    """

    registry: Registry
    bases: dict[str, Object] = field(default_factory=dict)
    indexes: dict[str, Object] = field(default_factory=dict)
    documents: dict[str, Object] = field(default_factory=dict)
    indexings: dict[str, Object] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        origin = {"data_origin_type": "LOCAL_FILES", "index_refresh_policy": {"policy_type": "MANUAL"}}
        for name, age in (("spare", 7200), ("other", 3600)):
            self._made(self.bases, "knowledge_base", {"name": name, **origin}, int(time.time()) - age)

    def _made(self, kept: dict[str, Object], kind: str, fields: Mapping[str, Any], now: float | None = None) -> Object:
        id = str(uuid.uuid4())
        given = {name: value for name, value in fields.items() if value is not None}
        created_at = int(time.time() if now is None else now)
        kept[id] = {"id": id, "object": kind, **given, "created_at": created_at}
        if kind == "knowledge_base":
            kept[id]["last_updated_at"] = created_at
        return kept[id]

    def page(self, objects: Sequence[Object], query: Mapping[str, Any]) -> tuple[int, Any]:
        """Return a list in pages, as the list of agents."""
        name = query.get("name")
        found = {one["id"]: one for one in objects if name is None or one.get("name") == name}
        agents, self.registry.agents = self.registry.agents, found
        try:
            return self.registry.page({**query, "name": None})
        finally:
            self.registry.agents = agents

    def known(self, kept: Mapping[str, Object], id: str) -> Object:
        """Return an object; refuse an unknown one with 404."""
        if id not in kept:
            raise Refusal("object", 404, "Invalid ID.")
        return kept[id]

    def linked(self, base: str) -> list[Object]:
        """Return the agents that use an index of a knowledge base."""
        own = {one["id"] for one in self.indexes.values() if one["knowledge_base_id"] == base}
        return [agent for agent in self.registry.agents.values() if agent.get("index_id") in own]

    def detailed(self, base: Object) -> Object:
        """Return a knowledge base with its status and links."""
        own = any(one["knowledge_base_id"] == base["id"] for one in self.indexes.values())
        status = "AVAILABLE" if own else "NOT_CONFIGURED"
        return {
            **base,
            "status": status,
            "num_linked_data_sources": 0,
            "num_linked_agents": len(self.linked(base["id"])),
        }

    def list_bases(self, query: Mapping[str, Any]) -> tuple[int, Any]:
        """List the knowledge bases."""
        return self.page([self.detailed(base) for base in self.bases.values()], query)

    def create_base(self, sent: Mapping[str, Any]) -> tuple[int, Any]:
        """Keep a new knowledge base."""
        return 201, self._made(self.bases, "knowledge_base", sent)

    def get_base(self, base: str) -> tuple[int, Any]:
        """Return a knowledge base."""
        return 200, self.detailed(self.known(self.bases, base))

    def update_base(self, base: str, sent: Mapping[str, Any]) -> tuple[int, Any]:
        """Change a knowledge base, all but its origin."""
        changed = {**self.known(self.bases, base), **sent, "last_updated_at": int(time.time())}
        changed["data_origin_type"] = self.bases[base]["data_origin_type"]
        self.bases[base] = {name: value for name, value in changed.items() if value is not None}
        return 200, self.bases[base]

    def delete_base(self, base: str) -> tuple[int, Any]:
        """Remove a knowledge base and what it has, unless an agent uses it."""
        self.known(self.bases, base)
        if self.linked(base):
            raise Refusal("linked", 409, "The knowledge base is not in a state where it can be deleted.")
        del self.bases[base]
        for kept in (self.indexes, self.documents, self.indexings):
            for id in [one["id"] for one in kept.values() if one["knowledge_base_id"] == base]:
                del kept[id]
        return 200, {"id": base, "object": "knowledge_base", "deleted": True}

    def of_index(self, base: str, index: str) -> Object:
        """Return an index of a knowledge base; refuse an unknown one with 404."""
        self.known(self.bases, base)
        found = self.known(self.indexes, index)
        if found["knowledge_base_id"] != base:
            raise Refusal("object", 404, "Invalid ID.")
        return found

    def shown_index(self, index: Object) -> Object:
        """Return an index with its status and its number of documents."""
        number = sum(one["index_id"] == index["id"] for one in self.documents.values())
        return {**index, "num_documents": number, "status": "AVAILABLE"}

    def list_indexes(self, base: str, query: Mapping[str, Any]) -> tuple[int, Any]:
        """List the indexes of a knowledge base."""
        self.known(self.bases, base)
        own = [self.shown_index(one) for one in self.indexes.values() if one["knowledge_base_id"] == base]
        return self.page(own, query)

    def create_index(self, base: str, sent: Mapping[str, Any]) -> tuple[int, Any]:
        """Keep a new index of a knowledge base."""
        self.known(self.bases, base)
        if sent["embeddings_model_endpoint"] != EMBEDDER:
            raise Refusal("endpoint", 400, "Unknown model endpoint.")
        index = self._made(self.indexes, "index", {"chunk_overlap": 0, **sent, "knowledge_base_id": base})
        return 201, self.shown_index(index)

    def get_index(self, base: str, index: str) -> tuple[int, Any]:
        """Return an index."""
        return 200, {**self.shown_index(self.of_index(base, index)), "knowledge_base": self.bases[base]}

    def search(self, base: str, index: str, sent: Mapping[str, Any]) -> tuple[int, Any]:
        """Return the chunks of an index that share words with the query, best first."""
        self.of_index(base, index)
        found = self.found(index, sent["text"])
        cutoff = sent.get("similarity_cutoff")
        chosen = [one for one in found if cutoff is None or one["score"] >= cutoff]
        return 200, {"chunks": chosen[: sent.get("top_k") or 2]}

    def found(self, index: str, text: str) -> list[Object]:
        """Return what an index finds, the best first: each document that is indexed is one chunk."""
        wanted = set(re.findall(r"\w+", text.lower()))
        chunks = []
        for document in [one for one in self.documents.values() if one["index_id"] == index]:
            words = set(re.findall(r"\w+", self.texts[document["id"]].lower()))
            if self.state_of(document) == "DONE" and words & wanted:
                score = len(words & wanted) / len(wanted)
                names = {name: document[name] for name in ("origin_name", "origin_ref", "media_type")}
                text = self.texts[document["id"]]
                chunks.append({**names, "document_id": document["id"], "score": score, "text": text})
        return sorted(chunks, key=lambda one: -one["score"])

    def context(self, agent: str, text: str) -> list[Object] | None:
        """Return what an agent finds in its index for a message, None for an agent without an index."""
        index = self.registry.agents.get(agent, {}).get("index_id")
        if index not in self.indexes:
            return None
        found = self.found(index, text)[:2]
        return [{"text": one["text"], "metadata": {k: v for k, v in one.items() if k != "text"}} for one in found]

    def state_of(self, document: Object) -> str:
        """Return the state of a document: that of the indexing that it waits for."""
        return str(self.shown_indexing(self.indexings[document["last_indexed_by_id"]])["state"])

    def shown_document(self, document: Object) -> Object:
        """Return a document with its state."""
        return {**document, "state": self.state_of(document)}

    def list_documents(self, base: str, index: str, query: Mapping[str, Any]) -> tuple[int, Any]:
        """List the documents of an index."""
        self.of_index(base, index)
        return self.page(
            [self.shown_document(one) for one in self.documents.values() if one["index_id"] == index], query
        )

    def upload(self, base: str, index: str, name: str | None, media_type: str, content: bytes) -> tuple[int, Any]:
        """Keep a document, and index it; without a name there is no file."""
        self.of_index(base, index)
        if name is None:
            raise Refusal("file", 422, [{"loc": ["body", "file"], "msg": "Field required", "type": "missing"}])
        if self.bases[base]["data_origin_type"] != "LOCAL_FILES":
            raise Refusal("origin", 400, "Documents can't be uploaded to this knowledge base.")
        if len(content) > MOST:
            raise Refusal("size", 413, "The file exceeds 10.00 MiB.")
        if not content:
            raise Refusal("empty", 422, [{"loc": ["body", "file"], "msg": "The file is empty", "type": "value_error"}])
        if media_type.startswith("application/"):
            detail = {"loc": ["body", "file"], "msg": "The file can't be read", "type": "value_error"}
            raise Refusal("kind", 422, [detail])
        if any(one["origin_name"] == name for one in self.documents.values() if one["knowledge_base_id"] == base):
            raise Refusal("duplicate", 409, "The file exists.")
        indexing = self.begin(base, index)
        fields = {
            "origin_name": name,
            "origin_ref": name,
            "media_type": media_type,
            "knowledge_base_id": base,
            "index_id": index,
            "size_bytes": len(content),
            "hash_sha256": hashlib.sha256(content).hexdigest(),
            "reindexing_needed": False,
            "last_indexed_by_id": indexing["id"],
        }
        document = self._made(self.documents, "document", fields)
        self.texts[document["id"]] = content.decode(errors="replace")
        return 201, self.shown_document(document)

    def of_document(self, base: str, index: str, document: str) -> Object:
        """Return a document of an index; refuse an unknown one with 404."""
        self.of_index(base, index)
        return self.known(self.documents, document)

    def get_document(self, base: str, index: str, document: str) -> tuple[int, Any]:
        """Return a document."""
        return 200, self.shown_document(self.of_document(base, index, document))

    def delete_document(self, base: str, index: str, document: str) -> tuple[int, Any]:
        """Remove a document."""
        self.of_document(base, index, document)
        del self.documents[document]
        return 200, {"id": document, "object": "document", "deleted": True}

    def unfinished(self, index: str) -> list[Object]:
        """Return the indexings of an index that have not ended."""
        own = [one for one in self.indexings.values() if one["index_id"] == index]
        return [one for one in own if self.shown_indexing(one)["state"] == "PENDING"]

    def begin(self, base: str, index: str, joins: bool = True) -> Object:
        """Begin an indexing after the one that runs; if one waits already, refuse it, or join it."""
        running = self.unfinished(index)
        if len(running) > 1:
            if not joins:
                raise Refusal("waiting", 409, "An indexing is already waiting.")
            return running[-1]
        indexing = self._made(self.indexings, "indexing", {"knowledge_base_id": base, "index_id": index})
        indexing["ends"] = max([time.time(), *(one["ends"] for one in running)]) + TAKES
        return indexing

    def shown_indexing(self, indexing: Object) -> Object:
        """Return an indexing with its state."""
        shown = {name: value for name, value in indexing.items() if name not in ("ends", "cancelled")}
        if indexing["ends"] > time.time():
            return {**shown, "state": "PENDING"}
        state = "CANCELLED" if indexing.get("cancelled") else "DONE"
        return {**shown, "state": state, "completed_at": int(indexing["ends"])}

    def list_indexings(self, base: str, index: str, query: Mapping[str, Any]) -> tuple[int, Any]:
        """List the indexings of an index."""
        self.of_index(base, index)
        return self.page(
            [self.shown_indexing(one) for one in self.indexings.values() if one["index_id"] == index], query
        )

    def create_indexing(self, base: str, index: str) -> tuple[int, Any]:
        """Begin an indexing."""
        self.of_index(base, index)
        return 201, self.shown_indexing(self.begin(base, index, joins=False))

    def of_indexing(self, base: str, index: str, indexing: str) -> Object:
        """Return an indexing of an index; refuse an unknown one with 404."""
        self.of_index(base, index)
        return self.known(self.indexings, indexing)

    def get_indexing(self, base: str, index: str, indexing: str) -> tuple[int, Any]:
        """Return an indexing."""
        return 200, self.shown_indexing(self.of_indexing(base, index, indexing))

    def cancel(self, base: str, index: str, indexing: str) -> tuple[int, Any]:
        """Cancel an indexing, which ends a little later."""
        found = self.of_indexing(base, index, indexing)
        found["cancelled"] = True
        found["ends"] = time.time() + TAKES / 4
        return 200, self.shown_indexing(found)

    def active(self, base: str, index: str) -> tuple[int, Any]:
        """Return the indexing that runs; refuse with 404 without one."""
        self.of_index(base, index)
        running = self.unfinished(index)
        if not running:
            raise Refusal("object", 404, "No indexing is active.")
        return 200, self.shown_indexing(running[0])
