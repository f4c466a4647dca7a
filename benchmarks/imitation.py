"""Measures how well a mock imitates a deployment: `verify` of both must find the same.

python -m benchmarks.imitation --sample 40 --keep build/imitation.jsonl

Each deployment of the sample, mutants and conforming variants, is judged; its report becomes a mock's profile; the mock
is judged with the same options. It prints how many clauses got the same verdict, and which did not.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from agent_contract import load_contract
from benchmarks.detection.conforming_variants import VARIANTS, Variant
from benchmarks.detection.forked_verify import verify
from benchmarks.detection.judge import LIMIT
from benchmarks.detection.measure import sample_evenly
from benchmarks.detection.mutants import MUTANTS, Mutant
from benchmarks.detection.running import running
from mockserver.adapters.threaded_server import ThreadedServer
from mockserver.build import create_engine
from mockserver.config import Config
from server_defects.imitation import imitate, load_profile, with_agent

_BOUNDS = ("--max-requests", "300")
#: Verdicts of a clause that a deployment does not keep, or does not have.
_DIFFERENT = ("failed", "warning", "not supported")


@dataclass(frozen=True, slots=True)
class Imitated:
    """A deployment and the mock that imitates it: the verdicts of both, and the clauses that the mock can't imitate."""

    name: str
    server: Mapping[str, str]
    mock: Mapping[str, str]
    missing: Sequence[str]

    @property
    def differing(self) -> tuple[str, ...]:
        """The clauses with different verdicts; skipped ones don't count."""
        return tuple(id for id, word in self.server.items() if word not in ("skipped", self.mock.get(id)))

    @property
    def share(self) -> float:
        """The share of the clauses with the same verdict."""
        judged = [id for id, word in self.server.items() if word != "skipped"]
        return 1 - len(self.differing) / len(judged)


def imitated(planted: Mutant | Variant) -> Imitated:
    """Judge a deployment and the mock that imitates it."""
    contract = load_contract()
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "server.json"
        with running(planted.hooks) as url:
            server = _judged(url, planted.hooks.agent_id, planted.options, saved)
        profile = load_profile(saved, contract)
        engine = create_engine(contract, with_agent(Config(), profile), pace=profile.pace)
        with ThreadedServer(imitate(engine, profile)) as served:
            mock = _judged(served.url, planted.hooks.agent_id, planted.options, Path(folder) / "mock.json")
    return Imitated(planted.name, server, mock, list(profile.missing))


def _judged(url: str, agent_id: str, options: Sequence[str], saved: Path) -> dict[str, str]:
    arguments = [url, "--agent-id", agent_id, "--report", str(saved), *_BOUNDS, *options]
    verify(arguments, {**os.environ, "NO_COLOR": "1"}, saved.with_suffix(".txt"), LIMIT)
    return {clause["id"]: clause["word"] for clause in json.loads(saved.read_text(encoding="utf-8"))["clauses"]}


def sample(size: int) -> list[Mutant | Variant]:
    """Return deployments without TLS and without a token, two mutants for each variant, spread over both lists."""
    mutants = [one for one in MUTANTS if not one.hooks.token]
    variants = [one for one in VARIANTS if not one.hooks.token and one.hooks.server == "uvicorn"]
    third = size // 3
    return [*sample_evenly(mutants, size - third), *sample_evenly(variants, third)]


def summary(found: Sequence[Imitated]) -> Iterator[str]:
    """Yield the figures, and each deployment that is not imitated in full."""
    clauses = sum(len(one.server) - list(one.server.values()).count("skipped") for one in found)
    differing = sum(len(one.differing) for one in found)
    good = sum(one.share >= 0.95 for one in found)
    yield f"{len(found)} deployments, {clauses} verdicts, {1 - differing / clauses:.1%} the same"
    yield f"{good} deployments with 95% or more"
    odd = [(one, id) for one in found for id, word in one.server.items() if word in _DIFFERENT]
    same = sum(one.mock.get(id) == one.server[id] for one, id in odd)
    failed = [(one, id) for one, id in odd if one.server[id] == "failed"]
    broken = sum(one.mock.get(id) == "failed" for one, id in failed)
    yield f"{same} of {len(odd)} verdicts other than passed, {broken} of {len(failed)} failed clauses"
    unlisted = sum(one.mock.get(id) != "failed" and id not in one.missing for one, id in failed)
    yield f"{unlisted} failed clauses that the mock keeps are not listed"
    for one in found:
        if one.differing:
            pairs = (f"{id} {one.server[id]}, mock {one.mock.get(id)}" for id in one.differing)
            yield f"{one.name}: {one.share:.1%}: {'; '.join(pairs)}"


@click.command()
@click.option("--sample", "size", default=40, show_default=True, type=click.IntRange(3), help="Number of deployments.")
@click.option("--name", "names", multiple=True, help="Only the deployment of this name. Repeatable.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep results here; take what is there.")
def main(size: int, names: tuple[str, ...], keep: Path | None) -> None:
    """Judge deployments, and mocks that imitate them."""
    known = _kept(keep)
    found = []
    every: tuple[Mutant | Variant, ...] = (*MUTANTS, *VARIANTS)
    planted = [one for one in every if one.name in names] if names else sample(size)
    for one in planted:
        result = known.get(one.name) or imitated(one)
        if keep and one.name not in known:
            with keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(result)) + "\n")
        click.echo(f"{one.name}: {result.share:.1%} {' '.join(result.differing)}", err=True)
        found.append(result)
    click.echo("\n".join(summary(found)))


def _kept(keep: Path | None) -> dict[str, Imitated]:
    if keep is None or not keep.exists():
        return {}
    lines = keep.read_text(encoding="utf-8").splitlines()
    return {one["name"]: Imitated(**one) for one in map(json.loads, lines)}


if __name__ == "__main__":
    main()
