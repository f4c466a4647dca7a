"""Writes a measurement as Markdown."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from statistics import median

from agent_contract import load_contract
from benchmarks.detection.measure import Measurement, PlantedVerdict
from benchmarks.detection.mutants import Mutant
from benchmarks.detection.peers import PeerResult

LIBRARIES = (
    "schemathesis",
    "hypothesis",
    "openapi-core",
    "pytest",
    "httpx",
    "fastapi",
    "pydantic",
    "uvicorn",
    "granian",
)
WHAT_IT_SHOWS = """\
The mutants and variants were written by the authors of the checks. That they are told apart shows that no clause
is checked in vain, and no more: it does not estimate how many faults of other deployments would be found."""


def markdown(measurement: Measurement, peers: Sequence[PeerResult] = ()) -> str:
    """Return the report: the result, by category, what was missed, false positives, the cost, the peers."""
    contract = load_contract()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    seeds = ", ".join(map(str, measurement.seeds))
    parts = [
        "# Detection",
        "How `agent-contract verify` does on a FastAPI implementation of the endpoint that shares no code with the "
        "mock: on copies with one planted defect each, and on conforming variants.",
        WHAT_IT_SHOWS,
        f"Contract {contract.version}, {contract.digest}. Python {platform.python_version()}, {libraries}. "
        f"Seeds: {seeds}; the first over everything, the others over the variants and over the mutants that "
        "generated requests find.",
        "## Result",
        table(("", ""), result_rows(measurement)),
        "## By category",
        table(("category", "planted", "killed", "by its own clause"), category_rows(measurement)),
        *missed_part(measurement),
        *false_positive_part(measurement),
        "## Cost of one verdict",
        table(("", "median", "most"), cost_rows(measurement)),
        *peers_part(peers),
    ]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def result_rows(measurement: Measurement) -> list[tuple[str, object]]:
    """Return the result, line by line."""
    mutants = measurement.mutants
    return [
        ("mutants", len(mutants)),
        ("killed", sum(verdict.killed for verdict in mutants)),
        ("killed by the clause that they break", sum(verdict.by_its_own_clause for verdict in mutants)),
        ("other clauses that a killed mutant breaks, median", f"{measurement.collateral:g}"),
        ("verdicts on conforming variants", len(measurement.variants)),
        ("false positives", len({verdict.planted.name for verdict in measurement.false_positives})),
        ("variants without a verdict", len({verdict.planted.name for verdict in measurement.undecided})),
        (
            "variants that can't be decided, as they declare",
            len({verdict.planted.name for verdict in measurement.declared_undecided}),
        ),
    ]


def category_rows(measurement: Measurement) -> list[tuple[object, ...]]:
    """Return for each category of mutants how many were planted, killed, and killed by their own clause."""
    planted, killed, own = Counter[str](), Counter[str](), Counter[str]()
    for verdict in measurement.mutants:
        if isinstance(verdict.planted, Mutant):
            category = verdict.planted.category
            planted[category] += 1
            killed[category] += verdict.killed
            own[category] += verdict.by_its_own_clause
    return [(category, number, killed[category], own[category]) for category, number in planted.items()]


def missed_part(measurement: Measurement) -> list[str]:
    """Return the mutants that were not killed by their own clause, and by which others they were."""
    rows = [
        (
            verdict.planted.name,
            verdict.planted.sentence,
            verdict.planted.clause if isinstance(verdict.planted, Mutant) else "",
            verdict.seed,
            ", ".join(verdict.judgement.failed) or verdict.judgement.conclusion,
        )
        for verdict in measurement.missed
    ]
    head = ("mutant", "what it does", "its clause", "seed", "what was found")
    return ["## Not killed by their own clause", table(head, rows) if rows else "None."]


def false_positive_part(measurement: Measurement) -> list[str]:
    """Return the variants that failed or got no verdict, with the clauses or the reason."""

    def found(verdict: PlantedVerdict) -> str:
        notes = [f"{clause}: {verdict.judgement.notes[clause]}" for clause in verdict.judgement.failed]
        return "; ".join(notes) or verdict.judgement.conclusion

    wrong = [*measurement.false_positives, *measurement.undecided]
    rows = [(verdict.planted.name, verdict.planted.sentence, verdict.seed, found(verdict)) for verdict in wrong]
    head = ("variant", "what it does", "seed", "what was found")
    return ["## False positives, and variants without a verdict", table(head, rows) if rows else "None."]


def cost_rows(measurement: Measurement) -> list[tuple[object, ...]]:
    """Return what a verdict costs: requests and tokens as the deployments counted them, and seconds."""
    judgements = [verdict.judgement for verdict in measurement.verdicts]
    if not judgements:
        return []
    return [
        (name, f"{median(values):.{digits}f}", f"{max(values):.{digits}f}")
        for name, digits, values in (
            ("requests", 0, [float(judgement.requests) for judgement in judgements]),
            ("tokens", 0, [float(judgement.tokens) for judgement in judgements]),
            ("seconds", 1, [judgement.seconds for judgement in judgements]),
        )
    ]


def peers_part(peers: Sequence[PeerResult]) -> list[str]:
    """Return what other tools find on the same servers."""
    if not peers:
        return []
    rows = [
        (
            peer.title,
            f"{peer.killed} of {peer.mutants}",
            f"{peer.false_positives} of {peer.variants}",
            f"{peer.requests:.0f}",
            f"{peer.tokens:.0f}",
            f"{peer.seconds:.1f}",
            f"`{peer.flags}`",
        )
        for peer in peers
    ]
    head = ("tool", "mutants killed", "false positives", "requests, median", "tokens", "seconds", "flags")
    categories = dict.fromkeys(name for peer in peers for name in peer.by_category)
    found = [
        (name, *(" of ".join(map(str, peer.by_category.get(name, (0, 0)))) for peer in peers)) for name in categories
    ]
    return [
        "## Other tools on the same servers",
        "Each is given a copy of the document with this operation alone, in which the agent, its model and its roles "
        "are pinned to those that the deployment knows, without tools and request examples, so that its requests reach "
        "the agent; and each is forgiven what it reports of the conforming deployment itself.",
        table(head, rows),
        "Mutants killed, by category:",
        table(("category", *(peer.title for peer in peers)), found),
    ]
