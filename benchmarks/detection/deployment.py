"""A conforming deployment of the endpoint in FastAPI, with a seam wherever a variant or a defect changes it."""

import asyncio
import json
import random
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, create_model

Message: TypeAlias = dict[str, Any]
Fields: TypeAlias = dict[str, tuple[Any, Any]]

PATH = "/api/v1/compatibility/openai/v1/assistants/{agent_id}/chat/completions"
WORDS = (
    "the quiet river turned past an old mill where lamps burned late , and nobody asked why . "
    "later a wind came up \n over the hills and carried their song toward some harbour"
).split(" ")


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed validation, as the seams see it; `number` counts the calls of a deployment."""

    payload: Mapping[str, Any]
    number: int
    context: Sequence[Message]
    session: str | None
    created_session: bool

    @property
    def streams(self) -> bool:
        """Whether the answer is a stream."""
        return bool(self.payload.get("stream"))

    @property
    def choices(self) -> int:
        """How many choices were asked for."""
        return int(self.payload.get("n") or 1)


@dataclass
class Refusal(Exception):  # noqa: N818  it is an answer of the endpoint, no error of the deployment
    """An answer that refuses: `kind` names the reason, so that a defect can change just one."""

    kind: str
    status: int
    detail: Any
    headers: Mapping[str, str] = field(default_factory=dict)


Memory: TypeAlias = dict[str, list[Message]]


def remember(memory: Memory, session: str, turn: list[Message], call: Call) -> None:
    """Append a turn to a session."""
    memory.setdefault(session, []).extend(turn)


def recall(memory: Memory, session: str, payload: Mapping[str, Any]) -> list[Message]:
    """Return the context of a known session; refuse an unknown one with 404."""
    if session not in memory:
        raise Refusal("session", 404, "No session found with the specified ID")
    return list(memory[session])


def new_session() -> str:
    """Return a fresh session id."""
    return str(uuid.uuid4())


def generate(call: Call, index: int, random_: random.Random) -> list[str]:
    """Return the pieces of one answer, before `stop` and `max_tokens` are applied."""
    return [random_.choice(WORDS) + " " for _ in range(random_.randint(20, 40))]


def finish(pieces: list[str], call: Call) -> tuple[list[str], str]:
    """Return the pieces that `stop` and `max_tokens` leave, and why the answer ended."""
    reason = "stop"
    for at in range(len(pieces)):
        joined = "".join(pieces[: at + 1])
        ends = [joined.index(stop) for stop in call.payload.get("stop") or () if stop in joined]
        if ends:
            kept = joined[: min(ends)]
            return ([kept] if kept else []), "stop"
        limit = call.payload.get("max_completion_tokens") or call.payload.get("max_tokens")
        if limit is not None and at + 1 >= limit:
            return pieces[: at + 1], "length" if at + 1 < len(pieces) else "stop"
    return pieces, reason


def count(messages: Sequence[Message]) -> int:
    """Return the prompt tokens of messages: words, and three for each message's frame."""
    return sum(3 + len(re.findall(r"\w+|[^\w\s]", json.dumps(message["content"]))) for message in messages)


def same(value: Any, call: Call) -> Any:
    """Return the value as it is: a seam that nobody changed."""
    return value


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployment is, and how it behaves at each seam; the defaults conform to the contract.

    `fields` gives the request's fields, `refuse` the answer to a refusal by kind, `answer` and `chunks` the JSON
    of an answer, `frames` the bytes of its events, `arrive` looks at a request before anything else and may
    answer it, `leave` looks at every response.
    """

    agent_id: str = "3f0e1a52-6c55-4b8e-9a57-0d2f6f7b9c11"
    model: str = "mixtral-8x7b-instruct"
    roles: frozenset[str] = frozenset({"user", "assistant", "tool"})
    token: str | None = None
    seed: int = 0
    extra: Literal["allow", "ignore", "forbid"] = "ignore"
    pause: float = 0.0
    fields: Callable[[Fields], Fields] = lambda fields: fields
    arrive: Callable[[Request, bytes, int], Response | None] = lambda request, body, number: None
    leave: Callable[[Response, Request], Response] = lambda response, request: response
    refuse: Callable[[Refusal], Refusal] = lambda refusal: refusal
    check: Callable[[Mapping[str, Any]], None] = lambda payload: None
    generate: Callable[[Call, int, random.Random], list[str]] = generate
    finish: Callable[[list[str], Call], tuple[list[str], str]] = finish
    count: Callable[[Sequence[Message]], int] = count
    remember: Callable[[Memory, str, list[Message], Call], None] = remember
    recall: Callable[[Memory, str, Mapping[str, Any]], list[Message]] = recall
    new_session: Callable[[], str] = new_session
    answer: Callable[[dict[str, Any], Call], Any] = same
    chunks: Callable[[list[dict[str, Any]], Call], list[dict[str, Any]]] = same
    frames: Callable[[list[bytes], Call], list[bytes]] = same


class ChatMessage(BaseModel):
    """One message, as the endpoint takes it."""

    model_config = ConfigDict(extra="allow")
    role: str
    content: str | list[dict[str, Any]] | None


class StreamOptions(BaseModel):
    """What a stream carries besides its chunks."""

    include_usage: StrictBool | None = None


def request_fields() -> Fields:
    """Return the request's fields, as pydantic's `create_model` takes them."""
    return {
        "create_session": (StrictBool | None, None),
        "seed": (StrictInt | None, None),
        "temperature": (StrictFloat | None, Field(0, ge=0, le=2)),
        "n": (StrictInt | None, Field(1, ge=1)),
        "stop": (list[str] | None, Field(None, min_length=1)),
        "max_tokens": (StrictInt | None, Field(None, ge=1)),
        "stream": (StrictBool | None, None),
        "model": (str | None, None),
        "messages": (list[ChatMessage], Field(min_length=1)),
        "store_in_session": (uuid.UUID | None, None),
        "stream_options": (StreamOptions | None, None),
        "max_completion_tokens": (StrictInt | None, Field(None, ge=1)),
    }


def usage_of(deployment: Deployment, call: Call, pieces: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return the usage of a call whose choices have these pieces."""
    prompt = deployment.count([*call.context, *call.payload["messages"]])
    completion = sum(len(choice) for choice in pieces)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def whole(deployment: Deployment, call: Call, spoken: list[tuple[list[str], str]]) -> dict[str, Any]:
    """Return the answer as one JSON document."""
    answer: dict[str, Any] = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": deployment.model,
        "choices": [
            {"index": index, "message": {"role": "assistant", "content": "".join(pieces)}, "finish_reason": reason}
            for index, (pieces, reason) in enumerate(spoken)
        ],
        "usage": usage_of(deployment, call, [pieces for pieces, _ in spoken]),
    }
    if call.session is not None:
        answer["session_id"] = call.session
    return answer


def pieces_of(deployment: Deployment, call: Call, spoken: list[tuple[list[str], str]]) -> list[dict[str, Any]]:
    """Return the answer as chunks: a role, the pieces and a finish for each choice, then the usage if asked for."""
    head: dict[str, Any] = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": deployment.model,
    }
    if call.session is not None:
        head["session_id"] = call.session
    chunks: list[dict[str, Any]] = []

    def add(index: int, delta: dict[str, Any], reason: str | None = None) -> None:
        chunks.append({**head, "choices": [{"index": index, "delta": delta, "finish_reason": reason}]})

    for index, (pieces, reason) in enumerate(spoken):
        add(index, {"role": "assistant", "content": ""})
        for piece in pieces:
            add(index, {"content": piece})
        add(index, {}, reason)
    if (call.payload.get("stream_options") or {}).get("include_usage"):
        usage = usage_of(deployment, call, [pieces for pieces, _ in spoken])
        chunks.append({**head, "choices": [], "usage": usage})
    return chunks


def frames_of(chunks: list[dict[str, Any]]) -> list[bytes]:
    """Return the chunks as events on the wire, `[DONE]` at the end."""
    return [*(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n"]


def conversation(deployment: Deployment, numbers: Iterator[int]) -> Callable[[str, Mapping[str, Any]], Response]:
    """Return the function that answers a valid payload; the sessions live in it."""
    memory: Memory = {}
    random_ = random.Random(deployment.seed)

    def checked(agent_id: str, payload: Mapping[str, Any]) -> None:
        if agent_id != deployment.agent_id:
            raise Refusal("agent", 404, "No agent found with the specified ID")
        if payload.get("model") not in (None, "", deployment.model):
            raise Refusal("model", 400, "Unexpected model in chat completions message")
        for message in payload["messages"]:
            if message["role"] not in deployment.roles:
                raise Refusal("role", 400, f"Unsupported role {message['role']!r} in chat completions message")
        deployment.check(payload)

    def answered(agent_id: str, payload: Mapping[str, Any]) -> Response:
        checked(agent_id, payload)
        named = payload.get("store_in_session")
        context = deployment.recall(memory, str(named), payload) if named else []
        creates = bool(payload.get("create_session")) and not named
        session = str(named) if named else deployment.new_session() if creates else None
        call = Call(payload, next(numbers), context, session, creates)
        spoken = [deployment.finish(deployment.generate(call, index, random_), call) for index in range(call.choices)]
        if session is not None:
            said = {"role": "assistant", "content": "".join(spoken[0][0])}
            deployment.remember(memory, session, [*payload["messages"], said], call)
        if not call.streams:
            return JSONResponse(deployment.answer(whole(deployment, call, spoken), call))
        frames = deployment.frames(frames_of(deployment.chunks(pieces_of(deployment, call, spoken), call)), call)
        return StreamingResponse(paced(frames, deployment.pause), media_type="text/event-stream")

    return answered


def create_app(deployment: Deployment) -> FastAPI:
    """Return the deployment as an ASGI application."""
    numbers = iter(range(10**9))
    answered = conversation(deployment, numbers)
    fields = deployment.fields(request_fields())
    payload_model = create_model("Payload", __config__=ConfigDict(extra=deployment.extra), **fields)  # type: ignore[call-overload]
    app = FastAPI(openapi_url=None)

    @app.post(PATH)
    async def complete(agent_id: str, payload: payload_model) -> Response:  # type: ignore[valid-type]
        return answered(agent_id, payload.model_dump(mode="json", exclude_unset=True))  # type: ignore[attr-defined]

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        final = deployment.refuse(refusal)
        return JSONResponse({"detail": final.detail}, final.status, dict(final.headers))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        detail = [{key: item[key] for key in ("type", "loc", "msg")} for item in error.errors()]
        return await refused(request, Refusal("shape", 422, detail))

    @app.middleware("http")
    async def outermost(request: Request, proceed: Callable[[Request], Any]) -> Response:
        body = await request.body()
        early = deployment.arrive(request, body, next(numbers))
        if early is None and deployment.token not in (None, request.headers.get("authorization", "")[7:]):
            refusal = Refusal("token", 401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
            early = await refused(request, refusal)
        return deployment.leave(early or await proceed(request), request)

    return app


async def paced(frames: list[bytes], pause: float) -> AsyncIterator[bytes]:
    """Yield the frames, with a pause of so many seconds after each."""
    for frame in frames:
        yield frame
        if pause:
            await asyncio.sleep(pause)
