"""Operations that create, list, read, change, delete and search indexes."""

from __future__ import annotations

from typing import Any

from mockserver.core import keys
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection, Write, json_outcome
from mockserver.generation.retrieval import SearchHit, search_tool_of
from mockserver.operations.index_store import (
    all_indexes,
    find_index,
    find_knowledge_base,
    index_removal,
    indexes_of,
    linked_agents,
    search_index,
)
from mockserver.operations.indexing_store import DONE, FAILED, all_documents, all_indexings, state_of
from mockserver.operations.request_body import body_of
from mockserver.operations.resource_store import (
    check_room,
    deletion_reply,
    given_fields,
    json_reply,
    list_resources,
    saved,
)
from mockserver.resources.models import EMBEDDINGS
from mockserver.resources.resource import INDEX, Resource

#: How an index embeds its documents, which can't be changed, and all fields that clients may set.
EMBEDDING = (
    "embeddings_model_endpoint",
    "text_splitting",
    "chunk_size",
    "chunk_overlap",
    "hybrid_search",
    "text_search_config",
)
FIELDS = ("name", "description", *EMBEDDING)
_INTEGERS = ("chunk_size", "chunk_overlap")
#: The largest integer that every JSON parser reads exactly; larger ones are reduced to it. Source: RFC 8259, section 6.
_LARGEST = 2**53 - 1
#: The number of chunks that a search finds by default.
TOP_K = 2


def create_index(context: Context) -> Outcome:
    """Return the new index with 201; raises `Rejection` if it can't embed as it should."""
    base = find_knowledge_base(context)
    check_room(context, len(all_indexes(context)), "indexes")
    given = {name: value for name, value in given_fields(context, FIELDS).items() if value is not None}
    given |= {name: min(int(given.get(name, 0)), _LARGEST) for name in _INTEGERS}
    _check_embedding(context, given)
    now, id = context.fresh.now, context.fresh.id
    tool = search_tool_of(id)
    fields = {**given, "knowledge_base_id": base.id, "created_at": int(now)}
    index = Resource(INDEX, id, fields, {"created": now, "tool_id": tool})
    writes = (saved(context, index, keys.INDEXES), Write(keys.search_tool(tool), id.encode(), pinned=True))
    return Outcome(json_reply(201, index.as_json(**details(context, index))), writes)


def list_indexes(context: Context) -> Outcome:
    """Return a page of the indexes of a knowledge base."""
    base = find_knowledge_base(context)
    own = indexes_of(all_indexes(context), base.id)
    return list_resources(context, own, INDEX, lambda index: details(context, index))


def get_index(context: Context) -> Outcome:
    """Return the index with its knowledge base."""
    base, index = find_index(context)
    return Outcome(json_reply(200, index.as_json(**details(context, index), knowledge_base=base.as_json())))


def update_index(context: Context) -> Outcome:
    """Return the index with another name or description; raises `Rejection` if it would embed in another way."""
    _, index = find_index(context)
    given = given_fields(context, FIELDS)
    for name in EMBEDDING:
        if given.get(name) not in (None, index.fields.get(name)):
            why = f"How an index embeds can't be changed: its {name} is {index.fields.get(name)}. Create another index."
            raise Rejection(400, "embedding-kept", why, ("body", name), index.fields.get(name), given[name])
    merged = dict(index.fields)
    merged.update((name, given[name]) for name in ("name", "description") if name in given)
    fields = {name: value for name, value in merged.items() if value is not None}
    changed = Resource(INDEX, index.id, fields, index.hidden)
    return Outcome(
        json_reply(200, changed.as_json(**details(context, changed))), (saved(context, changed, keys.INDEXES),)
    )


def delete_index(context: Context) -> Outcome:
    """Delete the index with its documents; raises `Rejection` while an agent uses it."""
    _, index = find_index(context)
    linked = linked_agents(context, [index])
    if linked:
        names = ", ".join(agent.name for agent in linked[:10])
        why = f"The index is in use: {names} use it. Unlink it first."
        raise Rejection(409, "delete-linked", why, ("path", INDEX.parameter), 0, len(linked))
    return Outcome(deletion_reply(index), *index_removal(context, index))


def search(context: Context) -> Outcome:
    """Return the chunks of the index that match `text`, the best first."""
    _, index = find_index(context)
    body = body_of(context.call)
    found = search_index(context.settings, context.transaction, context.fresh, index.id)
    most, cutoff = body.get("top_k"), body.get("similarity_cutoff")
    hits = found.search(body["text"], TOP_K if most is None else int(most), cutoff or 0.0) if found else []
    return json_outcome({"chunks": [_chunk(hit) for hit in hits]})


def details(context: Context, index: Resource) -> dict[str, Any]:
    """Return the fields of an index that depend on its documents and on the time."""
    settings, transaction, now = context.settings, context.transaction, context.fresh.now
    ended = [one for one in all_indexings(settings, transaction, index.id) if state_of(one, now) in (DONE, FAILED)]
    last = max(ended, key=lambda one: one.hidden["ends"], default=None)
    failed = last is not None and state_of(last, now) == FAILED
    return {
        "last_indexed_at": int(last.hidden["ends"]) if last else None,
        "last_indexed_by_id": last.id if last else None,
        "num_documents": len(all_documents(settings, transaction, index.id)),
        "status": "ERROR" if failed else "AVAILABLE",
        "status_errors": [f"The indexing {last.id} failed for a document."] if last and failed else None,
    }


def _check_embedding(context: Context, given: dict[str, Any]) -> None:
    name = given["embeddings_model_endpoint"]
    model = context.settings.models.get(name)
    known = ", ".join(one.id for one in context.settings.models.values() if one.type == EMBEDDINGS)
    if model is None or model.type != EMBEDDINGS:
        why = f"{name} is not a model that embeds. Models: {known}."
        raise Rejection(400, "endpoint-unknown", why, ("body", "embeddings_model_endpoint"), known, name)
    size, overlap = given["chunk_size"], given["chunk_overlap"]
    if overlap > size // 2:
        why = f"This server accepts a chunk_overlap of at most half of the chunk_size, {size // 2}."
        raise Rejection(400, "overlap-half", why, ("body", "chunk_overlap"), size // 2, overlap)
    if given.get("hybrid_search") and not given.get("text_search_config"):
        raise Rejection(400, "", "hybrid_search needs a text_search_config.", ("body", "text_search_config"))


def _chunk(hit: SearchHit) -> dict[str, Any]:
    document = hit.document
    return {
        "origin_name": document.origin_name,
        "origin_ref": document.origin_ref,
        "document_id": document.id,
        "score": round(hit.score, 4),
        "media_type": document.media_type,
        "text": document.text,
    }
