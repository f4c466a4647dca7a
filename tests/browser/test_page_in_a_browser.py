"""The report's page and the mock's first page in a real browser: on a screen, on a phone, light, dark, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from agent_contract.messages import Request
from contract_tests.report.html import to_html
from tests.browser.support.chromium import Window, browsing
from tests.contract_tests.report.support.samples import SAMPLE
from tests.mockserver.support.chat_client import engine

PHONE = 390
WIDTHS = (PHONE, 768, 1200)
#: The contrast that WCAG 2.2 wants of text (success criterion 1.4.3).
LEAST_CONTRAST = 4.5
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
OVERFLOWING = """[...document.querySelectorAll('body *')]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll, svg'))
  .map(one => one.outerHTML.slice(0, 100))"""
#: Returns the strings with too little contrast to their background, with the contrast.
FAINT = """(() => {
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const colour = text => text.match(/[\\d.]+/g).map(Number);
  const background = one => {
    for (; one; one = one.parentElement) {
      const found = colour(getComputedStyle(one).backgroundColor);
      if (found.length < 4 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    if (![...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())) continue;
    const [a, b] = [light(colour(getComputedStyle(one).color)), light(background(one))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < LEAST) found.push(`${ratio.toFixed(2)} ${one.outerHTML.slice(0, 90)}`);
  }
  return found;
})()""".replace("LEAST", str(LEAST_CONTRAST))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(to_html(SAMPLE), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def first_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "first.html"
    path.write_bytes(engine().reply(Request("GET", "/")).content())
    return path


@pytest.fixture(scope="module")
def window() -> Iterator[Window]:
    with browsing() as opened:
        yield opened


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(window: Window, file: Path, width: int) -> None:
    """With all its evidence unfolded."""
    page = window.open(file, width=width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out(window: Window, file: Path, dark: bool) -> None:
    page = window.open(file, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate(FAINT) == []


def test_it_is_dark_if_the_reader_prefers_that(window: Window, file: Path) -> None:
    colours = []
    for dark in (False, True):
        page = window.open(file, dark=dark)
        colours.append([int(part) for part in page.evaluate(BACKGROUND).strip("rgb()").split(",")])
    assert min(colours[0]) > 200
    assert max(colours[1]) < 60


def test_the_verdict_is_seen_first_even_on_a_phone(window: Window, file: Path) -> None:
    page = window.open(file, width=PHONE, height=700)
    heading = page.evaluate("document.querySelector('h1').getBoundingClientRect().toJSON()")
    assert 0 < heading["top"] < heading["bottom"] < 250
    assert page.evaluate("document.querySelector('h1').innerText") == "2 clauses failed, 1 clause got worse"


def test_evidence_is_folded_until_it_is_asked_for(window: Window, file: Path) -> None:
    page = window.open(file)
    evidence = page.locator("[id='chat.n-choices']")
    expect(evidence).to_be_hidden()
    page.locator("a[href='#chat.n-choices']").first.click()
    expect(evidence).to_be_visible()


def test_it_asks_for_nothing_runs_nothing_and_complains_of_nothing(window: Window, file: Path) -> None:
    page = window.open(file)
    assert window.requested == [file.as_uri()]
    assert window.printed == []
    assert page.evaluate("document.scripts.length") == 0


def test_on_paper_it_is_light_and_what_is_broken_is_unfolded(window: Window, file: Path) -> None:
    page = window.open(file, dark=True, on_paper=True)
    assert page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    assert page.evaluate("document.getElementById('chat.n-choices').checkVisibility()") is True
    assert page.evaluate("document.getElementById('chat.reply-usage').checkVisibility()") is False
    assert page.evaluate(FAINT) == []


def test_one_can_reach_everything_by_keyboard(window: Window, file: Path) -> None:
    """Links, what unfolds, and what scrolls."""
    page = window.open(file)
    reached = "[...document.querySelectorAll('a[href], summary, .scroll')].every(one => one.tabIndex === 0)"
    assert page.evaluate(reached) is True
    assert page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')][0].tagName") == "H1"


def test_a_picture_can_be_taken(window: Window, file: Path) -> None:
    """And it is not empty."""
    page = window.open(file, width=PHONE)
    picture = page.screenshot()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_of_the_mock_s_first_page_overflows(window: Window, first_page: Path, width: int) -> None:
    page = window.open(first_page, width=width)
    page.evaluate("document.querySelector('details').open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_of_the_mock_s_first_page_stands_out(window: Window, first_page: Path, dark: bool) -> None:
    page = window.open(first_page, dark=dark)
    page.evaluate("document.querySelector('details').open = true")
    assert page.evaluate(FAINT) == []
