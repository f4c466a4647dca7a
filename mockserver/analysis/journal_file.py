"""Reads a saved journal: what `GET /__mock__/requests` returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from mockserver.analysis.observation import Observation, from_entry


class JournalError(ValueError):
    """A file that is not a journal, with what to do."""


def read_journal_file(text: bytes) -> list[Observation]:
    """Return the observations of a journal, oldest first; raises `JournalError`.

    `text` is one page, several pages one after the other, or a list of entries.
    """
    entries: dict[int, Observation] = {}
    for value in _values(text):
        rows = value.get("requests") if isinstance(value, dict) else value
        if not isinstance(rows, list):
            raise JournalError("it has no list `requests`. Save what GET /__mock__/requests returns.")
        for row in rows:
            try:
                seen = from_entry(row)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                why = f"entry {len(entries) + 1} is not one of a journal ({type(error).__name__}: {error})"
                raise JournalError(f"{why}. Save what GET /__mock__/requests returns.") from None
            entries[seen.number] = seen
    return [entries[number] for number in sorted(entries)]


def _values(text: bytes) -> Iterator[Any]:
    """Yield the JSON values of a file: the whole is one, or each of its lines."""
    try:
        yield orjson.loads(text)
        return
    except orjson.JSONDecodeError as error:
        whole = error
    lines = [*filter(bytes.strip, text.splitlines())] or [b""]
    for line in lines:
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            raise JournalError(f"it is not JSON: {whole}. Save what GET /__mock__/requests returns.") from None
