"""Mutation testing of the contract tests: which mutants they kill, and their false positives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias, TypeVar

from benchmarks.detection.conforming_variants import VARIANTS, Variant
from benchmarks.detection.judge import Judgement, judged
from benchmarks.detection.mutants import MUTANTS, Mutant

Planted: TypeAlias = Mutant | Variant
Item = TypeVar("Item")
#: Which clause fails by what generated requests find, and so may be found under one seed and not another.
GENERATED = "chat.no-server-error"


@dataclass(frozen=True, slots=True)
class PlantedVerdict:
    """What the judge said, under a seed, of one deployment."""

    planted: Planted
    seed: int
    judgement: Judgement

    @property
    def killed(self) -> bool:
        """Whether the judge found the deployment to break the contract."""
        return self.judgement.exit_code == 1

    @property
    def by_its_own_clause(self) -> bool:
        """Whether the clause that a mutant names is among those that failed."""
        return isinstance(self.planted, Mutant) and self.planted.clause in self.judgement.failed

    @property
    def as_expected(self) -> bool:
        """Whether a mutant was killed by its own clause; whether a variant passed, or ended as it declares."""
        if isinstance(self.planted, Mutant):
            return self.by_its_own_clause
        code, undecided = self.judgement.exit_code, set(self.judgement.undecided)
        return code == 0 or (code == 2 and bool(undecided) and undecided <= set(self.planted.undecided))

    @property
    def collateral(self) -> int:
        """How many other clauses failed."""
        return len(self.judgement.failed) - self.by_its_own_clause


@dataclass(frozen=True, slots=True)
class Measurement:
    """All verdicts of one measurement; the first seed ran over everything, `seeds` ran in all."""

    seeds: Sequence[int]
    verdicts: Sequence[PlantedVerdict]

    @property
    def mutants(self) -> list[PlantedVerdict]:
        """The verdicts on mutants under the first seed."""
        return [verdict for verdict in self.verdicts if is_mutant(verdict) and verdict.seed == self.seeds[0]]

    @property
    def missed(self) -> list[PlantedVerdict]:
        """The verdicts on mutants, under any seed, that were not killed by their own clause."""
        return [verdict for verdict in self.verdicts if is_mutant(verdict) and not verdict.by_its_own_clause]

    @property
    def variants(self) -> list[PlantedVerdict]:
        """The verdicts on variants, under any seed."""
        return [verdict for verdict in self.verdicts if not is_mutant(verdict)]

    @property
    def false_positives(self) -> list[PlantedVerdict]:
        """The verdicts on variants that were found to break the contract."""
        return [verdict for verdict in self.variants if verdict.killed]

    @property
    def undecided(self) -> list[PlantedVerdict]:
        """The variants without a verdict, unless they declare that they can't be decided."""
        return [verdict for verdict in self.variants if not verdict.as_expected and not verdict.killed]

    @property
    def declared_undecided(self) -> list[PlantedVerdict]:
        """The variants without a verdict that declare it."""
        return [verdict for verdict in self.variants if verdict.as_expected and verdict.judgement.exit_code == 2]

    @property
    def collateral(self) -> float:
        """The median number of clauses besides its own that a killed mutant fails."""
        return median([verdict.collateral for verdict in self.mutants if verdict.by_its_own_clause] or [0])


def is_mutant(verdict: PlantedVerdict) -> bool:
    """Whether a verdict is on a mutant."""
    return isinstance(verdict.planted, Mutant)


def sample_evenly(items: Sequence[Item], number: int | None) -> list[Item]:
    """Return a number of the items, spread over all of them evenly; all of them for None."""
    if number is None or number >= len(items):
        return list(items)
    return [items[at * len(items) // number] for at in range(number)]


def planned(seeds: Sequence[int], sample: int | None, names: Iterable[str] = ()) -> Iterator[tuple[Planted, int]]:
    """Yield what is judged under which seed.

    The first seed runs over everything; the others over the variants, and over the mutants that generated
    requests find. A `sample` is a number of mutants, and half as many variants.
    """
    wanted = set(names)
    mutants: Sequence[Mutant] = sample_evenly(MUTANTS, sample)
    variants: Sequence[Variant] = sample_evenly(VARIANTS, None if sample is None else max(1, sample // 2))
    if wanted:
        mutants = [mutant for mutant in MUTANTS if mutant.name in wanted]
        variants = [variant for variant in VARIANTS if variant.name in wanted]
    for number, seed in enumerate(seeds):
        yield from ((variant, seed) for variant in variants)
        yield from ((mutant, seed) for mutant in mutants if not number or mutant.clause == GENERATED)


def measured(
    plan: Sequence[tuple[Planted, int]],
    *,
    jobs: int = 1,
    max_requests: int = 300,
    on_verdict: Callable[[PlantedVerdict], None] = lambda verdict: None,
) -> list[PlantedVerdict]:
    """Return the judge's verdicts on a plan, with `jobs` deployments in parallel; `on_verdict` gets each verdict."""

    def verdict(step: tuple[Planted, int]) -> PlantedVerdict:
        planted, seed = step
        spent = judged(planted.hooks, seed=seed, options=planted.options, max_requests=max_requests, fork=True)
        return PlantedVerdict(planted, seed, spent)

    verdicts: list[PlantedVerdict] = []
    with ThreadPoolExecutor(jobs) as pool:
        for reached in pool.map(verdict, plan):
            on_verdict(reached)
            verdicts.append(reached)
    return verdicts
