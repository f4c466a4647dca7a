"""Keeps verdicts in a file, one a line, so that a stopped measurement continues."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.detection.conforming_variants import VARIANTS
from benchmarks.detection.judge import Judgement
from benchmarks.detection.measure import Planted, PlantedVerdict
from benchmarks.detection.mutants import MUTANTS

_PLANTED: tuple[Planted, ...] = (*MUTANTS, *VARIANTS)
_BY_NAME = {planted.name: planted for planted in _PLANTED}


def save_verdict(verdict: PlantedVerdict, file: Path) -> None:
    """Append a verdict to the file."""
    line = json.dumps({"name": verdict.planted.name, "seed": verdict.seed, **asdict(verdict.judgement)})
    with file.open("a", encoding="utf-8") as lines:
        lines.write(line + "\n")


def saved_verdicts(file: Path, plan: Sequence[tuple[Planted, int]]) -> list[PlantedVerdict]:
    """Return the verdicts of a plan in the file, the last of several; none without a file."""
    if not file.exists():
        return []
    found: dict[tuple[str, int], PlantedVerdict] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        value = json.loads(line)
        name, seed = value.pop("name"), value.pop("seed")
        if name in _BY_NAME:
            undecided = tuple(value.pop("undecided", ()))
            found[name, seed] = PlantedVerdict(_BY_NAME[name], seed, Judgement(**value, undecided=undecided))
    return [found[planted.name, seed] for planted, seed in plan if (planted.name, seed) in found]
