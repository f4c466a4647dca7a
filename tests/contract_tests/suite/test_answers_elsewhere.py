"""What is judged of an answer under `/assistants` is judged under `/agents` too."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from contract_tests.deployment.bounded_http import RawReply
from mockserver import MockServer
from tests.contract_tests.support.edited_replies import editing
from tests.contract_tests.support.judging import judged


def _uncounted(answer: dict[str, Any]) -> None:
    answer["usage"] = dict.fromkeys(answer["usage"], 0)


def _null(answer: dict[str, Any]) -> None:
    answer["choices"][0]["message"]["content"] = None
    answer["choices"][0]["finish_reason"] = "stop"


@pytest.mark.parametrize(("spoil", "lacking"), [(_uncounted, "tokens"), (_null, "content")])
def test_a_chat_under_agents_without_it_fails(spoil: Any, lacking: str) -> None:
    def edit(_: str, url: str, received: RawReply) -> bytes | None:
        if "/agents/" not in url or not url.endswith("/chat/completions") or received.status != 200:
            return None
        answer = json.loads(received.body)
        spoil(answer)
        return json.dumps(answer).encode()

    with MockServer() as server:
        assert judged(server.url, "clause=agents.chat-twin").findings["agents.chat-twin"].word == "passed"
        with editing(edit):
            found = judged(server.url, "clause=agents.chat-twin").findings["agents.chat-twin"]
    assert (found.word, found.got) == ("failed", f"one without {lacking}")


def test_a_session_id_of_another_type_in_a_stream_fails() -> None:
    def edit(_: str, url: str, received: RawReply) -> bytes | None:
        if not received.body.startswith(b"data: "):
            return None
        first, event, others = received.body.partition(b"\n\n")
        spoiled = re.sub(rb'"session_id":"[^"]*"', b'"session_id":{}', others)
        return first + event + spoiled

    with MockServer() as server, editing(edit):
        found = judged(server.url, "clause=chat.stream-session-id").findings["chat.stream-session-id"]
    assert not found.fault
    assert found.got.endswith("chunks without it")


def test_generated_requests_are_judged_of_the_chat_alone() -> None:
    with MockServer() as server:
        found = judged(server.url, *(f"clause={id}" for id in ("chat.no-*", "chat.reply-conforms", "agents.chat-twin")))
    assert found.findings["chat.reply-conforms"].operations == "createAssistantChatCompletion"
