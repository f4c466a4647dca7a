"""Draws the medians of a metric as an SVG: the same file for the same figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.serving.results import BARE, METRICS, Metric, Results, number, ours
from benchmarks.serving.servers import LIMIT

#: The metrics that are drawn.
DRAWN = ("a", "c", "d-p99", "e", "f-after")
_OURS, _PEER, _LIMIT = "#1f77b4", "#9aa5b1", "#d9dee4"


def draw(results: Results, folder: Path) -> list[str]:
    """Write a chart for each metric that was measured; return the names of the files."""
    names = []
    for metric in METRICS:
        figures = results.medians(metric.key)
        if metric.key in DRAWN and figures:
            names.append(f"serving-{metric.key}.svg")
            _draw(metric, figures, folder / names[-1])
    return names


def _draw(metric: Metric, figures: Mapping[str, float], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # A fixed salt, and no date: a new run of the same figures changes no byte.
    with mpl.rc_context({"svg.hashsalt": "serving", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(7.5, 0.8 + 0.36 * len(figures)), layout="constrained")
        axes = figure.add_subplot()
        bars = axes.barh(list(figures), list(figures.values()), color=list(map(_colour, figures)))
        axes.bar_label(bars, labels=list(map(number, figures.values())), padding=4)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_title(metric.title, loc="left", fontsize=11)
        axes.set_xlabel(f"{metric.unit}, {'more' if metric.more else 'less'} is better")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _colour(server: str) -> str:
    if server in (LIMIT, BARE):
        return _LIMIT
    return _OURS if ours(server) else _PEER
