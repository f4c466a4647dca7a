"""A mock with known requests, and its page in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from playwright.sync_api import Browser, Page

from agent_contract.document.checked_file import Source
from agent_contract.messages import Reply, Request
from mockserver.adapters.threaded_server import MockServer
from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.control.ui_files import UI
from mockserver.engine import Engine
from mockserver.scenarios.read import read_scenario
from tests.browser.support.chromium import TIMEOUT
from tests.mockserver.support.chat_client import CONTRACT, Clock, path_of

PHONE, DESK = 390, 1280
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
RULES = {
    "rules": [
        {"name": "greeting", "when": {"user_contains": "Good morning"}, "answer": "Good morning to you."},
        {"name": "refund", "when": {"agent": "demo", "user_contains": "refund"}, "answer": "It takes five days."},
    ]
}


def scripted(config: Config | None = None) -> Engine:
    """Return an engine with a fixed clock and the rules of `greeting.yaml`."""
    scenario = replace(read_scenario(RULES, Source("greeting.yaml"), lambda _: []), source="greeting.yaml")
    return create_engine(CONTRACT, replace(config or Config(), scenario=scenario), clock=Clock())


@dataclass(frozen=True)
class Mock:
    """A running mock, its address, and shortcuts to send it requests without the network."""

    engine: Engine
    url: str

    def send(self, body: Any, agent: str = "demo", **headers: str) -> Reply:
        """Return the reply to a chat."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        sent = {"content-type": "application/json", **named}
        return self.engine.reply(Request("POST", path_of(agent), (), sent, json.dumps(body).encode()))

    def chat(self, text: str, agent: str = "demo", **fields: Any) -> Any:
        """Return the reply to one message: its JSON, or its bytes if it is a stream."""
        content = self.send({"messages": [{"role": "user", "content": text}], **fields}, agent).content()
        return content if fields.get("stream") else json.loads(content)

    def control(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Return the JSON of a reply of the control interface."""
        headers = {"content-type": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        content = self.engine.reply(Request(method, f"/__mock__{path}", tuple(query.items()), headers, sent)).content()
        return json.loads(content) if content else None


@contextmanager
def serving(engine: Engine | None = None) -> Iterator[Mock]:
    """Serve an engine until the block ends."""
    engine = engine or scripted()
    with MockServer(engine) as server:
        yield Mock(engine, server.url)


def fill(mock: Mock) -> None:
    """Send one request of each kind: 1 computed, 2 and 3 by or near a rule, 4 and 5 a session, 6 and 7 refused, …"""
    mock.chat("Hello, what can you do?")
    mock.chat("Good morning!")
    mock.chat("Where is my refund?", "demo-open")
    session = mock.chat("My name is Ada.", create_session=True)["session_id"]
    mock.chat("What is my name?", store_in_session=session, stream=True, stream_options={"include_usage": True})
    mock.send({"messages": [{"role": "user", "content": "Hi"}], "temperature": 3})
    mock.send({"temperature": 0.2})
    mock.send({"messages": [{"role": "user", "content": "Hello"}]}, x_mock_fault="status-429")
    first = mock.chat("What is the weather in Oslo?", "demo-tools", tools=TOOLS, create_session=True)
    call = first["choices"][0]["message"]["tool_calls"][0]["id"]
    result = {"role": "tool", "tool_call_id": call, "content": "It rains in Oslo."}
    mock.send({"messages": [result], "tools": TOOLS, "store_in_session": first["session_id"]}, "demo-tools")
    mock.send({"messages": [{"role": "user", "content": "Hello from a team"}]}, x_mock_scope="team-a")


@dataclass
class Screen:
    """A page of the mock in a window, with what its console printed and the addresses that it requested."""

    page: Page
    mock: Mock
    printed: list[str] = field(default_factory=list)
    requested: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def show(self, view: str) -> Page:
        """Go to a view and return the page when it is drawn."""
        self.page.goto(f"{self.mock.url}{UI}#/{view}")
        self.page.locator("main").wait_for()
        return self.page


@contextmanager
def looking(browser: Browser, mock: Mock, *, width: int = DESK, dark: bool = False) -> Iterator[Screen]:
    """Open a window of this width; its console must stay empty."""
    context = browser.new_context(
        viewport={"width": width, "height": 844 if width == PHONE else 800},
        color_scheme="dark" if dark else "light",
        is_mobile=width == PHONE,
        timezone_id="UTC",
        locale="en-GB",
        reduced_motion="reduce",
    )
    context.set_default_timeout(TIMEOUT)
    page = context.new_page()
    screen = Screen(page, mock)
    page.on("console", lambda message: screen.printed.append(message.text))
    page.on("pageerror", lambda error: screen.printed.append(str(error)))
    page.on("request", lambda request: screen.requested.append((request.url, request.headers)))
    try:
        yield screen
        assert screen.printed == []
    finally:
        context.close()
