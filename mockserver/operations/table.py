"""The behaviours of the agent API, by operationId; other operations answer with their examples."""

from __future__ import annotations

from collections.abc import Mapping

from agent_contract import Contract
from mockserver.core.context import Behaviour
from mockserver.operations.agent_list import list_agents
from mockserver.operations.agents import create_agent, delete_agent, get_agent, update_agent
from mockserver.operations.chat import answer_chat
from mockserver.operations.documents import delete_document, get_document, list_documents, upload_document
from mockserver.operations.indexes import (
    create_index,
    delete_index,
    get_index,
    list_indexes,
    search,
    update_index,
)
from mockserver.operations.indexings import (
    cancel_indexing,
    create_indexing,
    get_active_indexing,
    get_indexing,
    list_indexings,
)
from mockserver.operations.knowledge_bases import (
    create_knowledge_base,
    delete_knowledge_base,
    get_knowledge_base,
    list_knowledge_bases,
    update_knowledge_base,
)
from mockserver.operations.legacy_completions import answer_prompts
from mockserver.operations.models import answer_model_chat, create_embeddings, list_models

#: The chat with an agent, which every document with these behaviours has.
CHAT_OPERATION = "createAssistantChatCompletion"

#: What the published form of a create requires, besides the schema.
PUBLISHED_CREATE_FORM = dict.fromkeys(
    ("createAgent", "createAssistant"), ("session_max_length", "session_summarization_strategy")
)

#: Operations of agents and of assistants behave the same.
BEHAVIOURS: Mapping[str, Behaviour] = {
    CHAT_OPERATION: answer_chat,
    "createAgentChatCompletion": answer_chat,
    "createAssistantCompletion": answer_prompts,
    "createAgentCompletion": answer_prompts,
    "listAssistants": list_agents,
    "listAgents": list_agents,
    "createAssistant": create_agent,
    "createAgent": create_agent,
    "getAssistant": get_agent,
    "getAgent": get_agent,
    "updateAssistant": update_agent,
    "updateAgent": update_agent,
    "deleteAssistant": delete_agent,
    "deleteAgent": delete_agent,
    "listModels": list_models,
    "createChatCompletion": answer_model_chat,
    "createEmbedding": create_embeddings,
    "listKnowledgeBases": list_knowledge_bases,
    "createKnowledgeBase": create_knowledge_base,
    "getKnowledgeBase": get_knowledge_base,
    "updateKnowledgeBase": update_knowledge_base,
    "deleteKnowledgeBase": delete_knowledge_base,
    "listIndexes": list_indexes,
    "createIndex": create_index,
    "getIndex": get_index,
    "updateIndex": update_index,
    "deleteIndex": delete_index,
    "searchIndex": search,
    "listDocuments": list_documents,
    "uploadDocument": upload_document,
    "getDocument": get_document,
    "deleteDocument": delete_document,
    "listIndexings": list_indexings,
    "createIndexing": create_indexing,
    "getIndexing": get_indexing,
    "cancelIndexing": cancel_indexing,
    "getActiveIndexing": get_active_indexing,
}


#: The behaviours by the name that a document gives as `x-behaviours`.
_BY_NAME: Mapping[str, Mapping[str, Behaviour]] = {"agent-api": BEHAVIOURS}


def behaviours_of(contract: Contract) -> Mapping[str, Behaviour]:
    """Return the behaviours that the document names as `x-behaviours`; none if it names none.

    An operationId alone does not decide: a foreign document may call an operation `getAgent` as well.
    """
    return _BY_NAME.get(str(contract.document.get("x-behaviours")), {})


def is_own_document(contract: Contract) -> bool:
    """Return whether the document names behaviours, which replace the rules for any document."""
    return str(contract.document.get("x-behaviours")) in _BY_NAME
