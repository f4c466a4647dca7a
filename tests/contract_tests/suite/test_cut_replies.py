"""An answer that did not arrive whole, or is not JSON, conforms to nothing, whatever its beginning says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from unittest.mock import patch

import httpx
import pytest

from contract_tests.deployment import client
from contract_tests.deployment.bounded_http import ExchangeLimits, RawReply, send_within
from mockserver import MockServer
from tests.contract_tests.support.judging import judged

#: The clauses on the form of an answer, for each operation around the chat.
OF_FORM = ("agents.list", "agents.get", "agents.create", "models.list", "completions.answer", "embeddings.answer")


def words_with(change: Callable[[RawReply], RawReply]) -> set[str]:
    """Return the words of the clauses if every JSON answer outside the agent's chat is changed."""

    def send(
        to: httpx.Client, method: str, url: str, headers: Mapping[str, str], content: bytes, bound: ExchangeLimits
    ) -> RawReply:
        received = send_within(to, method, url, headers, content, bound)
        is_json = ("content-type", "application/json") in received.headers
        return received if "/assistants/demo/chat" in url or not is_json else change(received)

    with MockServer() as server, patch.object(client, "send_within", send):
        found = judged(server.url, "agent-id=demo", "manage", *(f"clause={id}" for id in OF_FORM))
    return {found.findings[id].word for id in OF_FORM}


def cut(reply: RawReply) -> RawReply:
    return replace(reply, failure="the connection was closed after 40 of 90 bytes")


def not_json(reply: RawReply) -> RawReply:
    return replace(reply, pieces=((0.0, b'{"object": NaN}'),))


def too_large(reply: RawReply) -> RawReply:
    return replace(reply, failure="not finished after 4194305 bytes", given_up=True)


@pytest.mark.parametrize("change", [cut, not_json])
def test_an_answer_that_is_cut_or_not_json_never_passes(change: Callable[[RawReply], RawReply]) -> None:
    words = words_with(change)

    assert "failed" in words
    assert "passed" not in words


def test_an_answer_that_is_larger_than_what_is_read_is_not_the_servers_fault() -> None:
    assert words_with(too_large) <= {"not tested", "not supported"}
