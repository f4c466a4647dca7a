"""What a server counts, for Prometheus: requests, refusals, latencies, open connections, sessions, errors of the store.

prometheus-client is imported when the metrics are created. Workers share their numbers in files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_contract.messages import Exchange, Reply

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram
    from prometheus_client.registry import CollectorRegistry

#: The variable by which prometheus-client finds the files that processes share; it is read at the import.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Upper bounds in seconds: from an answer without a pace to a long stream of a slow model.
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_NONE = "none"
_UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of this process, and of its workers if they share a folder."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    refusals: Counter
    faults: Counter
    store_errors: Counter
    connections: Gauge
    open_replies: Gauge
    shared: bool

    def add(self, exchange: Exchange, seconds: float) -> None:
        """Count an exchange whose reply took `seconds` to make; the simulated delays of the reply are added."""
        operation, status = exchange.operation or _NONE, exchange.reply.status
        self.requests.labels(operation, str(status)).inc()
        self.seconds.labels(operation).observe(seconds + planned_wait(exchange.reply))
        if status >= 400:
            for clause in exchange.clauses or (_NONE,):
                self.refusals.labels(clause).inc()
        for fault in exchange.faults:
            self.faults.labels(fault).inc()
        # Without a fault, the engine answers 503 only if the store can't be read or written.
        if status == _UNAVAILABLE and exchange.operation and not exchange.faults:
            self.store_errors.inc()

    def set_open(self, connections: int, replies: int) -> None:
        """Set how many connections and replies are open in this process."""
        self.connections.set(connections)
        self.open_replies.set(replies)

    def exposition(self, sessions: Callable[[], int]) -> bytes:
        """Return all metrics in Prometheus' text format; `sessions` counts the sessions of the store."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.core import GaugeMetricFamily
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self.registry
        if self.shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]

        class Sessions:
            def collect(self) -> Iterator[Any]:
                yield GaugeMetricFamily("agent_mock_sessions", "Sessions of all scopes.", value=sessions())

        now = CollectorRegistry()
        now.register(Sessions())
        return generate_latest(registry) + generate_latest(now)


def create_metrics(shared_folder: Path | None = None) -> Metrics:
    """Return metrics that start at zero; with a folder, processes that are forked later add theirs.

    Raises `ImportError` without prometheus-client. A folder must be given before prometheus-client is imported.
    """
    if shared_folder is not None:
        os.environ[SHARED_FOLDER] = str(shared_folder)
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

    # Otherwise each series has another one for its start.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    here: dict[str, Any] = {"registry": registry}
    live = {**here, "multiprocess_mode": "livesum"}
    return Metrics(
        registry,
        Counter(
            "agent_mock_requests", "Requests, by operation and status.", ("operation", "status"), registry=registry
        ),
        Histogram(
            "agent_mock_reply_seconds",
            "Seconds until a reply is complete, its simulated delays included, by operation.",
            ("operation",),
            buckets=_BUCKETS,
            **here,
        ),
        Counter("agent_mock_refusals", "Refused requests, by clause.", ("clause",), **here),
        Counter("agent_mock_faults", "Faults that happened, by name.", ("fault",), **here),
        Counter("agent_mock_store_errors", "Requests that the store could not serve.", **here),
        Gauge("agent_mock_connections", "Open connections.", **live),
        Gauge("agent_mock_open_replies", "Replies that are being sent; most of them are streams.", **live),
        shared_folder is not None,
    )


def planned_wait(reply: Reply) -> float:
    """Return the seconds that a reply waits for on purpose."""
    return reply.delay + (0.0 if isinstance(reply.body, bytes) else sum(event.delay for event in reply.body))
