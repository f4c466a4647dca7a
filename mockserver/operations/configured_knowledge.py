"""The indexes of the configuration as resources of the control plane: knowledge bases, indexes and documents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from mockserver.core import keys
from mockserver.generation.retrieval import KnowledgeDocument, KnowledgeIndex
from mockserver.resources.resource import DOCUMENT, INDEX, KNOWLEDGE_BASE, Resource

#: What an index has that the configuration does not state; its documents are passages, whatever their length.
SPLITTING = {"text_splitting": "SENTENCE", "chunk_size": 512, "chunk_overlap": 0}


def configured_resources(indexes: Iterable[KnowledgeIndex], embedder: str) -> dict[str, dict[str, Resource]]:
    """Return the resources by the prefix of their keys and by id; `embedder` is the model of every index."""
    bases: dict[str, Resource] = {}
    found: dict[str, Resource] = {}
    resources = {keys.KNOWLEDGE_BASES: bases, keys.INDEXES: found}
    for order, index in enumerate(indexes):
        base = index.knowledge_base()
        hidden = {"created": -1 / (order + 1)}  # in the order of the configuration, and before all created ones
        bases.setdefault(base, Resource(KNOWLEDGE_BASE, base, _base_fields(index), hidden))
        fields = {"name": index.name, "embeddings_model_endpoint": embedder, **SPLITTING}
        fields |= {"knowledge_base_id": base, "created_at": 0}
        id = index.id.lower()
        found[id] = Resource(INDEX, id, fields, {**hidden, "tool_id": index.search_tool()})
        documents = {one.id.lower(): _document(one, base, id, place) for place, one in enumerate(index.documents)}
        resources[keys.documents(id)] = documents
    return resources


def _base_fields(index: KnowledgeIndex) -> dict[str, Any]:
    return {
        "name": index.name,
        "data_origin_type": "LOCAL_FILES",
        "index_refresh_policy": {"policy_type": "MANUAL"},
        "created_at": 0,
        "last_updated_at": 0,
    }


def _document(document: KnowledgeDocument, base: str, index: str, place: int) -> Resource:
    content = document.text.encode("utf-8", "surrogatepass")
    fields = {
        "origin_name": document.origin_name,
        "origin_ref": document.origin_ref,
        "media_type": document.media_type,
        "knowledge_base_id": base,
        "index_id": index,
        "created_at": 0,
        "size_bytes": len(content),
        "hash_sha256": hashlib.sha256(content).hexdigest(),
    }
    return Resource(DOCUMENT, document.id.lower(), fields, {"created": place - 1_000_000})
