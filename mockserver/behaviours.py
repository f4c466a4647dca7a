"""Which operation acts how, by its operationId; every other one answers from its documentation."""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.behaviour import Behaviour
from mockserver.chat import answer_chat

#: The operation that the kit exists for.
CHAT_OPERATION = "createAssistantChatCompletion"

BEHAVIOURS: Mapping[str, Behaviour] = {
    CHAT_OPERATION: answer_chat,
    "createAgentChatCompletion": answer_chat,
}
