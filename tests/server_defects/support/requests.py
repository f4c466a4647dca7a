"""Requests of many kinds: together they show nearly every planted defect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent_contract.messages import Request

ROOT = "/api/v1/compatibility/openai/v1"
CHAT = f"{ROOT}/assistants/demo/chat/completions"
PROMPT = f"{ROOT}/assistants/demo/completions"
MODEL_CHAT, EMBEDDINGS = f"{ROOT}/chat/completions", f"{ROOT}/embeddings"
HELLO = [{"role": "user", "content": "Hello!"}]
SESSION = "7d7b9d0e-3b0c-4e39-8a3a-2f3d1f6f0a11"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000007"
MODEL, EMBEDDER = "llama-2-70b-chat-hf", "bge-small-en-v1.5"
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
CALLED = [
    *HELLO,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "5"},
]
COLOUR = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
SCHEMA = {"name": "colour", "schema": {**COLOUR, "additionalProperties": False}}

#: Fields of a chat, most of them good, some refused.
FIELDS: tuple[Mapping[str, Any], ...] = (
    {},
    {"n": 1},
    {"n": 2},
    {"n": 2, "max_tokens": 3},
    {"max_tokens": 3},
    {"max_completion_tokens": 3},
    {"stop": ["zzz", "you"]},
    {"stop": ["you"]},
    {"tools": [TOOL], "tool_choice": "required"},
    {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "weather"}}},
    {"tools": [TOOL], "tool_choice": "none"},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
    *({"model": model} for model in ("x", "", MODEL, f"{MODEL}-x", "served-model-0", 3)),
    *({"temperature": value} for value in (3.0, -1.0, 0.0)),
    *({"n": value} for value in (0, -5, 1.0)),
    *({"max_tokens": value} for value in (0, 1, "x", 16.0)),
    *({"seed": value} for value in (0, -4, 2**70)),
    {"stop": []},
    {"stop": None},
    {"stop": [""]},
    *({"stream_options": value} for value in ("x", None)),
    {"tools": "x"},
    {"tools": []},
    {"response_format": "x"},
    {"store_in_session": "x"},
    {"store_in_session": SESSION},
    {"create_session": True, "store_in_session": SESSION},
    {"stream": False},
    {"unlisted": 1},
)
#: Messages of a chat.
MESSAGES: tuple[Any, ...] = (
    [],
    "x",
    ["x"],
    [*HELLO, {"role": "assistant", "content": "Hi!"}, *HELLO],
    CALLED,
    *([{"role": role, "content": "x"}] for role in ("narrator", "")),
    [{"role": "narrator", "content": "x"}, *HELLO],
    [*HELLO, {"role": "narrator", "content": "x"}],
    *(
        [{"role": "user", "content": content}]
        for content in (None, "", 5, [{"type": "text", "text": "a"}], "\0", "\x01", "😀", "中", "\u0627")
    ),
)


def single_requests() -> Iterator[Request]:
    """Yield requests that don't depend on each other."""
    for more in ({}, {"stream": True, "stream_options": {"include_usage": True}}):
        for fields in FIELDS:
            yield post(CHAT, {"messages": HELLO, **more, **fields})
        for messages in MESSAGES:
            yield post(CHAT, {"messages": messages, **more})
        for path in (CHAT.replace("demo", "nobody"), CHAT.replace("assistants", "agents")):
            yield post(path, {"messages": HELLO, **more})
        yield post(PROMPT, {"prompt": "Hi", **more})
        yield post(MODEL_CHAT, {"messages": HELLO, "model": MODEL, **more})
    for body in (b"", b"{x", b"[]", b'"x"', b"null", b"{}"):
        yield Request("POST", CHAT, (), {"content-type": "application/json"}, body)
    for content_type in ("text/plain", "application/json; charset=utf-8"):
        yield post(CHAT, {"messages": HELLO}, content_type)
    yield from (Request(method, CHAT) for method in ("GET", "PUT", "DELETE"))
    for prompt in ({}, {"model": "no-such-model"}, {"store_in_session": SESSION}, {"max_tokens": 3}):
        yield post(PROMPT, {"prompt": "Hi", **prompt} if prompt else {})
    yield post(PROMPT.replace("demo", "nobody"), {"prompt": "Hi"})
    yield from (post(MODEL_CHAT, body) for body in ({"messages": HELLO}, {"model": MODEL}))
    yield post(MODEL_CHAT, {"messages": HELLO, "model": "x"})
    for embed in ({"input": "x", "model": EMBEDDER}, {"input": "x", "model": "x"}, {"model": EMBEDDER}):
        yield post(EMBEDDINGS, embed)
    yield from (Request("GET", f"{ROOT}/{path}") for path in ("models", "agents", "assistants", "agents/demo"))
    yield from (
        Request("GET", f"{ROOT}/agents", (pair,))
        for pair in (("limit", "1"), ("after", UNKNOWN_ID), ("set_num_objects", "true"))
    )
    yield post(f"{ROOT}/agents", {"name": "a"})
    yield post(f"{ROOT}/agents", {"name": "." * 256, "model": MODEL, "metadata": {"a": "b"}})
    yield Request("DELETE", f"{ROOT}/agents/demo-open")


def post(path: str, body: Mapping[str, Any], content_type: str = "application/json") -> Request:
    """Return a request with JSON."""
    return Request("POST", path, (), {"content-type": content_type}, json.dumps(body).encode())
