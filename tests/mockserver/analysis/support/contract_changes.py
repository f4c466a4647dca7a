"""Changes of the contract, each with whether it affects one client, decided by hand; and what that client recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from agent_contract import Contract
from agent_contract.contract import compile_contract
from agent_contract.document.document import Document
from agent_contract.messages import Request
from mockserver.recording.recording import Recording
from tests.mockserver.support.chat_client import CONTRACT, engine, path_of, user

BASE = "/api/v1/compatibility/openai/v1"
Edit = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Change:
    """A change of the document; `affects` is whether the client below meets it."""

    name: str
    affects: bool
    edit: Edit


@cache
def recordings() -> tuple[Recording, ...]:
    """Return the calls of a client that chats, with a session and with streams, and lists agents and models."""
    mock = engine()
    token = {"authorization": "Bearer any"}

    def post(agent: str = "demo", **fields: Any) -> Request:
        said = [user("Hello!"), {"role": "assistant", "content": "Good morning."}, user("How are you?")]
        body = {"messages": said, "user": "someone", **fields}
        return Request(
            "POST", path_of(agent), (), {"content-type": "application/json", **token}, json.dumps(body).encode()
        )

    first = mock.handle(post(create_session=True, temperature=0.7))
    session = json.loads(first.reply.content())["session_id"]
    later = (
        post(store_in_session=session, messages=[user("And then?")]),
        post(stream=True, max_tokens=50),
        post(temperature=3),
        post(agent="unknown"),
        Request("GET", f"{BASE}/assistants", (("limit", "5"),), token),
        Request("GET", f"{BASE}/models"),
    )
    exchanges = [first, *map(mock.handle, later)]
    assert [one.reply.status for one in exchanges] == [200, 200, 200, 422, 404, 200, 200]
    return tuple(Recording(f"{number:04}.json", one) for number, one in enumerate(exchanges, 1))


def contract(change: Change | None = None) -> Contract:
    """Return the contract after a change, or before."""
    root = deepcopy(_without_examples(CONTRACT.document))
    if change:
        change.edit(root)
    return compile_contract(Document(CONTRACT.source, {"": root}))[0]


def _at(root: dict[str, Any], *keys: str) -> Any:
    for key in keys:
        root = root[key]
    return root


def _put(*keys: str, **fields: Any) -> Edit:
    """Return the edit that sets keywords of an object."""
    return lambda root: _at(root, *keys).update(fields)


def _drop(*keys: str) -> Edit:
    """Return the edit that removes a value, and a property from the list of those that are required."""

    def edit(root: dict[str, Any]) -> None:
        del _at(root, *keys[:-1])[keys[-1]]
        if keys[-2:-1] == ("properties",):
            _optional(*keys[:-2], name=keys[-1])(root)

    return edit


def _optional(*keys: str, name: str) -> Edit:
    def edit(root: dict[str, Any]) -> None:
        schema = _at(root, *keys)
        schema["required"] = [one for one in schema.get("required", ()) if one != name]

    return edit


def _required(*keys: str, name: str) -> Edit:
    return lambda root: _at(root, *keys).setdefault("required", []).append(name)


def _clause(*keys: str, id: str, **fields: Any) -> Edit:
    """Return the edit that changes a clause, or removes it if no fields are given."""

    def edit(root: dict[str, Any]) -> None:
        clauses = _at(root, *keys)["x-clauses"]
        (found,) = [one for one in clauses if one["id"] == id]
        if fields:
            found.update(fields)
        else:
            clauses.remove(found)

    return edit


def _without_examples(value: Any) -> Any:
    """Return a document without request examples: a change would contradict those of the whole."""
    if isinstance(value, dict):
        return {
            name: _without_examples(inner)
            for name, inner in value.items()
            if not (
                isinstance(inner, dict) and any("x-exchange" in one for one in inner.values() if isinstance(one, dict))
            )
        }
    return [_without_examples(inner) for inner in value] if isinstance(value, list) else value


def _drop_sent(name: str) -> Edit:
    """Return the edit that removes a field of chats with agents; chats with models refer to it and keep it."""

    def edit(root: dict[str, Any]) -> None:
        properties = _at(root, *_SENT)
        _at(root, *_SCHEMA("ChatCompletionsRequestPayload", "properties"))[name] = properties.pop(name)

    return edit


def _path(path: str, *keys: str) -> tuple[str, ...]:
    return ("paths", f"{BASE}/{path}", *keys)


def _move(path: str, new: str) -> Edit:
    def edit(root: dict[str, Any]) -> None:
        root["paths"][f"{BASE}/{new}"] = root["paths"].pop(f"{BASE}/{path}")

    return edit


_SCHEMA = partial(lambda *keys: ("components", "schemas", *keys))
_SENT = _SCHEMA("AgentChatCompletionsRequestPayload", "properties")
_GOT = _SCHEMA("AgentChatCompletionsResponsePayload", "properties")
_CHUNK = _SCHEMA("AgentChatCompletionChunk", "properties")
_QUERY = ("components", "parameters")
_CHAT = _path("assistants/{agent_id}/chat/completions", "post")
_REPLIES = ("components", "responses")


def _parameter(path: str, name: str, place: str) -> Edit:
    """Return the edit that adds a parameter which must be sent."""
    parameter = {"name": name, "in": place, "required": True, "schema": {"type": "string"}}
    return lambda root: _at(root, *_path(path, "get", "parameters")).append(parameter)


def _range(*keys: str, status: str) -> Edit:
    def edit(root: dict[str, Any]) -> None:
        responses = _at(root, *keys)
        responses[f"{status[0]}XX"] = responses.pop(status)

    return edit


def _event_name(root: dict[str, Any]) -> None:
    for event in _at(root, *_SCHEMA("ChatCompletionEvent", "oneOf")):
        event["properties"]["event"] = {"const": "chunk"}
        event["required"].append("event")


def _status_by_default(root: dict[str, Any]) -> None:
    responses = _at(root, *_CHAT, "responses")
    responses["default"] = responses.pop("200")


def _forms(root: dict[str, Any]) -> None:
    content = _at(root, "components", "requestBodies", "AgentChatCompletions", "content")
    content["application/x-www-form-urlencoded"] = {"schema": {"type": "object"}}


def _log_probabilities(root: dict[str, Any]) -> None:
    _put(*_SCHEMA("ChatChoice", "properties"), logprobs={"type": "object"})(root)
    _required(*_SCHEMA("ChatChoice"), name="logprobs")(root)


def _rename_usage(root: dict[str, Any]) -> None:
    schemas = root["components"]["schemas"]
    schemas["Consumption"] = schemas["Usage"]
    schemas["Usage"] = {"$ref": "#/components/schemas/Consumption"}


_ALL = (
    # What the client sends
    ("the maximum of temperature is now below what was sent", True, _put(*_SENT, "temperature", maximum=0.5)),
    ("the maximum of temperature is lower, and not below what was sent", False, _put(*_SENT, "temperature", maximum=1)),
    ("a refused temperature is accepted now", True, _put(*_SENT, "temperature", maximum=4)),
    ("max_tokens has a maximum that was exceeded", True, _put(*_SENT, "max_tokens", maximum=40)),
    ("max_tokens has a maximum that was kept", False, _put(*_SENT, "max_tokens", maximum=4000)),
    ("a field that was sent is no longer listed", True, _drop_sent("max_tokens")),
    ("a field that was not sent is no longer listed", False, _drop_sent("seed")),
    ("a field that was sent unlisted has a meaning now", True, _put(*_SENT, user={"type": "string"})),
    ("a new field that was not sent", False, _put(*_SENT, priority={"type": "integer"})),
    ("a new field must be sent", True, _required(*_SENT[:-1], name="model")),
    ("unlisted fields are refused", True, _put(*_SENT[:-1], additionalProperties=False)),
    ("unlisted fields of tools are refused", False, _put(*_SCHEMA("Tool"), additionalProperties=False)),
    ("only one message may be sent", True, _put(*_SENT, "messages", maxItems=1)),
    ("a role that was sent is unknown", True, _put(*_SCHEMA("ChatMessage", "properties", "role"), enum=["user"])),
    (
        "the roles are listed, and all that were sent are among them",
        False,
        _put(*_SCHEMA("ChatMessage", "properties", "role"), enum=["system", "user", "assistant", "tool"]),
    ),
    ("a text may be shorter only", True, _put(*_SCHEMA("ChatMessage", "properties", "content"), maxLength=7)),
    ("the default of a field that was left out", True, _put(*_SENT, "temperature", default=1)),
    ("the default of a parameter that was left out", True, _put(*_QUERY, "Order", "schema", default="desc")),
    ("the default of a parameter that was sent", False, _put(*_QUERY, "Limit", "schema", default=20)),
    ("a parameter that was sent has a lower maximum", True, _put(*_QUERY, "Limit", "schema", exclusiveMaximum=5)),
    ("a parameter that was not sent has a lower maximum", False, _put(*_QUERY, "Offset", "schema", maximum=5)),
    ("top_p has a narrower range", False, _put(*_SENT, "top_p", minimum=0.5)),
    ("the input of embeddings must be shorter", False, _put(*_SCHEMA("EmbeddingsRequestPayload"), maxProperties=1)),
    (
        "a message needs a name as well",
        True,
        _put(*_SCHEMA("ChatMessage"), **{"else": {"required": ["content", "name"]}}),
    ),
    ("a message with tool calls needs a name", False, _put(*_SCHEMA("ChatMessage"), then={"required": ["name"]})),
    ("an empty list of messages is accepted", False, _put(*_SENT, "messages", minItems=0)),
    ("a parameter that was sent takes any text", False, _put(*_QUERY, "Limit", "schema", type="string")),
    ("a header must be sent", True, _parameter("assistants", "x-tenant", "header")),
    ("a header must be sent with an operation that was not called", False, _parameter("agents", "x-tenant", "header")),
    ("a field is discouraged", False, _put(*_SENT, "temperature", deprecated=True)),
    ("a body may be absent", False, _put("components", "requestBodies", "AgentChatCompletions", required=False)),
    # What the client got
    ("the session's id has another form", True, _drop(*_GOT, "session_id", "format")),
    ("a number of the answer may be negative", True, _drop(*_SCHEMA("Usage", "properties", "total_tokens"), "minimum")),
    ("a default of the answer", False, _put(*_GOT, "object", default="chat")),
    ("a status is documented by its range", False, _range(*_CHAT, "responses", status="404")),
    (
        "a status has another body",
        True,
        _put(*_CHAT, "responses", **{"404": {"$ref": "#/components/responses/ValidationFailed"}}),
    ),
    (
        "a reply has a new header",
        False,
        _put(*_REPLIES, "ModelList", headers={"x-id": {"required": True, "schema": {}}}),
    ),
    ("the events of a stream have names", True, _event_name),
    ("a list may be empty", False, _put(*_SCHEMA("OpenAIModelListResponse", "properties", "data"), minItems=0)),
    ("a schema has another name", False, _rename_usage),
    ("a field of the answer is removed", True, _drop(*_GOT, "usage")),
    ("the session's id is removed", True, _drop(*_GOT, "session_id")),
    ("the usage of a stream that did not ask for it is removed", False, _drop(*_CHUNK, "usage")),
    ("a field of the chunks is removed", True, _drop(*_CHUNK, "model")),
    ("tool calls are removed from answers", False, _drop(*_SCHEMA("AnswerMessage", "properties"), "tool_calls")),
    ("a field of the answer may be absent", True, _optional(*_GOT[:-1], name="usage")),
    ("a field of embeddings may be absent", False, _optional(*_SCHEMA("EmbeddingsResponsePayload"), name="usage")),
    ("a field of the answer has another type", True, _put(*_GOT, "created", type="string")),
    ("a field of the answer may be null", True, _put(*_GOT, "model", type=["string", "null"])),
    (
        "a field of the answer may no longer be null",
        False,
        _put(*_SCHEMA("AnswerMessage", "properties", "content"), type="string"),
    ),
    ("the answer has a new field", False, _put(*_GOT, system_fingerprint={"type": "string"})),
    ("the finish reasons are listed", False, _put(*_SCHEMA("FinishReason"), enum=["stop", "length", None])),
    ("a finish reason that was got is not possible", True, _put(*_SCHEMA("FinishReason"), enum=["end", None])),
    (
        "the last event of a stream is another one",
        True,
        _put(*_SCHEMA("ChatCompletionEvent", "oneOf", 0, "properties", "data"), const="[END]"),
    ),
    ("chats have no streams", True, _drop(*_REPLIES, "AgentChatCompletion", "content", "text/event-stream")),
    ("models have no streams", False, _drop(*_REPLIES, "ChatCompletion", "content", "text/event-stream")),
    ("a status that was got is removed", True, _drop(*_CHAT, "responses", "404")),
    ("a status that was not got is removed", False, _drop(*_CHAT, "responses", "413")),
    ("a new status", False, _put(*_CHAT, "responses", **{"429": {"description": "Too many."}})),
    ("a field of a refusal is removed", True, _drop(*_SCHEMA("ValidationError", "properties"), "msg")),
    ("a header of a reply that was not got is removed", False, _drop(*_REPLIES, "Unavailable", "headers")),
    ("an agent's field in the list is removed", True, _drop(*_SCHEMA("Agent", "properties"), "name")),
    # Operations
    ("an operation that was called is removed", True, _drop(*_path("models"))),
    ("an operation that was not called is removed", False, _drop(*_path("embeddings"))),
    ("an operation that was called has another path", True, _move("models", "all-models")),
    ("an operation that was called has another id", False, _put(*_path("models", "get"), operationId="allModels")),
    ("a parameter of the path has another name", False, _put(*_QUERY, "AgentId", description="The agent.")),
    ("a call without a token needs one", True, _put(*_path("models", "get"), security=[{"bearer": []}])),
    ("a call with a token needs one", False, _put(*_path("assistants", "get"), security=[{"bearer": []}])),
    # Clauses
    (
        "a promise about what was sent is taken back",
        True,
        _clause(*_SENT, "store_in_session", id="chat.session-isolated"),
    ),
    (
        "a promise about what was not sent is taken back",
        False,
        _clause(*_SENT, "tool_choice", id="chat.tool-choice-finish"),
    ),
    (
        "a promise about what was got is reworded",
        True,
        _clause(*_GOT, "created", id="chat.reply-created-now", sentence="It may differ."),
    ),
    (
        "a promise about what was not got is reworded",
        False,
        _clause(*_SENT, "seed", id="chat.seed-repeats", sentence="It may differ."),
    ),
    (
        "a promise about what was sent is weaker",
        True,
        _clause(*_SENT, "max_tokens", id="chat.max-tokens-bound", grade="assumed"),
    ),
    ("the description of the document is different", False, _put("info", description="Another text.")),
)
#: Written after the rules were, and labelled before they were tried.
_LATER = (
    ("a number of the answer may have a fraction", True, _put(*_GOT, "created", type="number")),
    ("a number that was sent may have a fraction", False, _put(*_SENT, "max_tokens", type="number")),
    ("an agent is named by its id only", True, _put(*_QUERY, "AgentId", "schema", format="uuid")),
    ("the answer has no unlisted fields, and had none", False, _put(*_GOT[:-1], additionalProperties=False)),
    ("the reason of a refusal is an object", True, _put(*_SCHEMA("Refusal", "properties", "detail"), type="object")),
    ("a status is documented by the default", False, _status_by_default),
    (
        "the usage of a chunk is not null, and was absent",
        False,
        _put(*_CHUNK, "usage", anyOf=[{"$ref": "#/components/schemas/Usage"}]),
    ),
    ("each part of a content needs text", False, _put(*_SCHEMA("ContentPart"), required=["type", "text"])),
    ("a content is text only", False, _put(*_SCHEMA("ChatMessage", "properties", "content"), type="string")),
    ("a content is a list only", True, _put(*_SCHEMA("ChatMessage", "properties", "content"), type="array")),
    ("a request has two fields at most", True, _put(*_SENT[:-1], maxProperties=2)),
    ("there is one choice at most", False, _put(*_GOT, "choices", maxItems=1)),
    ("there are two choices at least", True, _put(*_GOT, "choices", minItems=2)),
    ("chunks have no role", True, _drop(*_SCHEMA("ChunkChoice", "properties", "delta", "properties"), "role")),
    (
        "chunks have no tool calls",
        False,
        _drop(*_SCHEMA("ChunkChoice", "properties", "delta", "properties"), "tool_calls"),
    ),
    ("all paths have a prefix", True, _put(servers=[{"url": "/v2"}])),
    ("a refusal that was got has another status", True, _drop(*_CHAT, "responses", "422")),
    ("a refusal that was not got has another status", False, _drop(*_CHAT, "responses", "405")),
    ("a parameter is a multiple of what was not sent", True, _put(*_QUERY, "Limit", "schema", multipleOf=10)),
    ("a parameter is a multiple of what was sent", False, _put(*_QUERY, "Limit", "schema", multipleOf=5)),
    ("a field that was sent is forbidden", True, _put(*_SENT[:-1], **{"not": {"required": ["user"]}})),
    ("fields that were not sent are forbidden", False, _put(*_SENT[:-1], **{"not": {"required": ["tools", "n"]}})),
    ("a request can be a form", False, _forms),
    ("a choice has a new field that must be there", False, _log_probabilities),
    (
        "a field that was never null is not null",
        False,
        _put(*_SCHEMA("Agent", "properties", "index_id"), type="string"),
    ),
    ("a field of a list may be absent", True, _optional(*_SCHEMA("AgentListResponse"), name="first_id")),
    (
        "a field of embeddings may be null",
        False,
        _put(*_SCHEMA("EmbeddingsResponsePayload", "properties", "model"), type=["string", "null"]),
    ),
)
CHANGES = tuple(Change(name, affects, edit) for name, affects, edit in (*_ALL, *_LATER))
