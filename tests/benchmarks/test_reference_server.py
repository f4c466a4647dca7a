from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from agent_contract import Reply, check_reply, load_contract
from benchmarks.detection.conforming_variants import VARIANTS, Variant
from benchmarks.detection.reference_server import ServerHooks
from tests.benchmarks.support.reference_client import HELLO, client_of

OPERATION = load_contract().operations["createAssistantChatCompletion"]
TOOL = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object"}}}
EXCHANGES: Mapping[str, tuple[Any, int]] = {
    "hello": (HELLO, 200),
    "two choices": ({**HELLO, "n": 2, "temperature": 0.7}, 200),
    "stop and max_tokens": ({**HELLO, "stop": ["a"], "max_tokens": 3}, 200),
    "a stream": ({**HELLO, "stream": True}, 200),
    "a stream with usage": ({**HELLO, "stream": True, "n": 2, "stream_options": {"include_usage": True}}, 200),
    "a session": ({**HELLO, "create_session": True}, 200),
    "an unknown session": ({**HELLO, "store_in_session": "00000000-0000-4000-8000-0000000000fe"}, 404),
    "another model": ({**HELLO, "model": "gpt-unknown"}, 400),
    "an unknown role": ({"messages": [{"role": "narrator", "content": "Once"}]}, 400),
    "no messages": ({}, 422),
    "malformed JSON": (b'{"messages": [', 422),
    "no body": (b"", 422),
    "NaN": (b'{"messages": [{"role": "user", "content": "?"}], "temperature": NaN}', 422),
    "a tool": ({**HELLO, "tools": [TOOL], "tool_choice": "required"}, 200),
    "a tool, streamed": ({**HELLO, "tools": [TOOL], "tool_choice": "required", "stream": True}, 200),
    "an unknown tool": ({**HELLO, "tools": [TOOL], "tool_choice": {**TOOL, "function": {"name": "other"}}}, 400),
    "no tool": ({**HELLO, "tools": "tool"}, 422),
    "a JSON object": ({**HELLO, "response_format": {"type": "json_object"}}, 200),
    "an unknown form": ({**HELLO, "response_format": {"type": "yaml"}}, 400),
    "two thousand million choices": ({**HELLO, "n": 2_000_000_000}, 400),
}


def violations(response: httpx.Response) -> object:
    """Return what a response breaks of the contract."""
    return check_reply(OPERATION, Reply(response.status_code, dict(response.headers), response.content))


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_deployment_conforms_to_the_contract(name: str) -> None:
    """Judged by the compiled checks, which share no code with it."""
    body, status = EXCHANGES[name]
    with client_of(ServerHooks()) as ask:
        response = ask(body)
    assert response.status_code == status
    assert violations(response) == ()


def test_a_session_is_used_extended_and_kept_apart() -> None:
    def prompt_tokens(**fields: object) -> int:
        return int(ask({**HELLO, **fields}).json()["usage"]["prompt_tokens"])

    with client_of(ServerHooks()) as ask:
        session = ask({**HELLO, "create_session": True, "max_tokens": 5}).json()["session_id"]
        alone = prompt_tokens()
        second, third = prompt_tokens(store_in_session=session), prompt_tokens(store_in_session=session)
        assert alone < second < third
        assert prompt_tokens() == alone


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_variant_answers_by_the_contract(variant: Variant) -> None:
    """One that starts cold, or limits its rate, may take some tries."""
    with client_of(variant.hooks) as ask:
        for _ in range(6):
            response = ask(HELLO)
            if response.status_code == 200 and response.json()["choices"][0]["message"]["content"]:
                break
    assert response.status_code == 200
    assert violations(response) == ()


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_variant_streams_by_the_contract(variant: Variant) -> None:
    with client_of(variant.hooks) as ask:
        for _ in range(6):
            response = ask({**HELLO, "stream": True, "max_tokens": 12})
            if response.status_code == 200:
                break
    assert response.headers["content-type"].startswith("text/event-stream")
    assert violations(response) == ()
