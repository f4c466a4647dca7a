"""The page's list of requests, the request that is open, and what can be done with it, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from agent_contract.document.checked_file import Source
from mockserver.scenarios.read import read_scenario
from tests.browser.support.mock_page import PHONE, Mock, fill, looking, serving

ROWS = "[role=option]"
ANSWER = "Oslo: a \"city\"\n  in 'Norway'.\n\n# yes"


@pytest.fixture(scope="module")
def mock() -> Iterator[Mock]:
    with serving() as running:
        fill(running)
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, mock: Mock) -> Iterator[Page]:
    with looking(browser, mock) as screen:
        yield screen.page


def opened(page: Page, mock: Mock, view: str) -> Page:
    page.goto(f"{mock.url}/__mock__/ui/#/{view}")
    return page


def test_a_request_appears_while_the_page_is_open(browser: Browser) -> None:
    with serving() as mock, looking(browser, mock) as screen:
        page = screen.show("requests")
        expect(page.get_by_text("No request yet in this scope")).to_be_visible()
        expect(page.locator(".live")).to_have_text("Live")
        mock.chat("Is anybody there?")
        row = page.locator(ROWS)
        expect(row).to_contain_text("Is anybody there?")
        expect(row).to_contain_text("answered")
        mock.control("POST", "/reset")
        expect(row).to_have_count(0)


def test_a_row_has_what_finds_a_request(page: Page, mock: Mock) -> None:
    opened(page, mock, "requests")
    row = page.locator(ROWS, has_text="Good morning!")
    for text in ("200", "POST", "/assistants/demo/chat/completions", "demo", "default", "answered", "rule greeting"):
        expect(row).to_contain_text(text)
    expect(page.locator(ROWS).nth(2)).to_contain_text("status-429")


def test_requests_are_filtered_and_searched(page: Page, mock: Mock) -> None:
    opened(page, mock, "requests")
    rows = page.locator(ROWS)
    expect(rows).to_have_count(10)
    page.get_by_label("Verdict", exact=True).select_option("refused")
    expect(rows).to_have_count(2)
    page.get_by_label("Status", exact=True).select_option("5")
    expect(page.get_by_text("No request matches.")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Agent", exact=True).select_option("demo-tools")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Search requests").fill("temperature-above")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Clear").click()


def test_a_message_is_found_beyond_what_its_row_shows(browser: Browser) -> None:
    with serving() as mock, looking(browser, mock) as screen:
        mock.chat("Hello!")
        mock.chat("word " * 100 + "heron")
        page = screen.show("requests")
        page.get_by_label("Search requests").fill("heron")
        expect(page.locator(ROWS)).to_have_count(1)


def test_another_scope_or_all_can_be_shown(browser: Browser, mock: Mock) -> None:
    with looking(browser, mock) as screen:
        page = screen.show("requests")
        page.get_by_label("Scope").select_option("team-a")
        expect(page.locator(ROWS)).to_have_count(1)
        page.get_by_label("Scope").select_option("all scopes")
        expect(page.locator(ROWS)).to_have_count(11)
        page.locator(ROWS, has_text="team-a").click()
        expect(page.locator(".facts")).to_contain_text("scope team-a")


def test_a_refusal_shows_its_clause_and_marks_the_value(page: Page, mock: Mock) -> None:
    opened(page, mock, "requests/6")
    why = page.get_by_label("Why")
    expect(why).to_contain_text("core")
    expect(why).to_contain_text("chat.temperature-above-maximum")
    expect(why).to_contain_text("A temperature above 2 is refused with 422.")
    marked = page.locator(".line.marked")
    expect(marked).to_have_text('"temperature": 3')
    expect(page.locator(".line.marked + .mark")).to_contain_text("send at most 2")


def test_an_absent_field_is_marked_where_it_belongs(page: Page, mock: Mock) -> None:
    opened(page, mock, "requests/7")
    expect(page.locator(".line.marked")).to_have_text('"messages": absent')


def test_a_stream_is_a_timeline_with_the_answer_joined(page: Page, mock: Mock) -> None:
    opened(page, mock, "requests/5")
    expect(page.locator(".joined")).to_contain_text("Ada")
    expect(page.locator(".joined")).to_contain_text("finish: stop")
    events = page.locator(".timeline li")
    expect(events.last).to_contain_text("[DONE]")
    events.first.get_by_role("button").click()
    expect(events.first.locator(".json")).to_contain_text("chat.completion.chunk")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (2, 'Rule 1 of greeting.yaml ("greeting") answered.'),
        (3, 'No rule matched. Rule 2 of greeting.yaml ("refund") comes nearest: its agent is'),
        (8, "The fault status-429 made the reply."),
    ],
)
def test_the_reason_is_shown(page: Page, mock: Mock, number: int, reason: str) -> None:
    opened(page, mock, f"requests/{number}")
    expect(page.locator(".reason")).to_contain_text(reason)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("curl", "curl -sS -X POST"),
        ("Python", "client.chat.completions.create("),
        ("Node", "chat.completions.create({"),
        ("Fixture", '"status": 200'),
        ("Test", "def test_request_1(agent_mock):"),
    ],
)
def test_a_request_is_copied_as_code(page: Page, mock: Mock, name: str, part: str) -> None:
    opened(page, mock, "requests/1")
    if page.get_by_label("Copy as").count() == 0:
        page.get_by_role("button", name="Copy as …").click()
    page.get_by_label("Format", exact=True).get_by_role("button", name=name).click()
    expect(page.get_by_label("Copy as", exact=True).locator("pre")).to_contain_text(part)


def test_a_copy_is_on_the_clipboard(browser: Browser, mock: Mock) -> None:
    with looking(browser, mock) as screen:
        screen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = screen.show("requests/1")
        page.get_by_role("button", name="Copy as …").click()
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()").startswith("# Request 1 of the journal")


def test_a_request_is_sent_again_and_compared(browser: Browser) -> None:
    with serving() as mock, looking(browser, mock) as screen:
        mock.chat("Hello!", temperature=0.3)
        page = screen.show("requests/1")
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_role("status").filter(has_text="Sent again: 200")).to_be_visible()
        assert mock.control("GET", "/requests/2")["request"]["json"]["temperature"] == 0.3
        page.get_by_role("link", name="compare").click()
        expect(page.get_by_label("Differences of the reply")).to_contain_text("body/\u200bid")
        expect(page.locator(".card", has_text="Request").first).not_to_contain_text("temperature")


def test_two_requests_are_chosen_and_compared(page: Page, mock: Mock) -> None:
    opened(page, mock, "requests/1")
    page.get_by_role("button", name="Compare …").click()
    page.get_by_label("Compare with").select_option("6")
    differences = page.get_by_label("Differences of the request")
    expect(differences.locator("tr", has_text="temperature")).to_contain_text("absent")
    expect(page.get_by_label("Differences of the reply").locator("tr", has_text="status")).to_contain_text("422")


#: Which messages get the answer of a rule that was made of "What is the capital?", by its degree of precision.
DEGREES = {
    "This request": {"What is the capital?": True, "Which capital is it?": False, "Hello!": False},
    "Similar ones": {"What is the capital?": True, "Which capital is it?": True, "Hello!": False},
    "Every chat": {"What is the capital?": True, "Which capital is it?": True, "Hello!": True},
}


def test_a_rule_is_made_of_an_answer_in_three_degrees(browser: Browser) -> None:
    with serving() as mock, looking(browser, mock) as screen:
        mock.chat("What is the capital?")
        page = screen.show("requests/1")
        page.get_by_role("button", name="Make a rule of it").click()
        page.get_by_label("Answer", exact=True).fill(ANSWER)
        for number, (degree, matches) in enumerate(DEGREES.items(), 1):
            page.get_by_label(degree).check()
            text = page.get_by_label("The rule as YAML").inner_text()
            page.get_by_role("button", name="Save to scope default").click()
            expect(page.get_by_text(f"Saved as rule-{number}.")).to_be_visible()
            answers = {said: mock.chat(said)["choices"][0]["message"]["content"] for said in matches}
            assert {said: answer.startswith("Oslo") for said, answer in answers.items()} == matches, degree
            (compiled,) = read_scenario(yaml.safe_load(text), Source("copied"), lambda _: []).rules
            assert compiled.rule.answers[0].text == ANSWER
            mock.control("DELETE", "/rules")


def test_the_list_is_used_by_keyboard(page: Page, mock: Mock) -> None:
    opened(page, mock, "requests")
    expect(page.locator(ROWS)).to_have_count(10)
    page.keyboard.press("/")
    expect(page.get_by_label("Search requests")).to_be_focused()
    page.get_by_role("listbox").focus()
    for key in ("Home", "ArrowDown", "j", "k", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".head h2")).to_contain_text("8 POST")
    page.keyboard.press("Escape")
    expect(page.locator(".detail")).to_have_count(0)


def test_a_phone_shows_the_list_or_the_request(browser: Browser, mock: Mock) -> None:
    with looking(browser, mock, width=PHONE) as screen:
        page = screen.show("requests")
        page.locator(ROWS, has_text="Good morning!").click()
        expect(page.locator(".reason")).to_be_visible()
        expect(page.get_by_role("listbox")).to_be_hidden()
        page.get_by_label("Back to the list").click()
        expect(page.get_by_role("listbox")).to_be_visible()
