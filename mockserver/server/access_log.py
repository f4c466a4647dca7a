"""One line for each request, on the terminal; a refused one with the clause that it breaks, and why."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

import orjson

from agent_contract.messages import Exchange, Reply, Request, Violation
from agent_contract.printable import printable
from agent_contract.redaction import Redaction, redaction_of, secrets_in
from mockserver.core.behaviour import Limits
from mockserver.engine import Engine
from mockserver.recording.exchange_json import excerpt

#: From the level on which a line is written, by the first digit of its status.
LEVELS = ("debug", "info", "warning", "error")
_QUIET_FROM = {"debug": 0, "info": 0, "warning": 400, "error": 500}

_GREEN, _YELLOW, _RED, _DIM, _PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
_COLOURS = ((500, _RED), (400, _YELLOW), (0, _GREEN))
_NO_TOKENS = redaction_of(())
_WAITING = 10_000  # lines at most that a slow terminal makes wait; the rest is dropped rather than the server held up


def describe(exchange: Exchange, seconds: float, now: float, colour: bool, redaction: Redaction = _NO_TOKENS) -> str:
    """Return the line of an exchange, or its lines: time of day, method, path, status, ms, and why it was refused."""

    def paint(code: str, text: str) -> str:
        return f"{code}{text}{_PLAIN}" if colour else text

    request, reply = exchange.request, exchange.reply
    hide = redaction.also(secrets_in((*request.headers.items(), *request.query)))
    code = next(code for status, code in _COLOURS if reply.status >= status)
    parts = [
        paint(_DIM, time.strftime("%H:%M:%S", time.localtime(now))),
        f"{_shortened(request.method[:20]):<4}",
        _shortened(hide(request.path)),
        paint(code, str(reply.status)),
        f"{1000 * (seconds + _waits(reply)):.1f} ms",
    ]
    if not isinstance(reply.body, bytes):
        parts.append(paint(_DIM, f"{len(reply.body)} events"))
    line = "  ".join(parts)
    return "\n".join([line, *(f"          {paint(code, why)}" for why in _reasons(exchange, hide))])


def _reasons(exchange: Exchange, hide: Redaction) -> list[str]:
    reply = exchange.reply
    if reply.status < 400 or not isinstance(reply.body, bytes):
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


def _waits(reply: Reply) -> float:
    return reply.delay + (0.0 if isinstance(reply.body, bytes) else sum(event.delay for event in reply.body))


def _shortened(text: str) -> str:
    """Return the beginning of a text on one line, printable."""
    shown = printable(text[:400]).replace("\n", "\\n").replace("\t", "\\t")
    return shown if len(text) <= 400 else shown + "…"


class LoggedEngine:
    """An engine whose every exchange is told to a log, with the time that it took."""

    def __init__(self, engine: Engine, log: RequestLog) -> None:
        self._engine = engine
        self._log = log

    @property
    def limits(self) -> Limits:
        """What one request may cost."""
        return self._engine.limits

    @property
    def blocking(self) -> bool:
        """Whether a reply may have to wait for a disk or a network."""
        return self._engine.blocking

    def reply(self, request: Request) -> Reply:
        """Return the engine's reply."""
        start = time.perf_counter()
        exchange = self._engine.play(request)
        self._log.tell(exchange, time.perf_counter() - start, self._engine.redaction)
        return exchange.reply


class RequestLog:
    """Writes lines to `out` in a thread of its own: a terminal or pipe that nobody reads holds up no request."""

    def __init__(self, level: str = "info", out: IO[str] | None = None) -> None:
        self._out = out or sys.stdout
        self._quiet_from = _QUIET_FROM[level]
        self._colour = self._out.isatty()
        self._lines: queue.SimpleQueue[Callable[[], str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def tell(self, exchange: Exchange, seconds: float, redaction: Redaction = _NO_TOKENS) -> None:
        """Have a line written for an exchange that took `seconds` to answer; never waits."""
        if exchange.reply.status >= self._quiet_from and self._lines.qsize() < _WAITING:
            now = time.time()
            self._lines.put(lambda: describe(exchange, seconds, now, self._colour, redaction))

    def say(self, text: str) -> None:
        """Have a text written as it stands."""
        self._lines.put(lambda: text)

    def close(self) -> None:
        """Write what is left, for half a second at most."""
        self._lines.put(None)
        self._thread.join(0.5)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._out.write(line() + "\n")
                if self._lines.empty():
                    self._out.flush()
            except (OSError, ValueError):  # nobody reads any more
                return
