"""The report's page and the mock's first page in a real browser: on a screen, on a phone, light, dark, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_contract.messages import Request
from contract_tests.report.html import to_html
from tests.browser.support.chromium import Page, browsing
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
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(page: Page, file: Path, width: int) -> None:
    """With all its evidence unfolded."""
    page.open(file, width=width)
    page.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.value("document.documentElement.scrollWidth") <= width
    assert page.value(OVERFLOWING) == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out(page: Page, file: Path, dark: bool) -> None:
    page.open(file, dark=dark)
    page.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.value(FAINT) == []


def test_it_is_dark_if_the_reader_prefers_that(page: Page, file: Path) -> None:
    colours = []
    for dark in (False, True):
        page.open(file, dark=dark)
        colours.append([int(part) for part in page.value(BACKGROUND).strip("rgb()").split(",")])
    assert min(colours[0]) > 200
    assert max(colours[1]) < 60


def test_the_verdict_is_seen_first_even_on_a_phone(page: Page, file: Path) -> None:
    page.open(file, width=PHONE, height=700)
    heading = page.value("document.querySelector('h1').getBoundingClientRect().toJSON()")
    assert 0 < heading["top"] < heading["bottom"] < 250
    assert page.value("document.querySelector('h1').innerText") == "2 clauses failed, 1 clause got worse"


def test_evidence_is_folded_until_it_is_asked_for(page: Page, file: Path) -> None:
    shown = "document.getElementById('chat.n-choices').checkVisibility()"
    page.open(file)
    assert page.value(shown) is False
    page.value("document.querySelector('a[href=\"#chat.n-choices\"]').click()")
    assert page.value(f"new Promise(done => setTimeout(() => done({shown}), 100))") is True


def test_it_asks_for_nothing_runs_nothing_and_complains_of_nothing(page: Page, file: Path) -> None:
    page.requested.clear()
    page.open(file)
    assert page.requested == [file.as_uri()]
    assert page.said == []
    assert page.value("document.scripts.length") == 0


def test_on_paper_it_is_light_and_what_is_broken_is_unfolded(page: Page, file: Path) -> None:
    page.open(file, dark=True, media="print")
    assert page.value(BACKGROUND) == "rgb(255, 255, 255)"
    assert page.value("document.getElementById('chat.n-choices').checkVisibility()") is True
    assert page.value("document.getElementById('chat.reply-usage').checkVisibility()") is False
    assert page.value(FAINT) == []


def test_one_can_reach_everything_by_keyboard(page: Page, file: Path) -> None:
    """Links, what unfolds, and what scrolls."""
    page.open(file)
    reached = "[...document.querySelectorAll('a[href], summary, .scroll')].every(one => one.tabIndex === 0)"
    assert page.value(reached) is True
    assert page.value("[...document.querySelectorAll('h1, h2, h3, h4')][0].tagName") == "H1"


def test_a_picture_can_be_taken(page: Page, file: Path) -> None:
    """And it is not empty."""
    page.open(file, width=PHONE)
    picture = page.picture()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_of_the_mock_s_first_page_overflows(page: Page, first_page: Path, width: int) -> None:
    page.open(first_page, width=width)
    page.value("document.querySelector('details').open = true")
    assert page.value("document.documentElement.scrollWidth") <= width
    assert page.value(OVERFLOWING) == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_of_the_mock_s_first_page_stands_out(page: Page, first_page: Path, dark: bool) -> None:
    page.open(first_page, dark=dark)
    page.value("document.querySelector('details').open = true")
    assert page.value(FAINT) == []
