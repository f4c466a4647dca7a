"""The access log: a line for each request; if it is refused, also the clause and the reason."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import IO

import orjson

from agent_contract.messages import Exchange, Reply, Request, Violation
from agent_contract.printable import printable
from agent_contract.redaction import Redaction, redaction_of, secrets_in
from mockserver.control import PREFIX
from mockserver.core.player import BackendWrapper
from mockserver.recording.exchange_json import excerpt
from mockserver.recording.metrics import Metrics, planned_wait
from mockserver.server.line_writer import LineWriter
from mockserver.server.served import Served

#: From the level on which a line is written, by the first digit of its status.
LEVELS = ("debug", "info", "warning", "error")
_QUIET_FROM = {"debug": 0, "info": 0, "warning": 400, "error": 500}

_GREEN, _YELLOW, _RED, _DIM, _PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
_COLOURS = ((500, _RED), (400, _YELLOW), (0, _GREEN))
_NO_TOKENS = redaction_of(())


def describe(exchange: Exchange, seconds: float, now: float, colour: bool, redaction: Redaction = _NO_TOKENS) -> str:
    """Return the log lines of an exchange: time, method, path, status, ms, rule, faults; then reasons of a refusal."""

    def paint(code: str, text: str) -> str:
        return f"{code}{text}{_PLAIN}" if colour else text

    request, reply = exchange.request, exchange.reply
    secrets = tuple(secrets_in((*request.headers.items(), *request.query)))
    code = next(code for status, code in _COLOURS if reply.status >= status)
    parts = [
        paint(_DIM, _time_of_day(int(now))),
        f"{_shortened(request.method[:20]):<4}",
        (_short_path if len(request.path) <= 400 else _path)(request.path, redaction, secrets),
        paint(code, str(reply.status)),
        f"{1000 * (seconds + planned_wait(reply)):.1f} ms",
    ]
    if not isinstance(reply.body, bytes):
        parts.append(paint(_DIM, f"{len(reply.body)} events"))
    if exchange.rule:
        parts.append(_shortened(f"rule {exchange.rule}"))
    if exchange.faults:
        parts.append(paint(_YELLOW, f"fault {', '.join(exchange.faults)}"))
    line = "  ".join(parts)
    if reply.status < 400 and not exchange.hints:
        return line
    reasons = _reasons(exchange, redaction.also(secrets)) if reply.status >= 400 else []
    lines = [paint(code, why) for why in reasons] + [paint(_YELLOW, f"hint: {hint}") for hint in exchange.hints]
    return "\n".join([line, *(f"          {text}" for text in lines)])


def _reasons(exchange: Exchange, hide: Redaction) -> list[str]:
    reply = exchange.reply
    if not isinstance(reply.body, bytes):
        return []
    clauses = " ".join(exchange.clauses)
    try:
        detail = orjson.loads(reply.body)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = None
    if isinstance(detail, list) and exchange.violations:
        found = [_violation(fault, one, hide) for fault, one in zip(detail[:5], exchange.violations, strict=False)]
        more = [f"and {len(detail) - 5} more"] if len(detail) > 5 else []
        return [*([clauses] if clauses else []), *found, *more]
    why = _shortened(hide(detail)) if isinstance(detail, str) else ""
    said = f"{clauses}: {why}" if clauses and why else clauses or why
    return [said] if said else []


def _violation(fault: object, violation: Violation, hide: Redaction) -> str:
    message = fault.get("msg", "") if isinstance(fault, dict) else ""
    said = f"{violation.place}: {message}"
    if violation.rule == "required":
        return _shortened(hide(said))
    return _shortened(f"{hide(said)} (got {hide.beginning(excerpt(violation.got, 60 + hide.reach), 60)})")


def _path(path: str, redaction: Redaction, secrets: tuple[str, ...]) -> str:
    """Return a path as it is shown."""
    return _shortened(redaction.also(secrets)(path))


#: Clients send few paths, so most are found in this cache; long ones would fill it.
_short_path = lru_cache(maxsize=256)(_path)


@lru_cache(maxsize=1)
def _time_of_day(now: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(now))


def _shortened(text: str) -> str:
    """Return the beginning of `text` on one line, printable."""
    shown = printable(text[:400]).replace("\n", "\\n").replace("\t", "\\t")
    return shown if len(text) <= 400 else shown + "…"


class LoggedEngine(BackendWrapper):
    """An engine that logs each exchange with its duration, and counts it if it has metrics."""

    engine: Served

    def __init__(self, engine: Served, log: RequestLog) -> None:
        self.engine = engine
        self._log = log
        self._metrics: Metrics | None = engine.metrics

    def reply(self, request: Request) -> Reply:
        """Return the engine's reply."""
        start = time.perf_counter()
        exchange = self.engine.handle(request)
        self._add(request, exchange, time.perf_counter() - start)
        return exchange.reply

    def replies(self, requests: Sequence[Request]) -> Sequence[Reply]:
        """Return the engine's replies; each took the time of all."""
        start = time.perf_counter()
        exchanges = self.engine.handle_all(requests)
        seconds = time.perf_counter() - start
        for request, exchange in zip(requests, exchanges, strict=True):
            self._add(request, exchange, seconds)
        return [exchange.reply for exchange in exchanges]

    def _add(self, request: Request, exchange: Exchange, seconds: float) -> None:
        self._log.add(exchange, seconds, self.engine.redaction)
        if self._metrics is not None and not request.path.startswith(PREFIX):
            self._metrics.add(exchange, seconds)

    def record(self, exchange: Exchange) -> None:
        """Log and record an exchange that the server answered without the engine."""
        self._log.add(exchange, 0.0, self.engine.redaction)
        if self._metrics is not None:
            self._metrics.add(exchange, 0.0)
        self.engine.record(exchange)


class RequestLog:
    """Writes the log lines of each exchange to `out`, in a thread."""

    def __init__(self, level: str = "info", out: IO[str] | None = None) -> None:
        out = out or sys.stdout
        self._quiet_from = _QUIET_FROM[level]
        self._colour = out.isatty()
        self._writer = LineWriter(out)

    def add(self, exchange: Exchange, seconds: float, redaction: Redaction = _NO_TOKENS) -> None:
        """Log an exchange that took `seconds`; never waits.

        It formats the line at once, so that no exchange stays in memory while the output is slow.
        """
        if exchange.reply.status >= self._quiet_from and not self._writer.broken:
            self._writer.write(describe(exchange, seconds, time.time(), self._colour, redaction))

    def say(self, text: str) -> None:
        """Log other text."""
        self._writer.write(text)

    def close(self) -> None:
        """Write the remaining lines, for at most half a second."""
        self._writer.close()
