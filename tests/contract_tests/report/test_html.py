"""The page's text; how it looks is for the tests with a browser."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markupsafe import escape

from agent_contract import load_contract
from agent_contract.messages import GRADE_MEANINGS
from contract_tests.report.html import SIGNS, to_html
from contract_tests.report.model import Change, Comparison, OperationCoverage, RunSummary
from contract_tests.report.phrases import headline, lead, settings
from contract_tests.report.sections import OTHER, topic
from contract_tests.verdict import WORDS
from tests.contract_tests.report.support.samples import MARKUP, SAMPLE, clause, report

PAGE = to_html(SAMPLE)
VOID = {"meta", "link", "br", "img", "hr", "input", "col"}


class Outline(HTMLParser):
    """The tags of a page, checked to be nested, with ids, links and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        found = dict(attrs)
        self.ids += filter(None, [found.get("id")])
        self.links += filter(None, [found.get("href"), found.get("src")])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module", name="outline")
def _outline() -> Outline:
    return Outline(PAGE)


def test_it_is_well_formed(outline: Outline) -> None:
    assert outline.open == []
    assert sorted(set(outline.ids)) == sorted(outline.ids)


def test_it_needs_no_script_and_no_network(outline: Outline) -> None:
    assert not {"script", "img", "iframe", "object"} & set(outline.tags)
    assert not {name for name in outline.attributes if name.startswith("on")}
    assert [link for link in outline.links if not link.startswith("#") and link != "data:,"] == []
    assert not re.search(r"url\(|@import", PAGE)


def test_its_links_lead_to_clauses_of_the_page(outline: Outline) -> None:
    wanted = {link[1:] for link in outline.links if link.startswith("#")}
    assert {"chat.n-choices", "chat.stream-done", "chat.stop-content", "chat.reply-usage"} <= wanted
    assert wanted <= set(outline.ids)


def test_the_heading_contains_the_verdict() -> None:
    assert "<h1>2 clauses failed, 1 clause got worse</h1>" in PAGE
    assert lead(SAMPLE) in PAGE


def test_output_of_a_server_is_escaped() -> None:
    assert MARKUP not in PAGE
    assert "&lt;script&gt;alert(1)" in PAGE
    assert "\x1b" not in PAGE


def test_it_has_every_clause_with_word_command_and_evidence() -> None:
    for one in SAMPLE.clauses:
        assert f'id="{one.id}"' in PAGE
        assert one.command in PAGE
    for text in ("Expected", "2 choices", "curl x", "<time>0.750</time>", "Until 2027-03-31", "passed → failed", "418"):
        assert text in PAGE, text


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (0, ["passed"], "The deployment passed"),
        (1, ["failed"], "1 clause failed"),
        (1, ["passed"], "The waivers need a change"),
        (2, ["not tested"], "No verdict"),
        (130, ["passed"], "The run was interrupted"),
    ],
)
def test_the_headline_contains_the_verdict(code: int, words: list[str], said: str) -> None:
    assert headline(report(*(clause(word, word) for word in words), code=code)) == said


def test_the_headline_names_what_was_not_decided() -> None:
    undecided = replace(report(clause("a", "not tested"), code=2), verdict=RunSummary(2, "", {}, ("a",)))
    assert headline(undecided) == "No verdict: 1 core clause not decided: a"


def test_the_headline_mentions_what_got_worse() -> None:
    worse = Comparison("", "", "", True, (Change("a", "worse", "passed", "warning"),))
    assert headline(replace(report(clause("a", "warning"), code=1), comparison=worse)) == "1 clause got worse"
    passed = replace(report(clause("a", "warning")), comparison=worse)
    assert headline(passed) == "The deployment passed, 1 clause got worse"


def test_a_clause_counts_only_for_the_operations_that_it_was_judged_on() -> None:
    """An operation that the deployment lacks has passed nothing; one without requests is only counted."""
    twins = (
        OperationCoverage("here", "GET", "/here", ("200",), {"200": 3, "404": 1}),
        OperationCoverage("absent", "GET", "/absent", ("200",), {"404": 2}),
        OperationCoverage("unasked", "GET", "/unasked", ("200",), {}),
    )
    everywhere = ("here", "absent", "unasked")
    passed = replace(clause("a", "passed"), operations=everywhere, judged_on=("here", "absent"))
    lacking = replace(clause("b", "not supported"), operations=everywhere, judged_on=("absent",))
    page = to_html(replace(report(passed, lacking), operations=twins))
    rows = re.findall(
        r"<b>(\w+)</b>.*?</th>(.*?)</tr>", page[page.index("by-verdict") : page.index("by-status")], re.DOTALL
    )
    cells = {name: re.findall(r"<td[^>]*>([^<]*)</td>", row) for name, row in rows}
    assert cells == {"here": ["–", "1"], "absent": ["1", "–"]}
    assert "1 other operation of the contract: no clause tested." in page


def test_grades_are_explained() -> None:
    for grade, meaning in GRADE_MEANINGS.items():
        assert grade in PAGE
        assert str(escape(meaning)) in PAGE


def test_the_lead_counts() -> None:
    expected = "2 of the 7 tested clauses passed, 2 failed, 1 failed and waived, "
    assert lead(SAMPLE).startswith(expected)
    assert lead(report(code=2)) == "No clause was tested."


def test_the_options_read_as_words() -> None:
    said = dict(settings(SAMPLE))
    assert (said["Clauses"], said["Api version"], said["Rate"], said["Token"]) == (
        "all",
        "detected",
        "no limit",
        "yes",
    )
    assert (said["Max requests"], said["No sessions"], said["Seed"]) == ("200", "no", "0")


def test_every_word_has_a_sign() -> None:
    assert SIGNS.keys() == WORDS.keys()
    assert len(set(SIGNS.values())) == len(WORDS)


def test_every_clause_of_the_contract_comes_under_a_heading() -> None:
    assert [clause.id for clause in load_contract().clauses if topic(clause.id) == OTHER] == []
