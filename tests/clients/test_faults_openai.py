"""Every fault, over a socket, as OpenAI's SDK for Python sees it: what it raises, and whether it sends again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import openai
import pytest

from mockserver import MockServer
from mockserver.faults.catalogue import KINDS
from tests.clients.support.fault_table import BEGIN, END, PAGE, ROWS, table
from tests.support.serving import Served

HELLO: Any = [{"role": "user", "content": "Hello!"}]
TOOLS: Any = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "required": ["x"]}}}]
UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
#: Seconds that a client waits; faults that last longer are meant to exceed it.
PATIENCE = 0.7
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


def ask(client: openai.OpenAI, fault: str, options: str, stream: bool) -> str:
    """Return the outcome of a chat with a fault."""
    scope = f"fault {next(_numbers)}"
    agent, fields = ("demo-tools", {"tools": TOOLS}) if fault.startswith("tool") else ("demo", {})
    if fault == "session-forgotten":
        fields = {"extra_body": {"store_in_session": UNKNOWN}}
    url = str(client.base_url).rstrip("/")
    asked = client.with_options(
        base_url=f"{url}/api/v1/compatibility/openai/v1/assistants/{agent}",
        default_headers={"X-Mock-Scope": scope, "X-Mock-Fault": f"{fault}:{options}"},
        timeout=PATIENCE if options == "seconds=30" else 20,
    )
    create: Any = asked.chat.completions.create
    try:
        answer = create(model="", messages=HELLO, stream=stream, **fields)
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
    return "answers" if all(text.endswith("}") for text in arguments) else "answers, arguments incomplete"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", [name for name, row in ROWS.items() if row.whole or row.stream])
def test_the_sdk_does_at_a_fault_what_the_page_states(client: openai.OpenAI, fault: str, stream: bool) -> None:
    row = ROWS[fault]
    expected = row.stream if stream else row.whole
    if expected:
        assert ask(client, fault, row.options, stream) == expected


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
    assert shown == table(), "run python -m tests.clients.support.fault_table"
