"""Collects the samples of all rounds, and writes their medians as JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.serving.published import PUBLISHED
from benchmarks.serving.servers import LIMIT, MOCK, SERVERS

#: The server that shows the ceiling of the generator of streams.
BARE = "bare server, fixed events"
#: The condition that is true if other processes used the cores.
BUSY = "busy with other work"


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured: its key begins with the letter of its case. More is better, or less."""

    key: str
    title: str
    unit: str
    more: bool = True
    note: str = ""


#: Where the time goes, as it was last profiled.
_PROFILE = Path(__file__).parent / "profile.md"

METRICS = (
    Metric("a", "Valid chat, 64 connections, every body differs", "replies/s"),
    Metric("a-p99", "The same: 99 % of the replies came within", "ms", more=False),
    Metric(
        "b",
        "Valid chat that extends a session, 64 connections",
        "replies/s",
        note="Each thread of wrk extends 256 sessions in turn, so that two requests in flight don't share one.",
    ),
    Metric("c", "Invalid body, refused with 422", "replies/s", note="Steady and Specmatic refuse with 400."),
    Metric(
        "d-p99",
        "Streams at the same time: 99 % ended within",
        "s",
        more=False,
        note="20 pieces of text, 50 ms apart: 1 s is ideal. The bare server shows the ceiling of the generator.",
    ),
    Metric("d-alone", "One of these streams alone", "s", more=False),
    Metric("d-failed", "Streams that failed", "streams", more=False),
    Metric("d-memory", "Peak memory while they ran", "MB", more=False),
    Metric("e", "Process start to first answer", "s", more=False),
    Metric("e-thread", "`MockServer()` to its first answer, not the first one in a process", "ms", more=False),
    Metric("e-thread-first", "The same, for the first one in a process, after import", "ms", more=False),
    Metric("f-idle", "Resident memory after the first answer", "MB", more=False),
    Metric("f-after", "Resident memory after the load of case (a)", "MB", more=False),
    Metric("i", "Valid chat, on all cores", "replies/s"),
    Metric(
        "j-p99",
        "A client's wait for the list of models, 99 % within, while many others are connected",
        "ms",
        more=False,
        note="The others: 10,000 idle clients, 2,000 half uploads, and the streams of (d) from their start on.",
    ),
    Metric("j-p50", "The same: half of the waits within", "ms", more=False),
    Metric("j-failed", "The same: others that failed or were disconnected", "clients", more=False),
)


@dataclass(slots=True)
class Results:
    """The samples of each metric and server, and what was left out with the reason."""

    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, server: str, figures: Mapping[str, float]) -> None:
        """Add what one round measured of a server."""
        for key, value in figures.items():
            self.samples.setdefault(key, {}).setdefault(server, []).append(value)

    def medians(self, key: str) -> dict[str, float]:
        """Return the median of each server, the best first, the limit last."""
        metric = next(metric for metric in METRICS if metric.key == key)
        found = {server: median(values) for server, values in self.samples.get(key, {}).items()}
        order = sorted(found, key=lambda server: -found[server] if metric.more else found[server])
        return {server: found[server] for server in sorted(order, key=lambda server: server == LIMIT)}


def ours(server: str) -> bool:
    """Return whether the server is a form of this mock."""
    return server.startswith(MOCK)


def fastest_peer(figures: Mapping[str, float], more: bool) -> float | None:
    """Return the best figure of a peer; None if no peer was measured."""
    peers = [value for server, value in figures.items() if not ours(server) and server not in (LIMIT, BARE)]
    return (max if more else min)(peers, default=None)


def ratio(value: float, base: float | None, more: bool) -> str:
    """Return by which factor the value is better than the base: a dash if there is no base."""
    if not base or not value:
        return "–"
    return f"{value / base if more else base / value:.2f}"


def as_json(results: Results, conditions: Mapping[str, Any]) -> str:
    """Return all samples and medians as JSON."""
    cases = [
        {
            "case": metric.key,
            "title": metric.title,
            "unit": metric.unit,
            "median": results.medians(metric.key),
            "samples": results.samples[metric.key],
        }
        for metric in METRICS
        if metric.key in results.samples
    ]
    report = {"conditions": conditions, "cases": cases, "left_out": results.left_out}
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def as_markdown(results: Results, conditions: Mapping[str, Any], charts: Sequence[str] = ()) -> str:
    """Return the page of the documentation."""
    return (
        "\n".join([*_head(conditions), *_charts(charts), *_cases(results), *_features(results), *_published()])
        + "\n\n"
        + _PROFILE.read_text(encoding="utf-8")
    )


def _head(conditions: Mapping[str, Any]) -> Iterator[str]:
    yield from (
        "# Serving speed",
        "",
        "`make bench` wrote this page. In every round it runs each server alone, one after the other; the figures are",
        "medians of the rounds. All servers use the same cores, the load uses the others. Bodies differ from request",
        "to request. Ratios are to the fastest peer, and to nginx with fixed bytes: above 1 is better.",
        "",
    )
    if conditions.get(BUSY):
        yield from ("**The machine was busy with other work: these figures only show that the benchmark runs.**", "")
    yield from (f"- {name}: {value}" for name, value in conditions.items())
    yield ""


def _charts(charts: Sequence[str]) -> Iterator[str]:
    for name in charts:
        title = next(metric.title for metric in METRICS if name == f"serving-{metric.key}.svg")
        yield from (f"![{title}]({name})", "")


def _cases(results: Results) -> Iterator[str]:
    for metric in METRICS:
        figures = results.medians(metric.key)
        if not figures:
            continue
        yield from (f"## ({metric.key[0]}) {metric.title}", "", *([metric.note, ""] if metric.note else []))
        rows = [("server", metric.unit, "× fastest peer", "× nginx"), ("---", "---:", "---:", "---:")]
        peer, limit = fastest_peer(figures, metric.more), figures.get(LIMIT)
        rows += [
            (server, number(value), ratio(value, peer, metric.more), ratio(value, limit, metric.more))
            for server, value in figures.items()
        ]
        yield from (*_table(rows), "")


def _features(results: Results) -> Iterator[str]:
    yield from ("## The servers", "")
    rows = [("server", "configuration", "validates bodies", "keeps sessions", "left out"), ("---",) * 5]
    for server in SERVERS:
        validates = f"yes, {server.invalid}" if server.invalid else "no"
        reason = results.left_out.get(server.name, "")
        rows.append((server.name, server.setup, validates, "yes" if server.sessions else "no", reason))
    yield from (*_table(rows), "")
    yield "A server without a feature is not in the table of its case. `benchmarks/serving/servers.py` configures them."
    yield ""


def _published() -> Iterator[str]:
    yield from (
        "## Published by others",
        "",
        "These servers were not measured here. The figures are their authors', with other machines and requests.",
        "",
    )
    rows = [("server", "published", "validates bodies", "keeps sessions", "source"), ("---",) * 5]
    rows += [(entry.server, entry.figure, entry.validates, entry.sessions, f"<{entry.source}>") for entry in PUBLISHED]
    yield from _table(rows)


def number(value: float) -> str:
    """Return a number with at least two significant digits."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    return ("| " + " | ".join(row) + " |" for row in rows)
