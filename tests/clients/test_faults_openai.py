"""Every fault, over a socket, as OpenAI's SDKs see it: what they raise, and whether they send again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import openai
import pytest

from mockserver import MockServer
from mockserver.faults.catalogue import KINDS
from tests.clients.support.fault_table import BEGIN, END, PAGE, ROWS, case, table
from tests.clients.support.install_node_packages import FOLDER
from tests.clients.support.node import node
from tests.support.serving import Served

HELLO: Any = [{"role": "user", "content": "Hello!"}]
_numbers = count()


@pytest.fixture(scope="module", params=["serve", "MockServer"])
def url(request: pytest.FixtureRequest, served: Served) -> Iterator[str]:
    if request.param == "serve":
        yield served.url
    else:
        with MockServer() as mock:
            yield mock.url


@pytest.fixture
def client(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[openai.OpenAI]:
    """A client that sends again once, without a pause."""
    monkeypatch.setattr(openai.OpenAI, "_sleep_for_retry", lambda *_, **__: None)
    with openai.OpenAI(base_url=url, api_key="any", max_retries=1) as opened:
        yield opened


def ask(client: openai.OpenAI, fault: str, stream: bool) -> str:
    """Return the outcome of a chat, or of the request that a fault is for."""
    scope, sent = f"fault {next(_numbers)}", case(fault, stream)
    url = str(client.base_url).rstrip("/")
    api = f"{url}/api/v1/compatibility/openai/v1"
    asked = client.with_options(
        base_url=api if sent["other"] else f"{api}/assistants/{sent['agent']}",
        default_headers={"X-Mock-Scope": scope, "X-Mock-Fault": f"{fault}:{sent['options']}"},
        timeout=sent["timeout"],
    )
    create: Any = asked.chat.completions.create
    try:
        if sent["other"]:
            method, path, body = sent["other"]
            outcome = str(getattr(asked, method)(path, cast_to=object, body=body))
        else:
            answer = create(model="", messages=sent["messages"], stream=stream, extra_body=sent["fields"])
            outcome = streamed(list(answer)) if stream else whole(answer)
    except Exception as error:
        outcome = type(error).__name__
    found = httpx.get(f"{url}/__mock__/requests", headers={"X-Mock-Scope": scope}).json()["requests"]
    assert fault in found[0]["faults"]
    return outcome if len(found) == 1 else f"{outcome}, after retries"


def whole(answer: Any) -> str:
    message = answer.choices[0].message
    if message.tool_calls:
        return described_calls([call.function.arguments for call in message.tool_calls], 0)
    return {"": "answers, content empty", None: "answers, content None"}.get(message.content, "answers")


def streamed(chunks: list[Any]) -> str:
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    if calls:
        return described_calls(["".join(call.function.arguments or "" for call in calls)], calls[0].index)
    if not "".join(delta.content or "" for delta in deltas):
        return "answers, content empty"
    return "answers" if all(chunk.choices for chunk in chunks) else "answers, a chunk without choices"


def described_calls(arguments: list[str], index: int | None) -> str:
    if index is None:
        return "answers, index None"
    return "answers" if all(map(is_json, arguments)) else "answers, arguments not JSON"


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", ROWS)
def test_the_sdk_does_at_a_fault_what_the_page_states(client: openai.OpenAI, fault: str, stream: bool) -> None:
    row = ROWS[fault]
    expected = row.stream if stream else row.whole
    if expected:
        assert ask(client, fault, stream) == expected


def test_the_sdk_for_node_does_at_each_fault_what_the_page_states(served: Served) -> None:
    """All at once, because it waits for half a second between two tries."""
    expected = {
        (fault, stream): outcome
        for fault, row in ROWS.items()
        for stream, outcome in zip((False, True), row.node_outcomes, strict=True)
        if outcome
    }
    cases = json.dumps([case(*one, in_node=True) for one in expected])
    command = [node(), str(FOLDER / "faults.mjs"), served.url]
    ran = subprocess.run(command, input=cases, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert dict(zip(expected, json.loads(ran.stdout), strict=True)) == expected


def test_the_sdk_waits_as_retry_after_ms_asks(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("openai._base_client.time.sleep", waits.append)
    headers = {"X-Mock-Scope": "waits", "X-Mock-Fault": "status-429:retry_after_ms=1500"}
    base_url = f"{url}/api/v1/compatibility/openai/v1/assistants/demo"
    client = openai.OpenAI(base_url=base_url, api_key="any", max_retries=1, default_headers=headers)
    with client, pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="", messages=HELLO)
    assert waits == [1.5]


def test_the_page_has_every_fault_as_it_is_tested() -> None:
    assert set(ROWS) == set(KINDS)
    text = PAGE.read_text(encoding="utf-8")
    shown = text.partition(BEGIN)[2].partition(END)[0]
    assert all(row.whole or row.stream for row in ROWS.values())
    assert shown == table(), "run python -m tests.clients.support.fault_table"
