"""Writes exchanges with the upstream to a folder, off the reply's path, and none that holds a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from agent_contract.messages import Exchange, Request
from agent_contract.redaction import HIDDEN, Redaction
from agent_contract.secret_scan import first_token
from mockserver.proxy.written_values import Parts, joined_parts, values_of
from mockserver.recording.recording import hiding, redacted
from mockserver.recording.recording_folder import next_number, write_recording


class ExchangeRecorder:
    """Writes exchanges in a thread of its own, numbered in the order of their requests.

    `redaction` hides the server's own tokens, `names` are headers, parameters and fields whose values are secrets too.
    `say` is called with a line for each exchange that is not recorded. `replaces` returns the names of the recordings
    that one of a request replaces: they are removed when it is written.
    """

    def __init__(
        self,
        folder: Path,
        redaction: Redaction,
        say: Callable[[str], None],
        names: Iterable[str] = (),
        replaces: Callable[[Request], Iterable[str]] = lambda _: (),
    ) -> None:
        self._folder, self._say = folder, say
        self._names = tuple(names)
        self._redaction = redaction.also_named(self._names)
        self._replaces = replaces
        folder.mkdir(parents=True, exist_ok=True)
        self._next = next_number(folder)
        self._thread = ThreadPoolExecutor(1, "recorder")

    def number(self) -> int:
        """Return the number of a request that begins now."""
        self._next += 1
        return self._next - 1

    def record(self, number: int, exchange: Exchange) -> Future[None]:
        """Write an exchange; the future is done when the file is written, or the reason why it is not is reported."""
        return self._thread.submit(self._record, number, exchange)

    def skip(self, exchange: Exchange, why: str) -> None:
        """Report why an exchange is not recorded."""
        request = exchange.request
        path = hiding(request, self._redaction).text(request.path)
        self._say(f"WARNING: {request.method} {path} is not recorded: {why}.")

    def close(self) -> None:
        """Write what is waiting."""
        self._thread.shutdown()

    def _record(self, number: int, exchange: Exchange) -> None:
        try:
            clean = without_secrets(exchange, self._redaction)
            write_recording(self._folder, number, clean, self._names)
            for name in self._replaces(exchange.request):
                (self._folder / name).unlink(missing_ok=True)
        except SecretFound as found:
            self.skip(exchange, str(found))
        except OSError as error:
            self.skip(exchange, f"{error.filename or self._folder}: {error.strerror or error}")
        except Exception as error:
            self.skip(exchange, f"internal error, please report it: {type(error).__name__}: {error}")


class SecretFound(Exception):
    """An exchange must not be written; the message has the place of what looks like a token, and the remedy."""


def without_secrets(exchange: Exchange, redaction: Redaction) -> Exchange:
    """Return an exchange that may be written: redacted, and without anything else that looks like a token.

    Raises `SecretFound`.
    """
    encoding = exchange.request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity" and exchange.request.body:
        raise SecretFound(f"request/body has the content-encoding {encoding[:20]!r} and can't be searched for tokens")
    hide = hiding(exchange.request, redaction)
    clean = redacted(exchange, hide)
    parts = joined_parts(clean.reply)
    place = first_token(values_of(clean, parts)) or _in_pieces(parts, hide)
    if place:
        name = place.rpartition("/")[2]
        remedy = "take it out of the message" if name in ("body", "path") else f"hide it with --redact {name}"
        raise SecretFound(f"{place} looks like a token. If it is one, {remedy}")
    return clean


def _in_pieces(parts: Parts, redaction: Redaction) -> str:
    """Return the place of a known token that a stream sends in parts, "" for none."""
    for place, text in parts.items():
        if re.sub(re.escape(HIDDEN), "", redaction.text(text)) != re.sub(re.escape(HIDDEN), "", text):
            return "/".join(("reply", "body", *place))
    return ""
