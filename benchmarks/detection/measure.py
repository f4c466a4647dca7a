"""Measures the contract tests as a detector is measured: what they catch, and whom they wrongly accuse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias, TypeVar

from benchmarks.detection.conforming_variants import VARIANTS, Variant
from benchmarks.detection.judge import Judgement, judged
from benchmarks.detection.mutants import DEFECTS, Defect

Planted: TypeAlias = Defect | Variant
Item = TypeVar("Item")
#: Which clause fails by what generated requests find, and so may be found under one seed and not another.
GENERATED = "chat.no-server-error"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge said, under a seed, of one deployment."""

    planted: Planted
    seed: int
    judgement: Judgement

    @property
    def caught(self) -> bool:
        """Whether the judge found the deployment to break the contract."""
        return self.judgement.exit_code == 1

    @property
    def by_its_own_clause(self) -> bool:
        """Whether the clause that a defect names is among those that failed."""
        return isinstance(self.planted, Defect) and self.planted.clause in self.judgement.failed

    @property
    def collateral(self) -> int:
        """How many other clauses failed."""
        return len(self.judgement.failed) - self.by_its_own_clause


@dataclass(frozen=True, slots=True)
class Measurement:
    """All verdicts of one measurement; the first seed ran over everything, `seeds` ran in all."""

    seeds: Sequence[int]
    verdicts: Sequence[Verdict]

    @property
    def defects(self) -> list[Verdict]:
        """The verdicts on defects under the first seed."""
        return [verdict for verdict in self.verdicts if is_defect(verdict) and verdict.seed == self.seeds[0]]

    @property
    def missed(self) -> list[Verdict]:
        """The verdicts on defects, under any seed, that the judge did not catch by their own clause."""
        return [verdict for verdict in self.verdicts if is_defect(verdict) and not verdict.by_its_own_clause]

    @property
    def variants(self) -> list[Verdict]:
        """The verdicts on variants, under any seed."""
        return [verdict for verdict in self.verdicts if not is_defect(verdict)]

    @property
    def accused(self) -> list[Verdict]:
        """The verdicts on variants that were found to break the contract."""
        return [verdict for verdict in self.variants if verdict.caught]

    @property
    def undecided(self) -> list[Verdict]:
        """The verdicts on variants that the judge could not come to."""
        return [verdict for verdict in self.variants if verdict.judgement.exit_code not in (0, 1)]

    @property
    def collateral(self) -> float:
        """How many clauses beside its own a caught defect breaks, as the median."""
        return median([verdict.collateral for verdict in self.defects if verdict.by_its_own_clause] or [0])


def is_defect(verdict: Verdict) -> bool:
    """Whether a verdict is on a defect."""
    return isinstance(verdict.planted, Defect)


def spread(items: Sequence[Item], number: int | None) -> list[Item]:
    """Return so many of the items, spread over all of them evenly; all of them for None."""
    if number is None or number >= len(items):
        return list(items)
    return [items[at * len(items) // number] for at in range(number)]


def planned(seeds: Sequence[int], sample: int | None, names: Iterable[str] = ()) -> Iterator[tuple[Planted, int]]:
    """Yield what is judged under which seed.

    The first seed runs over everything; the others over the variants, and over the defects that generated
    requests find. A `sample` is so many defects and half as many variants.
    """
    wanted = set(names)
    defects: Sequence[Defect] = spread(DEFECTS, sample)
    variants: Sequence[Variant] = spread(VARIANTS, None if sample is None else max(1, sample // 2))
    if wanted:
        defects = [defect for defect in DEFECTS if defect.name in wanted]
        variants = [variant for variant in VARIANTS if variant.name in wanted]
    for number, seed in enumerate(seeds):
        yield from ((variant, seed) for variant in variants)
        yield from ((defect, seed) for defect in defects if not number or defect.clause == GENERATED)


def measured(
    plan: Sequence[tuple[Planted, int]],
    *,
    jobs: int = 1,
    max_requests: int = 300,
    told: Callable[[Verdict], None] = lambda verdict: None,
) -> list[Verdict]:
    """Return what the judge says of a plan, so many deployments at a time; `told` hears each verdict."""

    def verdict(step: tuple[Planted, int]) -> Verdict:
        planted, seed = step
        spent = judged(planted.deployment, seed=seed, options=planted.options, max_requests=max_requests)
        return Verdict(planted, seed, spent)

    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(jobs) as pool:
        for reached in pool.map(verdict, plan):
            told(reached)
            verdicts.append(reached)
    return verdicts
