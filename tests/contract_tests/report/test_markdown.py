"""A report for a pull request: what matters first, and no server writes into it."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from contract_tests.report.markdown import escaped, to_markdown
from tests.contract_tests.report.support.samples import MARKUP, SAMPLE, clause, report

TEXT = to_markdown(SAMPLE)
RENDER = MarkdownIt("commonmark", {"html": True}).enable("table")


def test_the_verdict_comes_first() -> None:
    assert TEXT.startswith("## 2 clauses failed, 1 clause got worse\n")
    assert TEXT.index("chat.n-choices") < TEXT.index("| failed |") < TEXT.index("| warning |") < TEXT.index("<details>")


def test_what_is_held_is_folded() -> None:
    folded = TEXT[TEXT.index("<details><summary>2 passed</summary>") :]
    assert "`chat.reply-usage`" in folded
    assert TEXT.count("<details>") == TEXT.count("</details>")


def test_it_has_the_evidence_and_the_command() -> None:
    assert "agent-contract verify x --clause chat.n-choices" in TEXT
    assert "\n```sh\ncurl x\n```\n" in TEXT
    assert "waived until 2027-03-31: The vendor promises a fix" in TEXT


def test_it_lists_what_has_changed() -> None:
    assert "| worse | `chat.n-choices` | passed → failed |" in TEXT
    assert "**1 worse, 1 better, 1 gone**" in TEXT


def test_a_server_s_markup_stays_text() -> None:
    html = RENDER.render(TEXT)
    assert "<script" not in html
    assert "<img" not in html
    assert "@everyone" not in TEXT.split("```")[0]
    assert "\x1b" not in TEXT


def test_a_server_s_fence_does_not_end_the_block() -> None:
    said = "```\n# a heading of the server's\n````"
    html = RENDER.render(to_markdown(report(clause("a", "failed", expected="x", got=said))))
    assert "<h1>" not in html


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_text_reads_as_it_was(text: str) -> None:
    """As one paragraph, without markup; white space and control characters apart."""
    line = escaped(f"a{text}b")
    html = RENDER.renderInline(line)
    assert not re.search(r"<(?!/?p>)", html), (line, html)


def test_a_report_without_room_has_no_evidence() -> None:
    short = to_markdown(SAMPLE, evidence=False)
    assert "curl x" not in short
    assert "| failed | `chat.n-choices`" in short


def test_a_report_without_failures_is_short() -> None:
    text = to_markdown(replace(report(clause("a", "passed")), comparison=None))
    assert "The deployment passed" in text
    assert "| |" not in text


def test_the_sample_has_markup() -> None:
    assert "<script>" in MARKUP
