"""What an agent knows: its own documents, the index of its `index_id`, and the indexes of its search tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.core.context import Context
from mockserver.generation.retrieval import KnowledgeSearch, SearchIndex
from mockserver.operations.index_store import index_of_tool, search_index
from mockserver.resources.agents import Agent

#: The maximum number of passages that an answer uses if the agent has no setting for it.
TOP_N = 2


def searches_of(context: Context, agent: Agent) -> list[KnowledgeSearch]:
    """Return the searches of an agent.

    One covers the agent's own documents and the index of its `index_id`. Each index whose search tool is linked to the
    agent is searched separately. No index is searched twice.
    """
    settings, links = context.settings, agent.setting("tools", ())
    index_id = agent.setting("index_id", "").lower()
    documents = settings.indexes.get(agent.id) if agent.documents else None
    if not documents and not index_id and not links:
        return []
    most, cutoff = agent.setting("index_top_n", TOP_N), agent.setting("index_similarity_cutoff", 0.0)
    linked = _find(context, index_id) if index_id else None
    own = [one for one in (documents, linked) if one]
    searches = [KnowledgeSearch(own, most, cutoff)] if own else []
    searched = {index_id}
    for link in links:
        index = index_of_tool(settings, context.transaction, link["tool_id"].lower())
        found = _find(context, index) if index and index not in searched else None
        if index and found:
            searched.add(index)
            limits = (_value(link, "top_n", most), _value(link, "similarity_cutoff", cutoff))
            searches.append(KnowledgeSearch([found], *limits))
    return searches


def _find(context: Context, index_id: str) -> SearchIndex | None:
    return search_index(context.settings, context.transaction, context.fresh, index_id)


def _value(link: Mapping[str, Any], name: str, absent: Any) -> Any:
    value = link.get(name)
    return absent if value is None else value
