"""Indexes in the store: lookup, the agents that use them, and searching their documents."""

from __future__ import annotations

from collections.abc import Sequence

from mockserver.core import keys
from mockserver.core.context import Context, FreshValues, Settings
from mockserver.core.outcome import Write
from mockserver.core.transaction import Transaction
from mockserver.generation.chunking import chunks
from mockserver.generation.retrieval import KnowledgeDocument, SearchIndex
from mockserver.operations.agent_store import all_agents
from mockserver.operations.indexing_store import DONE, all_documents, all_indexings, by_id, document_state
from mockserver.operations.resource_store import all_resources, find_resource, look_up, removed, unknown
from mockserver.resources.agents import Agent
from mockserver.resources.resource import INDEX, KNOWLEDGE_BASE, Resource

#: Characters of all chunks of an index that are searched: further documents, the newest, are not found.
MOST_SEARCHED = 8_000_000


def find_knowledge_base(context: Context) -> Resource:
    """Return the knowledge base that the path names; raises `Rejection` if it does not exist."""
    return find_resource(context, KNOWLEDGE_BASE, keys.KNOWLEDGE_BASES)


def find_index(context: Context) -> tuple[Resource, Resource]:
    """Return the knowledge base and its index that the path names; raises `Rejection` if one does not exist."""
    base, index = find_knowledge_base(context), find_resource(context, INDEX, keys.INDEXES)
    if index.fields["knowledge_base_id"] != base.id:
        raise unknown(INDEX, index.id)
    return base, index


def all_indexes(context: Context) -> list[Resource]:
    """Return every index of every knowledge base, oldest first."""
    return all_resources(context.settings, context.transaction, INDEX, keys.INDEXES)


def indexes_of(indexes: Sequence[Resource], base: str) -> list[Resource]:
    """Return those of the indexes that belong to a knowledge base."""
    return [index for index in indexes if index.fields["knowledge_base_id"] == base]


def linked_agents(context: Context, indexes: Sequence[Resource]) -> list[Agent]:
    """Return the agents that use one of the indexes, by their `index_id` or through a search tool."""
    return agents_of(all_agents(context.settings, context.transaction), indexes)


def agents_of(agents: Sequence[Agent], indexes: Sequence[Resource]) -> list[Agent]:
    """Return those of the agents that use one of the indexes."""
    ids = {index.id for index in indexes}
    tools = {index.hidden["tool_id"] for index in indexes}
    return [agent for agent in agents if agent.searches(ids, tools)]


def index_of_tool(settings: Settings, transaction: Transaction, tool: str) -> str | None:
    """Return the id of the index that a search tool searches, None if it is not the search tool of an index."""
    stored = transaction.get(keys.search_tool(tool))
    if stored is not None:
        return stored.decode()
    configured = settings.configured.get(keys.INDEXES, {}).values()
    return next((index.id for index in configured if index.hidden["tool_id"] == tool), None)


def search_index(settings: Settings, transaction: Transaction, fresh: FreshValues, id: str) -> SearchIndex | None:
    """Return what searches an index: its documents that are indexed by now. None for an unknown index."""
    index = look_up(settings, transaction, INDEX, keys.INDEXES, id)
    if index is None:
        return None
    indexings = by_id(all_indexings(settings, transaction, index.id))
    documents = all_documents(settings, transaction, index.id)
    known = [one for one in documents if document_state(one, indexings, fresh.now) == DONE]
    configured = settings.configured.get(keys.documents(index.id), {})
    if len(known) == len(configured) and all(one.id in configured for one in known):
        ready = settings.indexes.get(index.id)
        if ready:
            return ready
    size, overlap = index.fields["chunk_size"], index.fields["chunk_overlap"]
    contents = tuple((one.id, one.fields["hash_sha256"]) for one in known)

    def build() -> SearchIndex:
        found: list[KnowledgeDocument] = []
        left = MOST_SEARCHED
        for one in known:
            passages = _passages(settings, transaction, index, one, size, overlap)
            left -= sum(len(passage.text) for passage in passages)
            if left < 0:
                break
            found += passages
        return SearchIndex(found, index.hidden["tool_id"], index.fields["knowledge_base_id"])

    return settings.search_cache.find((contents, size, overlap), build)


def index_removal(context: Context, index: Resource) -> tuple[tuple[Write, ...], tuple[str, ...]]:
    """Return the writes and the cleared prefixes that delete an index with its documents."""
    writes = [removed(context, keys.INDEXES, index.id), Write(keys.search_tool(index.hidden["tool_id"]), None)]
    documents = context.settings.configured.get(keys.documents(index.id), {})
    writes.append(Write(keys.newest_indexing(index.id), None))
    cleared = () if documents else (keys.documents(index.id),)
    return (*writes,), (*cleared, keys.document_texts(index.id), keys.indexings(index.id))


def _passages(
    settings: Settings, transaction: Transaction, index: Resource, document: Resource, size: int, overlap: int
) -> list[KnowledgeDocument]:
    """Return the chunks of a document; a configured one is a passage, whatever its length."""
    fields = document.fields
    origin = (fields.get("origin_name"), fields.get("media_type"), fields.get("origin_ref"))
    if document.id in settings.configured.get(keys.documents(index.id), {}):
        ready = settings.indexes[index.id]
        return [one for one in ready.documents if one.id.lower() == document.id]
    stored = transaction.get(keys.document_text(index.id, document.id))
    text = stored.decode("utf-8", "surrogatepass") if stored else ""
    return [KnowledgeDocument(document.id, chunk, *origin) for chunk in chunks(text, size, overlap)]
