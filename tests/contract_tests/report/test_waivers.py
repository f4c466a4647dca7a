"""Waivers excuse failures, for a reason and until a day; anything else about them fails the run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agent_contract.messages import Clause
from contract_tests.report.waivers import AppliedWaivers, Waiver, WaiverError, load_waivers
from contract_tests.verdict import WAIVED, WORDS, Exit, Finding, conclude

DAY = date(2027, 3, 31)
EXCUSE = Waiver("a.b", "known", DAY.isoformat())
CLAUSES = {"a.b": Clause("a.b", "It is so.", "core", "1", (), "#/")}


def judged(word: str, *waivers: Waiver, today: date = DAY) -> tuple[Exit, str, str]:
    """Return exit code, sentence and word of a run of one clause."""
    waiving = AppliedWaivers(waivers, today)
    findings = waiving.applied({"a.b": Finding(word, clause="a.b")})
    conclusion = conclude(findings, CLAUSES, objections=waiving.objections(findings))
    return conclusion.code, conclusion.sentence, findings["a.b"].word


def test_a_waived_clause_does_not_fail_the_run() -> None:
    assert judged("failed", EXCUSE) == (Exit.PASSED, "passed", WAIVED)


def test_without_a_waiver_it_does() -> None:
    assert judged("failed")[0] == Exit.FAILED


def test_a_waiver_counts_on_its_last_day_and_not_after_it() -> None:
    assert judged("failed", EXCUSE, today=DAY)[0] == Exit.PASSED
    code, sentence, word = judged("failed", EXCUSE, today=date(2027, 4, 1))
    assert (code, word) == (Exit.FAILED, "failed")
    assert sentence == "failed: a.b; the waiver of a.b expired on 2027-03-31"


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("passed", "the waiver of a.b is not needed any more: it passed"),
        ("warning", "the waiver of a.b is not needed any more: it is only a warning, which fails no run"),
        ("not supported", "the waiver of a.b is not needed any more: it is not supported"),
    ],
)
def test_a_waiver_that_became_needless_fails_the_run(word: str, why: str) -> None:
    assert judged(word, EXCUSE) == (Exit.FAILED, why, word)


def test_a_waiver_of_an_unknown_clause_fails_the_run() -> None:
    code, sentence, _ = judged("passed", Waiver("a.c", "known", "2027-03-31"))
    assert (code, sentence) == (Exit.FAILED, "the waiver of a.c names no clause of the contract")


@pytest.mark.parametrize("word", ["skipped", "not tested"])
def test_a_waiver_of_what_was_not_seen_is_left_alone(word: str) -> None:
    assert AppliedWaivers((EXCUSE,), DAY).objections({"a.b": Finding(word, clause="a.b")}) == ()


def test_every_word_is_either_excused_or_needless_or_unseen() -> None:
    words = set(WORDS) - {"failed", WAIVED, "passed", "warning", "not supported", "not tested", "skipped"}
    assert words == set()


def test_waivers_are_read_from_yaml(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text("- clause: a.b\n  reason: known\n  until: 2027-03-31\n")
    assert load_waivers(file) == (EXCUSE,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clause: a.b\n", "is not a list"),
        ("- a.b\n", "waivers.yaml:1: the waiver is not an object"),
        ("- clause: a.b\n  reason: x\n", "has no text as 'until'"),
        ("- clause: a.b\n  reason: ' '\n  until: 2027-03-31\n", "has no text as 'reason'"),
        ("- clause: a.b\n  reason: x\n  until: soon\n", "waivers.yaml:3: the waiver has no date as 'until': 'soon'"),
        ("- clause: a.b\n  reason: x\n  until: 2027-02-30\n", "has no date as 'until'"),
        (
            "- clause: a.b\n  reason: x\n  untill: 2027-03-31\n",
            "waivers.yaml:3: the waiver has the unknown key 'untill'",
        ),
        ("- {clause: a, reason: x, until: 2027-03-31}\n" * 2, "waivers.yaml:2: the waiver waives a a second time"),
        ("- [\n", "waivers.yaml:"),
        ("", "is not a list"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    with pytest.raises(WaiverError) as refused:
        load_waivers(file)
    assert said in str(refused.value)


def test_a_file_that_is_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WaiverError, match=r"absent\.yaml"):
        load_waivers(tmp_path / "absent.yaml")
