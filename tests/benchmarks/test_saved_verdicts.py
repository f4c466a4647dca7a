"""A measurement that was stopped goes on with the verdicts that it kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.detection.conforming_variants import VARIANTS
from benchmarks.detection.judge import Judgement
from benchmarks.detection.measure import PlantedVerdict, planned
from benchmarks.detection.mutants import MUTANTS
from benchmarks.detection.saved_verdicts import save_verdict, saved_verdicts

JUDGED = Judgement(1, "exit 1: …", {"chat.n-choices": "failed"}, {"chat.n-choices": "ü"}, 200, 3000, 4.5, "all\nof it")
MUTANT, VARIANT = PlantedVerdict(MUTANTS[0], 0, JUDGED), PlantedVerdict(VARIANTS[0], 3, replace(JUDGED, exit_code=0))


def test_verdicts_are_kept_whole(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    plan = list(planned(range(4), None))
    assert saved_verdicts(file, plan) == []
    for verdict in (VARIANT, MUTANT, replace(VARIANT, judgement=JUDGED)):
        save_verdict(verdict, file)
    assert saved_verdicts(file, plan) == [MUTANT, replace(VARIANT, judgement=JUDGED)]


def test_a_verdict_that_is_not_asked_for_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    save_verdict(MUTANT, file)
    save_verdict(VARIANT, file)
    assert saved_verdicts(file, list(planned(range(1), None))) == [MUTANT]
