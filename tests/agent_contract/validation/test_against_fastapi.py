"""The compiled checks and a FastAPI app with the same model give the same `detail` for thousands of bodies.

Left out by name: integral floats for integers, other spellings of a uuid, and what pydantic reports branch by branch:
array content, a `tool_choice` that is neither text nor object.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt

from agent_contract import Contract, Found, Request, check_request, error_detail, load_contract, parse_call
from tests.agent_contract.support.bodies import bodies, has_several_types

COUNT = 4000

#: pydantic's message of these is free: it names the character at fault.
FREE_WORDS = {"uuid_parsing"}


class Message(BaseModel):
    role: str
    content: str | None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None


class StreamOptions(BaseModel):
    include_usage: StrictBool | None = None


class Function(BaseModel):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: StrictBool | None = None


class Tool(BaseModel):
    type: str
    function: Function


class JsonSchema(BaseModel):
    name: str | None = None


class ResponseFormat(BaseModel):
    type: str
    json_schema: JsonSchema | None = None


class Payload(BaseModel):
    create_session: StrictBool | None = None
    seed: StrictInt | None = None
    temperature: Annotated[StrictFloat, Field(ge=0, le=2)] | None = 0
    n: Annotated[StrictInt, Field(ge=1)] | None = 1
    stop: Annotated[list[str], Field(min_length=1)] | None = None
    max_tokens: Annotated[StrictInt, Field(ge=1)] | None = None
    stream: StrictBool | None = None
    model: str | None = None
    messages: Annotated[list[Message], Field(min_length=1)]
    store_in_session: UUID | None = None
    stream_options: StreamOptions | None = None
    tools: list[Tool] | None = None
    tool_choice: Any = None
    top_p: Annotated[StrictFloat, Field(ge=0, le=1)] | None = None
    top_k: Annotated[StrictInt, Field(ge=-1)] | None = None
    frequency_penalty: Annotated[StrictFloat, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[StrictFloat, Field(ge=-2, le=2)] | None = None
    max_completion_tokens: Annotated[StrictInt, Field(ge=1)] | None = None
    response_format: ResponseFormat | None = None


Exchange = tuple[int, Any]
Ask = Callable[[bytes, str], Exchange]


def app() -> FastAPI:
    served = FastAPI()

    @served.post("/chat")
    def chat(payload: Payload) -> None: ...

    return served


def ask_all(served: FastAPI, requests: Iterable[tuple[bytes, str]]) -> list[Exchange]:
    """Return the status and the body of the answers to bodies, each sent with its content type."""

    async def ask(body: bytes, content_type: str) -> Exchange:
        sent: list[Any] = []
        headers = [(b"content-type", content_type.encode())] if content_type else []
        scope = {"type": "http", "method": "POST", "path": "/chat", "query_string": b"", "headers": headers}

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        await served(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], json.loads(content)

    async def ask_each() -> list[Exchange]:
        return [await ask(body, content_type) for body, content_type in requests]

    return asyncio.run(ask_each())


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract()


def detail(contract: Contract, body: bytes, content_type: str = "application/json") -> Exchange:
    """Return the status and the `detail` by which a body is refused, 200 and nothing for one that isn't."""
    operation = contract.operations["createAssistantChatCompletion"]
    headers = {"content-type": content_type} if content_type else {}
    call = parse_call(Found(operation, {"agent_id": "demo"}), Request("POST", "/chat", (), headers, body))
    if call.problem:
        return call.problem.status, call.problem.detail
    violations = check_request(call)
    return (422 if violations else 200), error_detail(operation, violations)


def items(found: Any) -> list[tuple[tuple[Any, ...], str, str]]:
    """Return the detail's items, words that are free left out."""
    return [
        (tuple(item["loc"]), item["type"], "" if item["type"] in FREE_WORDS else item["msg"]) for item in found or ()
    ]


def is_comparable(body: Any) -> bool:
    """Return whether the application has the rule of the document: it requires `content` in every message."""
    messages = body.get("messages") if isinstance(body, dict) else None
    return not has_several_types(body) and not any(
        isinstance(message, dict) and "tool_calls" in message and "content" not in message
        for message in (messages if isinstance(messages, list) else ())
    )


def test_generated_bodies_get_the_detail_that_fastapi_gives_in_its_order(contract: Contract) -> None:
    sent = [json.dumps(body).encode() for body in bodies(1, COUNT) if is_comparable(body)]
    theirs = ask_all(app(), ((body, "application/json") for body in sent))
    refused = 0
    for body, (status, answer) in zip(sent, theirs, strict=True):
        ours = detail(contract, body)
        assert ours[0] == status, body
        if status == 422:
            refused += 1
            assert items(ours[1]) == items(answer["detail"]), body
    assert refused > COUNT / 3
    assert len(sent) - refused > COUNT / 10


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"   ", "application/json"),
        (b"{", "application/json"),
        (b'{"messages": [}', "application/json"),
        (b"[1, 2", "application/json"),
        ('{"é": tru}'.encode(), "application/json"),
        (b"\xef\xbb\xbf{", "application/json"),
        ('{"messages": }'.encode("utf-16"), "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b'"x"', "application/json"),
        (b"7", "application/json"),
        (b'{"messages": [], "messages": [{"role": "user", "content": "x"}]}', "application/json"),
        ('{"messages": [{"role": "user", "content": "x"}]}'.encode("utf-16"), "application/json"),
        (b'\xef\xbb\xbf{"messages": [{"role": "user", "content": "x"}]}', "application/json"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "text/plain"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', ""),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "application/problem+json"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "APPLICATION/JSON; charset=utf-8"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "multipart/form-data; boundary=x"),
    ],
)
def test_a_body_other_than_an_object_gets_the_detail_of_fastapi(
    contract: Contract, body: bytes, content_type: str
) -> None:
    ((status, answer),) = ask_all(app(), [(body, content_type)])
    ours = detail(contract, body, content_type)
    assert ours[0] == status
    assert status == 200 or items(ours[1]) == items(answer["detail"])


@pytest.mark.parametrize("body", [b"\xff\xfe\xfd", b'{"a": "\xff"}', b"\x80"])
def test_bytes_that_are_not_utf_8_get_the_400_that_fastapi_gives(contract: Contract, body: bytes) -> None:
    ((status, answer),) = ask_all(app(), [(body, "application/json")])
    assert detail(contract, body) == (status, answer["detail"])


def test_a_body_nested_ten_thousand_deep_gets_the_status_that_fastapi_gives(contract: Contract) -> None:
    body = b"[" * 10_000 + b"]" * 10_000
    ((status, answer),) = ask_all(app(), [(body, "application/json")])
    ours = detail(contract, body)
    assert ours[0] == status
    assert str(ours[1]).startswith(answer["detail"])
