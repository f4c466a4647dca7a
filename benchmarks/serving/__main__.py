"""Compares the speed of this mock with that of other mock servers: `make bench`, or `python -m benchmarks.serving`.

It installs the others with npm into `build/serving`, and writes JSON, Markdown and charts into `docs/benchmarks`.
It needs wrk and nginx. `--quick` measures this mock and nginx for a moment, to check the benchmark itself.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks import npm_servers
from benchmarks.npm_servers import ServerError
from benchmarks.serving.charts import draw
from benchmarks.serving.measure import Plan, ceiling, measure
from benchmarks.serving.process import all_cores, halves
from benchmarks.serving.results import BARE, BUSY, Results, as_json, as_markdown, ours
from benchmarks.serving.servers import FOLDER, LIMIT, PACKAGES, SERVERS, Server
from benchmarks.serving.wrk import WrkError, missing_tools

OUTPUT = Path(__file__).parents[2] / "docs" / "benchmarks"
_FULL = Plan()
_QUICK = Plan(rounds=1, seconds=1, warm_up=0, streams=20)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0 if this mock and the limit were measured in every case."""
    options = _options(arguments)
    plan = _QUICK if options.quick else Plan(options.rounds, options.seconds, _FULL.warm_up, options.streams)
    if (missing := missing_tools()) is not None:
        print(f"make bench can't run: {missing}", file=sys.stderr)
        return 1
    servers = [server for server in SERVERS if not options.quick or server.package is None]
    if not options.quick:
        try:
            npm_servers.install(PACKAGES, FOLDER)
        except ServerError as error:
            print(error, file=sys.stderr)
            return 1
    # As after an installation: without cached bytecode, each start of this mock would compile it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    results = Results()
    busy = os.getloadavg()[0] > len(all_cores()) / 2
    _rounds(servers, plan, results)
    _write(results, plan, busy, options.output)
    needed = [server for server in results.left_out if ours(server) or server == LIMIT]
    return 1 if needed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.serving", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="check the benchmark: this mock and nginx, for a moment")
    parser.add_argument("--rounds", type=int, default=_FULL.rounds, help="times that each server is measured")
    parser.add_argument("--seconds", type=int, default=_FULL.seconds, help="seconds of each load")
    parser.add_argument("--streams", type=int, default=_FULL.streams, help="streams at the same time")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the results")
    return parser.parse_args(arguments)


def _rounds(servers: Sequence[Server], plan: Plan, results: Results) -> None:
    """Measure all servers in each round: what slows the machine down for a while slows all of them down."""
    for server in servers:
        if (reason := server.missing()) is not None:
            _leave_out(server.name, reason, results)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(plan.rounds):
            for server in servers:
                here = Path(folder) / f"{number}-{servers.index(server)}"
                here.mkdir()
                _try(server.name, results, partial(measure, server, plan, here))
            _try(BARE, results, partial(ceiling, plan, Path(folder)))


def _try(name: str, results: Results, measured: Callable[[], dict[str, float]]) -> None:
    """Add the figures of a server; leave it out of what follows if it can't be measured."""
    if name in results.left_out:
        return
    try:
        figures = measured()
    except (ServerError, WrkError) as error:
        _leave_out(name, str(error), results)
        return
    results.add(name, figures)
    print(f"{name}: {', '.join(f'{key} {value:.4g}' for key, value in figures.items())}", flush=True)


def _leave_out(name: str, reason: str, results: Results) -> None:
    results.left_out[name] = " ".join(reason.split())
    print(f"{name} is LEFT OUT: {reason}", file=sys.stderr, flush=True)


def _write(results: Results, plan: Plan, busy: bool, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    cores, clients = halves(all_cores())
    conditions = {
        "rounds": plan.rounds,
        "seconds of each load": plan.seconds,
        "streams at the same time": plan.streams,
        "cores of the servers": len(cores),
        "cores of the load": len(clients),
        BUSY: busy,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        **{server.name: server.version() for server in SERVERS if server.package and server.missing() is None},
    }
    charts = draw(results, output)
    (output / "serving.json").write_text(as_json(results, conditions), encoding="utf-8")
    (output / "serving.md").write_text(as_markdown(results, conditions, charts), encoding="utf-8")
    print(f"Results: {output / 'serving.md'}")


if __name__ == "__main__":
    # The servers are in sessions of their own: without an exception, they would outlive this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
