"""`python -m benchmarks.detection`: measures the contract tests, and writes the report."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from benchmarks.detection.conforming_variants import Variant
from benchmarks.detection.judge import judged_at
from benchmarks.detection.measure import Measurement, PlantedVerdict, measured, planned, sample_evenly
from benchmarks.detection.mutants import Mutant
from benchmarks.detection.peers import PeerResult, compared, installed
from benchmarks.detection.report import markdown
from benchmarks.detection.saved_verdicts import save_verdict, saved_verdicts

#: Mutants judged with peers and without a sample; a tool may take a minute for each.
PEERS_SAMPLE = 40


@click.command()
@click.option("--seed", default=0, show_default=True, help="The seed that runs over everything.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1), help="How many seeds run in all.")
@click.option("--sample", type=click.IntRange(1), help="Judge N mutants and half as many variants.")
@click.option("--name", "names", multiple=True, help="Judge only the mutant or variant of this name. Repeatable.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Deployments to judge in parallel.")
@click.option("--max-requests", default=300, show_default=True, help="What each verdict may cost.")
@click.option("--peers", is_flag=True, help="Run Schemathesis too, and Specmatic if it is installed.")
@click.option(
    "--keep", "file", type=click.Path(dir_okay=False, path_type=Path), help="Keep verdicts here; take what is there."
)
@click.option("--real", is_flag=True, help="Judge llama.cpp's server and LiteLLM's proxy instead.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to this file.")
def detection(
    seed: int,
    seeds: int,
    sample: int | None,
    names: tuple[str, ...],
    jobs: int,
    max_requests: int,
    peers: bool,
    file: Path | None,
    real: bool,
    output: Path | None,
) -> None:
    """Mutation testing of the contract tests: which mutants they kill, and which conforming variants fail.

    Exit code 1: a mutant was not killed by its own clause, or a variant failed, or ended without a verdict that it
    does not declare.
    """
    if real:
        sys.exit(judge_real_servers(output))
    plan = list(planned(range(seed, seed + seeds), sample, names))
    known = saved_verdicts(file, plan) if file else []
    done = {(verdict.planted.name, verdict.seed) for verdict in known}
    rest = [(planted, seed) for planted, seed in plan if (planted.name, seed) not in done]

    def on_verdict(verdict: PlantedVerdict) -> None:
        print_line(verdict)
        if file:
            save_verdict(verdict, file)

    reached = measured(rest, jobs=jobs, max_requests=max_requests, on_verdict=on_verdict)
    measurement = Measurement(list(range(seed, seed + seeds)), [*known, *reached])
    report = markdown(measurement, others(measurement, sample or PEERS_SAMPLE) if peers else ())
    if output is not None:
        output.write_text(report, encoding="utf-8")
    click.echo(report)
    sys.exit(1 if measurement.missed or measurement.false_positives or measurement.undecided else 0)


def judge_real_servers(output: Path | None) -> int:
    """Judge the real servers and print what differs; return 1 if a failed clause has no explanation."""
    from benchmarks.detection.real.differences import table, unexplained
    from benchmarks.detection.real.servers import AGENT, SERVERS

    found = {}
    for name, server in SERVERS.items():
        with server() as url:
            found[name] = judged_at(url, AGENT)
    report = table(found)
    if output is not None:
        output.write_text(report, encoding="utf-8")
    click.echo(report)
    return 1 if any(unexplained(name, judgement) for name, judgement in found.items()) else 0


def print_line(verdict: PlantedVerdict) -> None:
    """Print one verdict as a line."""
    judgement = verdict.judgement
    found = ", ".join(judgement.failed) or judgement.conclusion
    click.echo(
        f"{'ok' if verdict.as_expected else 'WRONG':5}  {verdict.planted.name}  {judgement.seconds:.1f} s  {found}",
        err=True,
    )


def others(measurement: Measurement, sample: int) -> list[PeerResult]:
    """Return what the other tools find on a sample of the same servers."""
    planted = [verdict.planted for verdict in measurement.verdicts if verdict.seed == measurement.seeds[0]]
    mutants = sample_evenly([item for item in planted if isinstance(item, Mutant)], sample)
    variants = sample_evenly([item for item in planted if isinstance(item, Variant)], sample // 2)
    results: list[PeerResult] = []
    for peer in installed():
        click.echo(f"asking {peer.title}", err=True)
        with tempfile.TemporaryDirectory() as folder:
            results.append(compared(peer, mutants, variants, Path(folder)))
    return results


if __name__ == "__main__":
    detection()
