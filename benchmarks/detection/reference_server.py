"""The reference server: a conforming deployment in FastAPI, with a hook for all that a variant or mutant changes."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, create_model

from agent_contract.messages import Reply
from agent_contract.messages import Request as Received
from benchmarks.detection.answers import (
    CHAT,
    COMPLETION,
    STYLES,
    message_of,
    pieces_of,
    spoken_by,
    usage_of,
    whole,
)
from benchmarks.detection.hooks import Asgi, Fields, Receive, Send, ServerHooks
from benchmarks.detection.knowledge import Knowledge
from benchmarks.detection.knowledge_routes import add_knowledge
from benchmarks.detection.registry import Registry
from benchmarks.detection.resources import add_agents, add_models
from mockserver.faults.broken_reply import BrokenReply
from server_defects.forms import call_tools
from server_defects.hooks import ChatCall, Memory, Payload, Refusal, frames_of
from server_defects.replies import json_reply, stream_reply

__all__ = ["PATH", "ServerHooks", "Tally", "create_app"]

PATH = "/api/v1/compatibility/openai/v1/assistants/{agent_id}/chat/completions"


@dataclass
class Tally:
    """What a deployment was asked for: requests, and the tokens of prompts and completions that it counted."""

    requests: int = 0
    tokens: int = 0


def whole_number(value: Any) -> Any:
    """Return 1 for 1.0, which is an integer in JSON Schema, and everything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WholeNumber = Annotated[StrictInt, BeforeValidator(whole_number)]
Positive = Annotated[WholeNumber, Field(ge=1)]


class TextPart(BaseModel):
    """A part of a message's content."""

    model_config = ConfigDict(extra="allow")
    type: str
    text: str


class ChatMessage(BaseModel):
    """One message, as the endpoint takes it."""

    model_config = ConfigDict(extra="allow")
    role: str
    content: str | list[TextPart] | None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None


class Named(BaseModel):
    """What has a name: a function of a tool."""

    model_config = ConfigDict(extra="allow")
    name: str


class Tool(BaseModel):
    """A tool that may be called."""

    model_config = ConfigDict(extra="allow")
    type: str
    function: Named


class ToolChoice(BaseModel):
    """The choice of one tool."""

    model_config = ConfigDict(extra="allow")
    type: str
    function: Named


class ResponseFormat(BaseModel):
    """The requested format of content."""

    model_config = ConfigDict(extra="allow")
    type: str


class StreamOptions(BaseModel):
    """What a stream carries besides its chunks."""

    include_usage: StrictBool | None = None


def request_fields() -> Fields:
    """Return the request's fields, as pydantic's `create_model` takes them."""
    return {
        "create_session": (StrictBool | None, None),
        "seed": (WholeNumber | None, None),
        "temperature": (StrictFloat | None, Field(0, ge=0, le=2)),
        "n": (Positive | None, 1),
        "stop": (list[str] | None, Field(None, min_length=1)),
        "max_tokens": (Positive | None, None),
        "stream": (StrictBool | None, None),
        "model": (str | None, None),
        "messages": (list[ChatMessage], Field(min_length=1)),
        "store_in_session": (uuid.UUID | None, None),
        "stream_options": (StreamOptions | None, None),
        "max_completion_tokens": (Positive | None, None),
        "tools": (list[Tool] | None, None),
        "tool_choice": (Literal["none", "auto", "required"] | ToolChoice | None, None),
        "top_p": (StrictFloat | None, Field(None, ge=0, le=1)),
        "top_k": (WholeNumber | None, Field(None, ge=-1)),
        "frequency_penalty": (StrictFloat | None, Field(None, ge=-2, le=2)),
        "presence_penalty": (StrictFloat | None, Field(None, ge=-2, le=2)),
        "response_format": (ResponseFormat | None, None),
    }


def conversation(
    hooks: ServerHooks, tally: Tally, registry: Registry, knowledge: Knowledge
) -> Callable[[str, Payload, str], Response]:
    """Return the function that answers a valid payload in a style; the sessions live in it, agent by agent."""
    memories: dict[str, Memory] = {}
    random_ = random.Random(hooks.seed)

    def understood(agent_id: str, payload: Payload) -> ChatCall:
        agent = registry.agents.get(agent_id)
        asked = replace(hooks, agent_id=agent_id, model=agent["model"]) if agent else hooks
        for check in hooks.checks:
            check(asked, agent_id, payload)
        named = payload.get("store_in_session")
        memory = memories.setdefault(agent_id, {})
        context = [*registry.instructions(agent_id), *hooks.recall(memory, named, payload)]
        creates = bool(payload.get("create_session")) and not named
        session = named or (hooks.new_session(payload) if creates else None)
        return ChatCall(
            payload, tally.requests, context, session, creates, hooks.call_tools(payload, call_tools(payload))
        )

    def answered(agent_id: str, payload: Payload, style: str) -> Response:
        try:
            call = understood(agent_id, payload)
        except Refusal as refusal:
            refusal.payload = payload
            raise
        spoken = [spoken_by(hooks, call, index, random_) for index in range(call.choices)]
        if call.session is not None:
            said = message_of(call, spoken[0])
            hooks.remember(memories[agent_id], call.session, [*payload["messages"], said], call)
        tally.tokens += usage_of(hooks, call, spoken)["total_tokens"]
        if not call.streams:
            value = STYLES[style](whole(hooks, call, spoken))
            context = knowledge.context(agent_id, str(payload["messages"][-1].get("content")))
            value |= {} if context is None else {"index_context_info": context}
            value = value if style == COMPLETION else hooks.answer(value, call)
            status, value = hooks.resource(style, 200, value)
            return sent(hooks.respond(json_reply(value, status), call))
        pieces = [STYLES[style](piece) for piece in pieces_of(hooks, call, spoken)]
        chunks = pieces if style == COMPLETION else hooks.chunks(pieces, call)
        frames = hooks.resource(f"{style}-stream", 200, hooks.frames(frames_of(chunks), call))[1]
        return sent(hooks.respond(stream_reply(frames, hooks.pause), call))

    return answered


def create_app(hooks: ServerHooks, tally: Tally | None = None) -> Asgi:
    """Return the deployment as an ASGI application, which counts in `tally` what it is asked for."""
    tally = tally or Tally()
    registry = hooks.registry(hooks.agent_id, hooks.model)
    knowledge = hooks.knowledge(registry)
    answered = conversation(hooks, tally, registry, knowledge)
    fields = hooks.fields(request_fields())
    payload_model = create_model("Payload", __config__=ConfigDict(extra=hooks.extra), **fields)  # type: ignore[call-overload]
    app = FastAPI(openapi_url=None)

    def refused(refusal: Refusal) -> Response:
        final = hooks.refuse(refusal)
        if isinstance(final, Refusal):
            final = json_reply({"detail": final.detail}, final.status, final.headers)
        return sent(final)

    def safely(agent_id: str, payload: Payload, style: str) -> Response:
        try:
            return answered(agent_id, payload, style)
        except Refusal as refusal:
            return refused(refusal)

    @app.post(PATH)
    @app.post(PATH.replace("/assistants/", "/agents/"))
    async def complete(agent_id: str, payload: payload_model) -> Response:  # type: ignore[valid-type]
        return safely(agent_id, payload.model_dump(mode="json", exclude_unset=True), CHAT)  # type: ignore[attr-defined]

    add_agents(app, hooks, registry)
    add_knowledge(app, hooks, knowledge)
    add_models(app, hooks, registry, safely, payload_model)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        detail = [hooks.describe(item) for item in error.errors()]
        return refused(Refusal("shape", 422, detail, payload=error.body))

    @app.middleware("http")
    async def outermost(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        body = await request.body()
        received = received_as(request, body)
        reply = hooks.arrive(received, body, tally.requests)
        response = None if reply is None else sent(reply)
        if response is None and hooks.token is not None:
            try:
                hooks.admit(received, hooks.token)
            except Refusal as refusal:
                response = refused(refusal)
        response = response or await proceed(request)
        headers = hooks.leave(response.status_code, dict(response.headers), received)
        response.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        return response

    return hooks.wrap(counted(app, tally))


def received_as(request: Request, body: bytes) -> Received:
    """Return a request as the hooks take it."""
    query = tuple(request.query_params.multi_items())
    return Received(request.method, request.url.path, query, dict(request.headers), body)


def sent(reply: Reply) -> Response:
    """Return a reply as a response of FastAPI; one that is broken off is a stream that fails."""
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, dict(reply.headers))
    return StreamingResponse(paced(reply), reply.status, dict(reply.headers))


async def paced(reply: Reply) -> AsyncIterator[bytes]:
    """Yield the events of a stream, each after its delay; raise ConnectionError at the end of one that is cut."""
    assert not isinstance(reply.body, bytes)
    for event in reply.body:
        yield event.encode()
        if event.delay:
            await asyncio.sleep(event.delay)
    if isinstance(reply, BrokenReply):
        raise ConnectionError


def counted(app: Asgi, tally: Tally) -> Asgi:
    """Return an application that counts the requests to another."""

    async def counting(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        tally.requests += scope["type"] == "http"
        await app(scope, receive, send)

    return counting
