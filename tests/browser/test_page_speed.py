"""Ten thousand requests in the journal don't make the page slow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from agent_contract.messages import JSON_TYPE, Exchange, Reply, Request
from mockserver.config import Config
from mockserver.recording.journal import Subject
from tests.browser.support.mock_page import Mock, looking, scripted, serving
from tests.mockserver.support.chat_client import NOW, path_of

ENTRIES = 10_000
#: Milliseconds until the first requests are drawn, and of the longest task while the list is scrolled.
FIRST_PAINT, LONGEST_TASK = 1000, 100
#: Other processes delay a browser, so the best of some attempts counts.
ATTEMPTS = 5
FIRST_ROW = """new Promise(resolve => {
  const look = () => document.querySelector('[role=option]') ? resolve() : requestAnimationFrame(look);
  look();
})"""
SCROLL = """async () => {
  const tasks = [];
  const observer = new PerformanceObserver(list => tasks.push(...list.getEntries().map(one => one.duration)));
  observer.observe({type: 'longtask'});
  const box = document.querySelector('[role=listbox]');
  for (let step = 0; step < 40; step++) {
    box.scrollTop = step % 4 ? box.scrollTop + 900 : Math.random() * box.scrollHeight;
    await new Promise(requestAnimationFrame);
  }
  await new Promise(resolve => setTimeout(resolve, 50));
  observer.disconnect();
  return Math.max(0, ...tasks);
}"""


@pytest.fixture(scope="module")
def mock() -> Iterator[Mock]:
    config = Config()
    engine = scripted(replace(config, limits=replace(config.limits, journal=ENTRIES)))
    body = b'{"messages":[{"role":"user","content":"Which herons live by the sea?"}],"stream":true}'
    request = Request("POST", path_of(), (), {**JSON_TYPE, "user-agent": "client/1.0"}, body)
    reply = Reply(200, JSON_TYPE, b'{"id":"1","object":"chat.completion","choices":[],"created":1,"model":"m"}')
    exchange = Exchange(request, reply, "createAssistantChatCompletion")
    for number in range(ENTRIES):
        engine.journal.write("", exchange, Subject(NOW + number / 10))
    with serving(engine) as running:
        yield running


def test_the_first_requests_are_drawn_within_a_second(browser: Browser, mock: Mock) -> None:
    """Other processes delay a browser and a server, so what counts is the time for which each of the two computes."""
    begun = time.process_time()
    page = mock.control("GET", "/summaries", limit="200")
    answered = 1000 * (time.process_time() - begun)
    assert page["next"] is not None

    with looking(browser, mock) as screen:
        session = screen.page.context.new_cdp_session(screen.page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        screen.show("requests").evaluate(FIRST_ROW)
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    drawn = 1000 * metrics["TaskDuration"]
    assert answered + drawn < FIRST_PAINT, (answered, drawn)


def test_scrolling_through_all_makes_no_long_task(browser: Browser, mock: Mock) -> None:
    with looking(browser, mock) as screen:
        page = screen.show("requests")
        expect(page.locator("output")).to_have_text(f"{ENTRIES:,} requests")
        taken = []
        for _ in range(ATTEMPTS):
            taken.append(page.evaluate(SCROLL))
            if taken[-1] < LONGEST_TASK:
                break
        else:
            pytest.fail(f"the longest tasks took {taken} ms")
        assert page.locator("[role=option]").count() < 60
        page.get_by_label("Search requests").fill("9999")
        expect(page.locator("[role=option]")).to_have_count(1)
        page.get_by_label("Search requests").fill("")
        page.get_by_role("listbox").press("End")
        expect(page.locator("[role=option]").last).to_have_attribute("aria-posinset", str(ENTRIES))
