"""What the words of `labelled_exchanges.txt` mean: which parts of the contract an exchange shows.

Whoever labels an exchange reads the request and the reply and writes a word for each thing that is there. The words
were written from the sentences of the clauses, and know nothing of the code that they check.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import orjson

FILE = Path(__file__).with_name("labelled_exchanges.txt")
#: Names of operations in the file.
OPERATIONS: Mapping[str, tuple[str, str, str]] = {
    "chat": ("createAssistantChatCompletion", "POST", "/assistants/demo/chat/completions"),
    "open": ("createAssistantChatCompletion", "POST", "/assistants/demo-open/chat/completions"),
    "tools": ("createAssistantChatCompletion", "POST", "/assistants/demo-tools/chat/completions"),
    "docs": ("createAssistantChatCompletion", "POST", "/assistants/demo-knowledge/chat/completions"),
    "nobody": ("createAssistantChatCompletion", "POST", "/assistants/nobody/chat/completions"),
    "agent": ("createAgentChatCompletion", "POST", "/agents/demo/chat/completions"),
    "model": ("createChatCompletion", "POST", "/chat/completions"),
    "prompt": ("createAssistantCompletion", "POST", "/assistants/demo/completions"),
    "list": ("listAgents", "GET", "/agents"),
    "models": ("listModels", "GET", "/models"),
    "embed": ("createEmbedding", "POST", "/embeddings"),
}

_ANSWER = "id object created model choices choices[].index choices[].finish_reason"
_USAGE = "usage usage.prompt_tokens usage.completion_tokens usage.total_tokens"
#: A word and what it adds, as `KIND NAME…`; with `-`, what it takes away. Kinds: `clause`, `sent`, `reply`, `event`,
#: `finish` and `fault`.
WORDS: Mapping[str, tuple[str, ...]] = {
    # one message of a user, without a model, `n` or a session
    "hello": (
        "sent messages messages[].role messages[].content",
        "clause chat.messages-one chat.role-user chat.n-default chat.model-unset chat.session-id-absent",
    ),
    # the whole answer as one JSON document
    "plain": (
        f"reply {_ANSWER} {_USAGE} choices[].message choices[].message.role choices[].message.content",
        "clause chat.stream-default chat.reply-content-type chat.reply-conforms chat.reply-id chat.reply-object",
        "clause chat.reply-created chat.reply-created-now chat.reply-model chat.reply-choices chat.choice-index",
        "clause chat.reply-message chat.reply-content chat.reply-finish-reason chat.reply-usage",
        "clause chat.reply-usage-counted chat.reply-usage-sum model-chat.answer",
    ),
    # chunks: role, content, finish reason, [DONE]
    "stream": (
        f"sent stream\nreply {_ANSWER} choices[].delta choices[].delta.role choices[].delta.content",
        "event role content finish [DONE]",
        "clause chat.stream-content-type chat.stream-framing chat.stream-incremental chat.stream-chunk",
        "clause chat.stream-constant chat.stream-object chat.stream-index chat.stream-role chat.stream-done",
        "clause chat.stream-finish chat.stream-after-finish chat.stream-usage-unasked model-chat.stream",
    ),
    "usage-chunk": (
        f"sent stream_options stream_options.include_usage\nreply {_USAGE}\nevent usage",
        "clause chat.stream-usage chat.stream-usage-sum\n-clause chat.stream-usage-unasked",
    ),
    "stop": ("finish stop",),
    "length": ("finish length",),
    "calls": ("finish tool_calls",),
    # fields of the request
    "n": ("sent n\nclause chat.n-choices\n-clause chat.n-default",),
    "n1": ("clause chat.n-accepted",),
    "temperature": ("sent temperature",),
    "temperature-end": ("clause chat.temperature-accepted",),
    "seed": ("sent seed\nclause chat.seed-accepted",),
    "stops": ("sent stop\nclause chat.stop-content",),
    "one-stop": ("clause chat.stop-accepted",),
    "max": ("sent max_tokens\nclause chat.max-tokens-bound",),
    "max1": ("clause chat.max-tokens-accepted",),
    "max-cut": ("clause chat.max-tokens-finish",),
    "max-completion": ("sent max_completion_tokens\nclause chat.max-completion-tokens-bound",),
    "model-own": ("sent model\nclause chat.model-own chat.reply-model-echoed\n-clause chat.model-unset",),
    "model-empty": ("sent model\nclause chat.model-empty\n-clause chat.model-unset",),
    "top-p": ("sent top_p",),
    "top-k": ("sent top_k",),
    "frequency": ("sent frequency_penalty",),
    "presence": ("sent presence_penalty",),
    "stream-off": ("sent stream",),
    "create-off": ("sent create_session",),
    "null": ("clause chat.null-optional",),
    "json": ("sent response_format response_format.type\nclause chat.response-format-json",),
    "schema": (
        "sent response_format response_format.type response_format.json_schema response_format.json_schema.name",
        "sent response_format.json_schema.schema\nclause chat.response-format-schema",
    ),
    "text-format": ("sent response_format response_format.type",),
    # messages
    "several": ("-clause chat.messages-one",),
    "assistant": ("clause chat.role-assistant",),
    "parts": ("sent messages[].content[].type messages[].content[].text\nclause chat.content-parts",),
    "unusual": ("clause chat.text-unusual",),
    "past-call": ("sent messages[].tool_calls\nclause chat.message-tool-calls",),
    "result": ("sent messages[].tool_call_id\nclause chat.tools-answered",),
    # tools
    "tool": ("sent tools tools[].type tools[].function tools[].function.name",),
    "described": ("sent tools[].function.description tools[].function.parameters",),
    "tools-empty": ("sent tools\nclause chat.tools-empty",),
    "choice": ("sent tool_choice",),
    "named": ("clause chat.tool-choice-named",),
    "none": ("clause chat.tool-choice-none",),
    "required": ("clause chat.tool-choice-required",),
    "called": (
        "reply choices[].message.tool_calls\n-reply choices[].message.content",
        "clause chat.tool-call chat.tool-arguments chat.tool-choice-finish",
    ),
    "called-in-stream": (
        "reply choices[].delta.tool_calls\n-reply choices[].delta.content\nevent tool call\n-event content",
        "clause chat.tool-call chat.tool-arguments chat.tool-choice-finish chat.stream-tool-calls",
    ),
    # sessions
    "create": (
        "sent create_session\nreply session_id\nclause chat.session-created chat.session-fresh",
        "-clause chat.session-id-absent",
    ),
    "store": (
        "sent store_in_session\nreply session_id",
        "clause chat.session-used chat.session-extended chat.session-id-echoed chat.session-first-turn",
        "-clause chat.session-id-absent",
    ),
    "both": ("clause chat.session-create-and-store\n-clause chat.session-created chat.session-fresh",),
    "id": ("clause chat.reply-session-id",),
    "id-in-stream": ("clause chat.session-streamed chat.stream-session-id",),
    "session-choices": ("clause chat.session-stores-first-choice",),
    "session-tools": ("clause chat.session-tool-turns",),
    # knowledge
    "passages": (
        "reply index_context_info index_context_info[].text index_context_info[].metadata",
        "reply index_context_info[].metadata.document_id index_context_info[].metadata.score",
        "clause chat.reply-context",
    ),
    "named-passages": (
        "reply index_context_info[].metadata.origin_name index_context_info[].metadata.media_type",
        "reply index_context_info[].metadata.origin_ref",
    ),
    # refusals
    "sent-messages": ("sent messages",),
    "sent-message": ("sent messages messages[].role messages[].content",),
    "invalid": ("clause chat.validation-error chat.validation-location",),
    "detail": ("clause chat.error-detail",),
    "in-stream": ("sent stream\nclause chat.stream-refused",),
    "twin": ("clause agents.chat-twin",),
}


class Labelled(NamedTuple):
    """A row of the file: the request, the status that it gets, and what a reader saw."""

    line: int
    operation: str
    request: dict[str, object]
    status: int
    words: tuple[str, ...]


def labelled_exchanges() -> list[Labelled]:
    """Return the rows of the file."""
    rows = []
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            operation, request, status, words = (part.strip() for part in line.split(" | "))
            rows.append(Labelled(number, operation, orjson.loads(request), int(status), tuple(words.split())))
    return rows


def expected(words: tuple[str, ...]) -> dict[str, set[str]]:
    """Return what an exchange with these words shows, by kind; a word `KIND:NAME` adds one part."""
    found: dict[str, set[str]] = {kind: set() for kind in ("clause", "sent", "reply", "event", "finish", "fault")}
    removed: dict[str, set[str]] = {kind: set() for kind in found}
    for word in words:
        for part in WORDS.get(word, (word.replace(":", " ", 1),)):
            for line in part.splitlines():
                kind, _, names = line.partition(" ")
                target = removed if kind.startswith("-") else found
                several = ["tool call"] if names.startswith("tool call") else names.split()
                target[kind.removeprefix("-")].update(several)
    return {kind: found[kind] - removed[kind] for kind in found}
