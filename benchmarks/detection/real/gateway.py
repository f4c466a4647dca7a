"""Gives an OpenAI-compatible server the agent's path and sessions; everything else of an answer is the server's own."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

AGENT = "6a1f5e1c-7c1c-4f0e-9d3a-2f6b6c0d9a41"
PATH = "/api/v1/compatibility/openai/v1/assistants/{agent_id}/chat/completions"
#: Fields of the agent API that the inference server does not know.
_OWN = ("create_session", "store_in_session")
_ROLES = frozenset({"user", "assistant", "tool", "system"})
_NO_UUID = {"loc": ["body", "store_in_session"], "msg": "Input should be a valid UUID", "type": "uuid_parsing"}


def create_gateway(upstream: str, model: str, headers: Mapping[str, str]) -> FastAPI:
    """Return the gateway as an ASGI application; `model` is the server's name for the agent's model."""
    app = FastAPI()
    client = httpx.AsyncClient(base_url=upstream, timeout=60, headers=dict(headers))
    sessions: dict[str, list[Any]] = {}

    @app.post(PATH)
    async def chat(agent_id: str, request: Request) -> Response:
        if agent_id != AGENT:
            return _refusal(404, "No agent found with the specified ID")
        body = await request.body()
        payload = _readable(body)
        if payload is None:
            return await _forwarded(client, body)
        if payload.get("model") not in (None, "", model):
            return _refusal(400, "Unexpected model in chat completions message")
        if any(isinstance(message, dict) and message.get("role") not in _ROLES for message in payload["messages"]):
            return _refusal(400, "Unsupported role")
        named, created = payload.get("store_in_session"), payload.get("create_session") is True
        if named is not None and not _is_uuid(named):
            return JSONResponse({"detail": [_NO_UUID]}, 422)
        if named is not None and named not in sessions:
            return _refusal(404, "Invalid session ID")
        session = named or (str(uuid.uuid4()) if created else None)
        messages = payload["messages"]
        sent = {key: value for key, value in payload.items() if key not in _OWN}
        sent |= {"model": model, "messages": [*sessions.get(session or "", ()), *messages]}
        response = await client.send(client.build_request("POST", "/v1/chat/completions", json=sent), stream=True)
        if response.status_code != 200 or not sent.get("stream"):
            return await _whole(response, sessions, session, messages)
        lines = _streamed(response, sessions, session, messages)
        return StreamingResponse(lines, media_type="text/event-stream")

    return app


def _readable(body: bytes) -> dict[str, Any] | None:
    """Return the request that a body holds, or None if it is for the server to refuse."""
    try:
        payload = json.loads(body)
        json.dumps(payload, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    if not isinstance(payload, dict) or not isinstance(payload.get("messages"), list):
        return None
    return payload


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


async def _forwarded(client: httpx.AsyncClient, body: bytes) -> Response:
    """Return what the server answers to a body that the gateway can't read."""
    answer = await client.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})
    return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))


async def _whole(
    response: httpx.Response, sessions: dict[str, list[Any]], session: str | None, messages: list[Any]
) -> Response:
    """Return an answer that is not a stream, and store its turn."""
    content = await response.aread()
    if response.status_code != 200 or session is None:
        return Response(content, response.status_code, media_type=response.headers.get("content-type"))
    answer = json.loads(content)
    sessions[session] = [*sessions.get(session, ()), *messages, answer["choices"][0]["message"]]
    return JSONResponse({**answer, "session_id": session})


async def _streamed(
    response: httpx.Response, sessions: dict[str, list[Any]], session: str | None, messages: list[Any]
) -> AsyncIterator[str]:
    """Yield the server's events as they come, with the session's id, and store the turn at the end."""
    text = ""
    async for line in response.aiter_lines():
        if session is None or not line.startswith("data: {"):
            yield line + "\n"
            continue
        chunk = json.loads(line.removeprefix("data: "))
        for choice in chunk.get("choices") or ():
            text += (choice["delta"].get("content") or "") if choice.get("index") == 0 else ""
        yield f"data: {json.dumps({**chunk, 'session_id': session})}\n"
    if session is not None:
        sessions[session] = [*sessions.get(session, ()), *messages, {"role": "assistant", "content": text}]


def _refusal(status: int, why: str) -> Response:
    return JSONResponse({"detail": why}, status)
