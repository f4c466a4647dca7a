"""The page's views of sessions, agents, rules, faults, scopes and the clock, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from contract_tests.report.saved_json import to_json
from tests.browser.support.mock_page import Screen, fill, looking, serving
from tests.contract_tests.report.support.samples import SAMPLE


@pytest.fixture(scope="module")
def screen(browser: Browser) -> Iterator[Screen]:
    with serving() as mock:
        fill(mock)
        with looking(browser, mock) as opened:
            yield opened


@pytest.fixture
def own(browser: Browser) -> Iterator[Screen]:
    """A mock that a test may change."""
    with serving() as mock, looking(browser, mock) as opened:
        yield opened


def test_a_session_is_a_conversation_with_its_tokens(screen: Screen) -> None:
    page = screen.show("sessions")
    page.get_by_label("Sessions").get_by_role("link", name="demo ", exact=False).first.click()
    messages = page.get_by_label("Messages").get_by_role("listitem")
    expect(messages).to_have_count(4)
    expect(messages.first).to_contain_text("My name is Ada.")
    expect(messages.last).to_contain_text("request 5")
    expect(page.get_by_label("Tokens per turn").get_by_role("listitem")).to_have_count(2)


def test_calls_of_tools_are_a_graph_from_question_to_answer(screen: Screen) -> None:
    page = screen.show("sessions")
    page.get_by_role("link", name="demo-tools").click()
    steps = page.get_by_label("From the question to the answer").locator("li")
    expect(steps).to_have_count(4)
    for place, text in enumerate(("What is the weather in Oslo?", "get_weather", "It rains in Oslo.", "assistant")):
        expect(steps.nth(place)).to_contain_text(text)


def test_misuse_of_a_session_is_shown_where_it_happened(own: Screen) -> None:
    mock = own.mock
    first = mock.chat("My name is Ada.", create_session=True)
    answer = first["choices"][0]["message"]
    again = [{"role": "user", "content": "My name is Ada."}, {"role": "assistant", "content": answer["content"]}]
    messages = [*again, {"role": "user", "content": "Who am I?"}]
    mock.send({"messages": messages, "store_in_session": first["session_id"]})
    page = own.show(f"sessions/{first['session_id']}")
    found = page.get_by_label("What lint found")
    expect(found).to_contain_text("history-resent")
    expect(found).to_contain_text("send only the new messages")
    page.get_by_role("button", name="Delete the session").click()
    expect(page.get_by_text("No session in this scope.")).to_be_visible()


def test_agents_show_model_knowledge_and_tools(screen: Screen) -> None:
    page = screen.show("agents")
    library = page.get_by_label("demo-knowledge", exact=True)
    expect(library).to_contain_text("loans.txt, fees.txt")
    expect(page.get_by_label("demo-tools", exact=True)).to_contain_text("calls a tool that the request declares")
    library.get_by_role("button", name="Reset").click()
    expect(library).to_contain_text("configured")


def test_rules_are_listed_in_order_and_removed(own: Screen) -> None:
    own.mock.control("POST", "/rules", {"name": "mine", "answer": "Mine."})
    page = own.show("rules")
    expect(page.get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_role("listitem").first).to_contain_text("mine")
    own.mock.chat("Hello!")
    expect(page.get_by_role("listitem").first).to_contain_text("answered 1×")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("listitem")).to_have_count(2)
    page.get_by_label("Refuse chats that no rule matches").check()
    expect(page.get_by_role("switch")).to_be_checked()
    assert own.mock.control("GET", "/rules")["strict"] is True


def fault(page: Page, name: str) -> Page:
    page.get_by_label("Find a fault").fill(name)
    return page


def test_a_fault_is_a_switch_with_a_countdown(own: Screen) -> None:
    page = fault(own.show("faults"), "status-502 ")
    row = page.get_by_role("listitem")
    row.get_by_role("button", name="Settings, preview").click()
    row.get_by_label("times").fill("2")
    row.get_by_label("ttl").fill("600")
    row.get_by_role("switch").check()
    expect(row.get_by_role("timer")).to_contain_text("10 min left")
    expect(row).to_contain_text("2 left")
    assert own.mock.send({"messages": [{"role": "user", "content": "Hi"}]}).status == 502
    expect(row).to_contain_text("happened 1×")
    expect(row).to_contain_text("1 left")
    row.get_by_role("switch").uncheck()
    expect(row.get_by_role("timer")).to_have_count(0)
    assert own.mock.control("GET", "/faults")["faults"] == []


@pytest.mark.parametrize(
    ("name", "ending"),
    [("status-429", "The reply is complete."), ("cut", "The connection ended too soon")],
)
def test_a_fault_is_previewed_without_a_trace(own: Screen, name: str, ending: str) -> None:
    page = fault(own.show("faults"), name)
    row = page.get_by_role("listitem").filter(has=page.locator(f"b:text-is('{name}')"))
    row.get_by_role("button", name="Settings, preview").click()
    row.get_by_role("button", name="Preview", exact=True).click()
    expect(row.get_by_role("status")).to_contain_text(ending)
    own.printed.clear()  # the browser reports each failed request
    assert own.mock.control("GET", "/requests")["requests"] == []


def test_scopes_are_shown_and_reset(own: Screen) -> None:
    own.mock.send({"messages": [{"role": "user", "content": "Hi"}]}, x_mock_scope="mine")
    page = own.show("scopes")
    page.get_by_role("button", name="Show mine").click()
    expect(page.get_by_label("Clock", exact=True)).to_contain_text("of the scope mine")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Reset mine").click()
    expect(page.get_by_role("row", name="mine")).to_have_count(0)


def test_the_clock_is_frozen_and_moved(own: Screen) -> None:
    page = own.show("scopes")
    clock = page.get_by_label("Clock", exact=True)
    clock.get_by_role("radio", name="frozen Time").check()
    expect(clock.locator("time")).to_have_text("14 Nov 2023, 22:13:20")
    clock.get_by_role("button", name="1 hour").click()
    expect(clock.locator("time")).to_have_text("14 Nov 2023, 23:13:20")
    assert own.mock.control("GET", "/clock") == {"now": 1_700_003_600.0, "mode": "frozen"}


def test_one_talks_to_an_agent_and_sees_the_raw_exchange(own: Screen) -> None:
    page = own.show("chat")
    page.get_by_label("Message", exact=True).fill("Good morning!")
    page.get_by_label("Message", exact=True).press("Enter")
    said = page.get_by_role("log").get_by_role("listitem")
    expect(said.last).to_contain_text("Good morning to you.")
    expect(page.get_by_label("Raw request")).to_contain_text('"stream": true')
    expect(page.get_by_label("Raw reply")).to_contain_text("data: [DONE]")
    page.get_by_label("stream").uncheck()
    page.get_by_label("session").check()
    for text in ("My name is Ada.", "What is my name?"):
        page.get_by_label("Message", exact=True).fill(text)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("button", name="Send")).to_be_enabled()
    expect(said).to_have_count(4)
    expect(page.get_by_label("Raw request")).to_contain_text("store_in_session")
    assert own.mock.control("GET", "/sessions")["sessions"][0]["messages"] == 4


def test_a_refused_message_leaves_the_talk_as_it_was(own: Screen) -> None:
    own.mock.control("POST", "/faults", {"fault": "status-503", "times": 1})
    page = own.show("chat")
    page.get_by_label("Message", exact=True).fill("Hello!")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("refused it with 503")
    expect(page.get_by_role("log").get_by_role("listitem")).to_have_count(0)
    own.printed.clear()  # the browser reports the 503


def test_clauses_are_searched(screen: Screen) -> None:
    page = screen.show("contract")
    clauses = page.locator(".clauses li")
    expect(clauses.first).to_be_visible()
    assert clauses.count() > 200
    page.get_by_label("Search clauses").fill("temperature above")
    expect(clauses).to_have_count(1)
    page.get_by_label("Search clauses").fill("")
    page.get_by_label("Grade").select_option("assumed")
    expect(clauses.first).to_contain_text("assumed")
    page = screen.show("contract/chat.temperature-above-maximum")
    expect(clauses).to_have_count(1)


def test_a_report_of_verify_adds_its_verdicts(own: Screen, report: bytes) -> None:
    page = own.show("contract")
    files = page.locator("input[type=file]")
    files.set_input_files({"name": "notes.json", "mimeType": "application/json", "buffer": b"{}"})
    expect(page.get_by_role("alert")).to_contain_text("it is not a report of agent-contract verify")
    files.set_input_files({"name": "report.json", "mimeType": "application/json", "buffer": report})
    page.get_by_label("Verdict").select_option("failed")
    expect(page.locator(".clauses li")).not_to_have_count(0)
    expect(page.locator(".clauses li").first).to_contain_text("failed")
    page.get_by_role("button", name="Close the report").click()
    expect(page.get_by_label("Verdict")).to_have_count(0)


def test_a_report_is_dropped_on_the_page(own: Screen, report: bytes) -> None:
    page = own.show("contract")
    page.locator(".drop").evaluate(
        """(element, text) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], 'report.json', {type: 'application/json'}));
          element.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}));
        }""",
        report.decode(),
    )
    expect(page.get_by_label("Report", exact=True)).to_contain_text("failed")


@pytest.fixture(scope="module")
def report() -> bytes:

    return to_json(SAMPLE).encode()
