"""An HTTP archive that Playwright records of a page in a real browser is read as recordings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from mockserver.adapters.threaded_server import MockServer
from mockserver.build import with_replay
from mockserver.recording.recording_folder import belongs_to, read_recordings
from tests.browser.support.chromium import browsing
from tests.mockserver.support.chat_client import CONTRACT, engine, path_of, request, user

#: Sends chats, one as a stream, and returns the answers.
CHATS = """async ([path, ...bodies]) => {
  const answers = [];
  for (const body of bodies) {
    const headers = {'content-type': 'application/json', authorization: 'Bearer any'};
    const reply = await fetch(path, {method: 'POST', headers, body: JSON.stringify(body)});
    answers.push(await reply.text());
  }
  return answers;
}"""
BODIES: list[dict[str, Any]] = [
    {"messages": [user("Grüße 👋")]},
    {"messages": [user("Hello!")], "stream": True},
    {"messages": [user("Hello!")], "temperature": 3},
]


@pytest.mark.parametrize(
    ("content", "name"), [("embed", "trace.har"), ("attach", "trace.har"), ("attach", "trace.zip")]
)
def test_what_a_page_has_sent_and_got_is_replayed(
    tmp_path: Path, content: Literal["attach", "embed"], name: str
) -> None:
    archive = tmp_path / name
    with MockServer(engine()) as mock, browsing() as window:
        context = window.browser.new_context(record_har_path=archive, record_har_content=content)
        page = context.new_page()
        page.goto(f"{mock.url}/no-page")
        answers = page.evaluate(CHATS, [path_of(), *BODIES])
        context.close()
    found = read_recordings(archive, belongs_to(CONTRACT))
    assert [one.exchange.reply.status for one in found] == [200, 200, 422]
    assert found.left_out["of other APIs"] >= 1
    assert [json.loads(one.exchange.request.body) for one in found] == BODIES
    replay = with_replay(engine(seed=5), archive, strict=True, speed=0)
    assert [replay.reply(request(body)).content().decode() for body in BODIES] == answers
