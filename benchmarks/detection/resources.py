"""The reference server's operations around the chat, as routes of its application."""

import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import Body, FastAPI, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, create_model

from benchmarks.detection.answers import COMPLETION, MODEL_CHAT
from benchmarks.detection.hooks import Fields, ServerHooks
from benchmarks.detection.registry import Registry
from server_defects.hooks import Payload, Refusal

ROOT = "/api/v1/compatibility/openai/v1"
TWINS = ("agents", "assistants")
#: The kinds of request whose fields a deployment may change.
LIST, CREATE, UPDATE, EMBED, PROMPT = "list", "create", "update", "embed", "prompt"

Positive = Annotated[StrictInt, Field(ge=1)]
#: Answers a valid payload to an agent in a style.
Answering = Callable[[str, Payload, str], Response]


class ToolLink(BaseModel):
    """A tool that an agent may use."""

    link_type: str
    tool_id: str


def list_fields() -> Fields:
    """Return the query of a list."""
    return {
        "after": (str | None, None),
        "before": (str | None, None),
        "limit": (int, Field(100, gt=0, lt=1000)),
        "offset": (int, Field(0, ge=0, le=4294967296)),
        "order": (Literal["asc", "desc"], "asc"),
        "set_num_objects": (bool, False),
        "name": (str | None, None),
        "index_id": (uuid.UUID | None, None),
        "knowledge_base_id": (uuid.UUID | None, None),
    }


def update_fields() -> Fields:
    """Return the fields of an agent that can be changed."""
    return {
        "model": (str | None, None),
        "name": (str | None, Field(None, max_length=256)),
        "description": (str | None, Field(None, max_length=512)),
        "instructions": (str | None, Field(None, max_length=32768)),
        "metadata": (dict[str, str] | None, Field(None, max_length=16)),
        "session_max_ttl": (Positive | None, None),
        "session_max_length": (StrictInt | None, None),
        "session_summarization_strategy": (str | None, None),
        "chat_system_instruction_mode": (str | None, None),
        "completion_role": (str | None, None),
        "index_id": (uuid.UUID | None, None),
        "index_top_n": (Positive | None, None),
        "index_similarity_cutoff": (StrictFloat | None, None),
        "index_reference_format": (str | None, None),
        "index_reference_delimiter": (str | None, None),
        "tools": (list[ToolLink] | None, None),
        "agent_type": (str | None, None),
    }


def create_fields() -> Fields:
    """Return the fields of a new agent: those that can be changed, and a model is needed."""
    return {**update_fields(), "model": (str, ...)}


def embed_fields() -> Fields:
    """Return the fields of a request for embeddings."""
    return {
        "input": (str | Annotated[list[str], Field(min_length=1)], ...),
        "model": (str, ...),
        "encoding_format": (Literal["float", "base64"] | None, None),
        "dimensions": (Positive | None, None),
        "user": (str | None, None),
    }


def prompt_fields() -> Fields:
    """Return the fields of a completion."""
    return {
        "prompt": (str | Annotated[list[str], Field(min_length=1)], ...),
        "create_session": (StrictBool | None, None),
        "store_in_session": (uuid.UUID | None, None),
        "model": (str | None, None),
        "seed": (StrictInt | None, None),
        "temperature": (StrictFloat | None, Field(0, ge=0, le=2)),
        "n": (Positive | None, 1),
        "stop": (list[str] | None, Field(None, min_length=1)),
        "max_tokens": (Positive | None, None),
        "stream": (StrictBool | None, None),
    }


FIELDS: Mapping[str, Callable[[], Fields]] = {
    LIST: list_fields,
    CREATE: create_fields,
    UPDATE: update_fields,
    EMBED: embed_fields,
    PROMPT: prompt_fields,
}


def add_agents(app: FastAPI, hooks: ServerHooks, registry: Registry) -> None:
    """Add the operations on agents to an application, under both of their paths."""
    query, create, update = (model_of(hooks, kind) for kind in (LIST, CREATE, UPDATE))

    def reply(operation: str, answer: Callable[[], tuple[int, Any]]) -> Response:
        return replied(hooks, operation, answer)

    for twin in TWINS:

        @app.get(f"{ROOT}/{twin}")
        async def page(asked: Annotated[query, Query()]) -> Response:  # type: ignore[valid-type]
            sent = asked.model_dump(mode="json")  # type: ignore[attr-defined]
            return reply("list", lambda: registry.page(sent))

        @app.post(f"{ROOT}/{twin}")
        async def created(asked: create) -> Response:  # type: ignore[valid-type]
            sent = asked.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
            return reply("create", lambda: registry.create(sent))

        @app.get(f"{ROOT}/{twin}/{{agent_id}}")
        async def got(agent_id: str) -> Response:
            return reply("get", lambda: registry.get(agent_id))

        @app.post(f"{ROOT}/{twin}/{{agent_id}}")
        async def updated(agent_id: str, asked: update) -> Response:  # type: ignore[valid-type]
            sent = asked.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
            return reply("update", lambda: registry.update(agent_id, sent))

        @app.delete(f"{ROOT}/{twin}/{{agent_id}}")
        async def deleted(agent_id: str) -> Response:
            return reply("delete", lambda: registry.delete(agent_id))


def add_models(app: FastAPI, hooks: ServerHooks, registry: Registry, answered: Answering, chat: Any) -> None:
    """Add the operations on models, and the completions of a prompt; `chat` is the model of a chat's request."""
    embed, prompt = model_of(hooks, EMBED), model_of(hooks, PROMPT)
    needed: Any = create_model("ModelChat", __base__=chat, model=(str, ...))

    @app.get(f"{ROOT}/models")
    async def models() -> Response:
        return replied(hooks, "models", registry.models)

    @app.post(f"{ROOT}/embeddings")
    async def embedded(asked: embed) -> Response:  # type: ignore[valid-type]
        sent = asked.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
        return replied(hooks, "embed", lambda: registry.embed(sent))

    @app.post(f"{ROOT}/chat/completions")
    async def chatted(asked: Annotated[needed, Body()]) -> Response:
        sent = asked.model_dump(mode="json", exclude_unset=True)

        def kind() -> tuple[int, Any]:
            registry.of_kind(sent["model"], registry.model)
            return 0, None

        apart = {name: value for name, value in sent.items() if name not in ("create_session", "store_in_session")}
        refused = replied(hooks, "model-chat-kind", kind)
        return refused if refused.status_code != NOTHING else answered(hooks.agent_id, apart, MODEL_CHAT)

    for twin in TWINS:

        @app.post(f"{ROOT}/{twin}/{{agent_id}}/completions")
        async def completed(agent_id: str, asked: prompt) -> Response:  # type: ignore[valid-type]
            sent = asked.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
            texts = [sent["prompt"]] if isinstance(sent["prompt"], str) else sent["prompt"]
            messages = [{"role": "user", "content": "\n".join(texts)}]
            return answered(agent_id, {**sent, "messages": messages}, COMPLETION)


#: Marks an answer that another function gives.
NOTHING = 204


def model_of(hooks: ServerHooks, kind: str, own: Mapping[str, Callable[[], Fields]] = FIELDS) -> Any:
    """Return the model of a kind of request, with the fields that the hook of the deployment leaves."""
    fields = hooks.resource_fields(kind, own[kind]())
    return create_model(kind.title(), __config__=ConfigDict(extra="ignore"), **fields)  # type: ignore[call-overload]


def replied(hooks: ServerHooks, operation: str, answer: Callable[[], tuple[int, Any]]) -> Response:
    """Return an operation's answer, or its refusal, as the deployment's hook leaves it."""
    try:
        status, value = answer()
    except Refusal as refusal:
        status, value = refusal.status, {"detail": refusal.detail}
    if status == 0:
        return Response(status_code=NOTHING)
    status, value = hooks.resource(operation, status, value)
    return JSONResponse(value, status)
