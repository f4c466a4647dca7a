"""The mutation score of a client's tests: which planted defects of a server they notice."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from functools import cache

import pytest

from agent_contract import load_contract
from client_check.run import Client, ClientRun, VariantResult, check_mutants, run_plainly
from client_check.variants import MUTANTS, chosen
from server_defects.player import PLAYABLE
from tests.client_check.support.watchful_client import BLIND_SPOTS, use

BLIND = [name for names in BLIND_SPOTS.values() for name in names]


def run_client(variables: Mapping[str, str], _: float | None) -> tuple[int | None, str]:
    """Run the tests of the sample client in this process."""
    try:
        use(variables["OPENAI_BASE_URL"])
    except Exception:
        return 1, traceback.format_exc()
    return 0, ""


@cache
def plain() -> ClientRun:
    return run_plainly(Client(run_client))


def results_of(*names: str) -> dict[str, VariantResult]:
    results = check_mutants(Client(run_client), plain(), chosen(names, MUTANTS), 2, lambda _: None)
    return {result.variant.name: result for result in results}


def test_the_sample_client_passes_without_a_defect() -> None:
    assert plain().status == 0, plain().output


def test_the_twelve_blind_spots_of_a_client_are_listed_and_no_others() -> None:
    """All defects, one after the other: it takes seconds, and there is no other way to know that no other is listed."""
    unnoticed = [name for name, result in results_of().items() if result.verdict == "failed"]
    assert len(BLIND) == 12
    assert sorted(unnoticed) == sorted(BLIND)


def test_a_defect_of_what_a_client_never_asks_for_is_not_met() -> None:
    assert {result.verdict for result in results_of("embed*", "list-*", "session-*").values()} <= {"not met", "passed"}
    assert results_of("models-bare")["models-bare"].verdict == "not met"


def test_a_result_has_the_replies_that_the_defect_changes() -> None:
    run = results_of("created-zero")["created-zero"].run
    assert run is not None
    assert all(b'"created": 0' in varied.reply.content() for varied in run.varied)
    assert len(run.varied) == 2


def test_there_is_a_mutant_for_each_planted_defect_that_a_mock_can_play() -> None:
    """More than three hundred of the judge's; the rest needs another server than a mock."""
    assert [one.defect for one in MUTANTS] == list(PLAYABLE)
    assert len(MUTANTS) > 300
    clauses = {clause.id for clause in load_contract(every_version=True).clauses}
    assert {one.clause for one in MUTANTS} <= clauses


def test_an_unknown_name_of_a_defect_is_refused() -> None:
    with pytest.raises(LookupError, match="no-such-defect"):
        chosen(["no-such-defect"], MUTANTS)
