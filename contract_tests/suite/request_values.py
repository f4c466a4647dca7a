"""Fields and bodies of requests, accepted and refused ones, and a function that sends all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from contract_tests.deployment.payloads import HELLO, UNLISTED, plain
from contract_tests.verdict import NotPassed

if TYPE_CHECKING:
    from agent_contract.messages import JSON
    from contract_tests.deployment.deployment import Deployment

Case: TypeAlias = "tuple[str, dict[str, JSON]]"

HI: JSON = {"role": "user", "content": "Hi."}
CALL: JSON = {"id": "call_0", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
CALLED: JSON = [
    {"role": "user", "content": "What time is it?"},
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_0", "content": "Noon."},
]
IMAGE: JSON = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
PARTS: JSON = {"role": "user", "content": [{"type": "text", "text": "Hello!"}]}

#: Fields beside a plain request, or in their place, that make it one to refuse with 422.
REFUSED: tuple[Case, ...] = (
    ("chat.messages-empty", {"messages": []}),
    ("chat.messages-items", {"messages": ["Hello!"]}),
    ("chat.message-role", {"messages": [{"content": "Hello!"}]}),
    ("chat.message-content", {"messages": [{"role": "user"}]}),
    ("chat.temperature-below-minimum", {"temperature": -0.1}),
    ("chat.temperature-below-minimum", {"temperature": -1}),
    ("chat.temperature-above-maximum", {"temperature": 2.0000001}),
    ("chat.temperature-above-maximum", {"temperature": 3}),
    ("chat.n-below-minimum", {"n": 0}),
    ("chat.n-below-minimum", {"n": -1}),
    ("chat.stop-empty", {"stop": []}),
    ("chat.max-tokens-below-minimum", {"max_tokens": 0}),
    ("chat.max-tokens-below-minimum", {"max_tokens": -1}),
    ("chat.session-id-format", {"store_in_session": "not-a-uuid"}),
    ("chat.stream-options-type", {"stream": True, "stream_options": "usage"}),
    ("chat.boolean-strict", {"stream": "true"}),
    ("chat.tools-type", {"tools": "get_weather"}),
    ("chat.tools-shape", {"tools": [{}]}),
    ("chat.response-format-type", {"response_format": "json"}),
    ("chat.max-completion-tokens-below-minimum", {"max_completion_tokens": 0}),
    ("chat.field-types", {"messages": "Hello!"}),
    ("chat.field-types", {"create_session": "maybe"}),
    ("chat.field-types", {"seed": [1]}),
    ("chat.field-types", {"temperature": {"celsius": 20}}),
    ("chat.field-types", {"n": "two"}),
    ("chat.field-types", {"stop": 7}),
    ("chat.field-types", {"stop": [7]}),
    ("chat.field-types", {"max_tokens": {}}),
    ("chat.field-types", {"stream": [True]}),
    ("chat.field-types", {"model": ["a"]}),
    ("chat.field-types", {"store_in_session": [12]}),
)
#: Fields with which a plain request is still accepted.
ACCEPTED: tuple[Case, ...] = (
    ("chat.messages-one", {}),
    ("chat.role-user", {}),
    ("chat.model-unset", {}),
    ("chat.role-assistant", {"messages": [HI, {"role": "assistant", "content": "Hi!"}, *HELLO]}),
    ("chat.content-parts", {"messages": [PARTS]}),
    ("chat.message-tool-calls", {"messages": CALLED}),
    ("chat.tools-empty", {"tools": []}),
    ("chat.temperature-accepted", {"temperature": 0}),
    ("chat.temperature-accepted", {"temperature": 2}),
    ("chat.n-accepted", {"n": 1}),
    ("chat.stop-accepted", {"stop": ["zebra"]}),
    ("chat.max-tokens-accepted", {"max_tokens": 1}),
    ("chat.seed-accepted", {"seed": 0}),
    ("chat.seed-accepted", {"seed": -7}),
    ("chat.seed-accepted", {"seed": 1_234_567_890}),
    ("chat.model-empty", {"model": ""}),
    ("chat.unlisted-fields", UNLISTED),
)
TEXTS = {
    "emoji": "\U0001f469‍\U0001f680 \U0001f44b\U0001f3fd",
    "nul": "a \0 b",
    "controls": "\a\b\x1b[31m\x7f\u2028",
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202e end",
    "combining": "Z̷̢a̸l̴g̵o̶ é",
}
NO_JSON = {
    "breaks off": b'{"messages": [{"role": "user"',
    "single quotes": b"{'messages': []}",
    "a trailing comma": b'{"messages": [],}',
    "a word": b"hello",
}
NO_OBJECT = {"list": b"[]", "text": b'"Hello!"', "null": b"null", "number": b"7"}
#: Fields that a server may accept or refuse, but must survive.
ODD: tuple[dict[str, JSON], ...] = (
    {"n": 1.0},
    {"max_tokens": 16.0},
    {"n": -1_000_000},
    {"seed": 2**63},
    {"messages": [{"role": "user", "content": ""}]},
    {"messages": [{"role": "user", "content": None}]},
    {"messages": [{"role": "", "content": "Hello!"}]},
    {"stop": [""]},
    {"stop": None},
    {"tools": []},
    dict.fromkeys(("stream_options", "tools", "tool_choice", "response_format", "max_completion_tokens")),
)
#: The clauses that are judged on all that a run has seen.
OF_ALL = ("chat.no-server-error", "chat.status-documented")


def variety(deployment: Deployment) -> None:
    """Ask whatever else is asked of single fields, so that these clauses have something to look at by themselves."""
    bodies: list[JSON | bytes] = [
        *(plain(**fields) for _, fields in (*ACCEPTED, *REFUSED)),
        *NO_JSON.values(),
        *NO_OBJECT.values(),
    ]
    bodies += [plain(messages=[{"role": "user", "content": text}]) for text in TEXTS.values()]
    bodies += [plain(**fields) for fields in ODD if not fields.keys() & deployment.newer_fields()]
    try:
        deployment.chat(plain(), headers={"content-type": "application/json; charset=utf-8"})
        for body in bodies:
            deployment.chat(body)
    except NotPassed:
        return
