"""Recording and replaying together: the four record modes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent_contract.messages import Reply
from agent_contract.redaction import redaction_of
from mockserver.adapters.threaded_server import MockServer
from mockserver.build import with_replay
from mockserver.proxy.run import ProxySettings, RecordMode
from mockserver.recording.recording_folder import read_recordings
from mockserver.recording.replay import Replay
from mockserver.recording.request_key import Ignored
from tests.mockserver.proxy.support.running_proxy import LIMIT, RunningProxy, running
from tests.mockserver.proxy.support.scripted_upstream import Asked, ScriptedUpstream, scripted
from tests.mockserver.support.chat_client import engine, path_of, request


@contextmanager
def recording(folder: Path, mode: str) -> Iterator[tuple[RunningProxy, ScriptedUpstream]]:
    """Run a proxy in a record mode, to a deployment that counts its answers on from the number of recordings."""
    folder.mkdir(exist_ok=True)
    replay = Replay(read_recordings(folder), Ignored(), redaction_of(()), strict=True)
    count = iter(range(len(replay) + 1, 100))

    def answer(asked: Asked) -> None:
        asked.reply(Reply(200, {"content-type": "application/json"}, json.dumps({"answer": next(count)}).encode()))

    settings = ProxySettings(folder=folder, mode=RecordMode(mode), replay=replay)
    with scripted(answer) as upstream, running(upstream.url, folder, settings=settings) as proxy:
        yield proxy, upstream


def ask(proxy: RunningProxy, *texts: str) -> list[int]:
    """Return the answer to each text, or the status if it is refused."""
    bodies = [{"messages": [{"role": "user", "content": text}]} for text in texts]
    replies = [httpx.post(proxy.chat, json=body, timeout=LIMIT) for body in bodies]
    return [reply.json().get("answer", reply.status_code) for reply in replies]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two recordings of one request: the answers 1 and 2."""
    with recording(tmp_path, "once") as (proxy, _):
        assert ask(proxy, "a", "a") == [1, 2]
        proxy.recordings(2)
    return tmp_path


@pytest.mark.parametrize(
    ("mode", "answers", "passed", "kept"),
    [
        ("none", [1, 2, 404, 404], 0, [1, 2]),
        ("once", [1, 2, 404, 404], 0, [1, 2]),
        ("new_episodes", [1, 2, 3, 4], 2, [1, 2, 3, 4]),
        ("all", [3, 4, 5, 6], 4, [3, 4, 5, 6]),
    ],
)
def test_a_mode_decides_what_is_replayed_refused_and_recorded(
    folder: Path, mode: str, answers: list[int], passed: int, kept: list[int]
) -> None:
    with recording(folder, mode) as (proxy, upstream):
        assert ask(proxy, "a", "a", "a", "b") == answers
        assert len(upstream.asked) == passed
    found = [json.loads(one.exchange.reply.content())["answer"] for one in read_recordings(folder)]
    assert found == kept


def test_a_refused_request_names_the_closest_recording(folder: Path) -> None:
    with recording(folder, "none") as (proxy, _):
        reply = httpx.post(proxy.chat, json={"messages": [{"role": "user", "content": "b"}]})
    assert reply.json()["detail"] == (
        "No recording matches. The closest is 0001-createAssistantChatCompletion.json: "
        'body/messages/0/content: recorded "a", sent "b"'
    )


def test_a_replayed_request_is_in_the_journal(folder: Path) -> None:
    with recording(folder, "none") as (proxy, _):
        ask(proxy, "a")
        assert proxy.journal()[0]["rule"] == "0001-createAssistantChatCompletion.json"


def test_sessions_of_a_deployment_are_replayed_with_their_own_ids(tmp_path: Path) -> None:
    def chat(url: str, text: str, **fields: object) -> Any:
        body = {"messages": [{"role": "user", "content": text}], **fields}
        return httpx.post(url + path_of(), json=body, timeout=LIMIT).json()

    def converse(url: str) -> list[Any]:
        first = chat(url, "The password is heron.", create_session=True)
        return [first, chat(url, "What is the password?", store_in_session=first["session_id"])]

    with MockServer(engine(seed=3)) as deployment, running(deployment.url, tmp_path) as proxy:
        recorded = converse(proxy.url)
        proxy.recordings(2)
    with MockServer(with_replay(engine(seed=4), tmp_path, strict=True, speed=0)) as mock:
        assert converse(mock.url) == recorded
    with MockServer(engine(seed=4)) as mock:
        assert converse(mock.url)[0]["session_id"] != recorded[0]["session_id"]


def test_what_the_proxy_recorded_the_mock_replays(folder: Path) -> None:
    mock = with_replay(engine(), folder, strict=True, speed=0)
    sent = request({"messages": [{"role": "user", "content": "a"}]})
    assert [json.loads(mock.reply(sent).content()).get("answer") for _ in range(3)] == [1, 2, None]
