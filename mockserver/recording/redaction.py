"""Keeps secrets out of the journal: headers and parameters that hold one, and the server's tokens wherever they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, quote_plus

HIDDEN = "[redacted]"

#: What the name of a header or parameter has in it whose value is a secret. `max_tokens` is none.
_SECRET_NAME = re.compile(r"authorization|cookie|token(?!s)|secret|passw|credential|api.?key|signature|x-amz-", re.I)
#: A shorter token is hidden as a word alone: otherwise ordinary text would be taken apart.
_LONG_ENOUGH = 8


@dataclass(frozen=True, slots=True)
class Redaction:
    """What hides secrets; no spelling of a token has more than `reach` characters."""

    pattern: re.Pattern[str] | None
    reach: int

    def text(self, text: str) -> str:
        """Return a text without the tokens."""
        return self.pattern.sub(HIDDEN, text) if self.pattern else text

    def beginning(self, text: str, most: int) -> str:
        """Return the first `most` characters of a text without the tokens, nothing of one across the end included.

        `reach` characters more of the text are enough to tell.
        """
        if self.pattern is None:
            return text[:most]
        if len(text) > most:
            across = (found.start() for found in self.pattern.finditer(text) if found.start() < most < found.end())
            most = next(across, most)
        return self.text(text[:most])

    def value(self, name: str, value: str, most: int) -> str:
        """Return the beginning of a named value without a secret; of an authorization the scheme stays."""
        if not _is_secret(name):
            return self.beginning(value, most)
        scheme, _, rest = value.partition(" ")
        return f"{scheme} {HIDDEN}" if rest and "authorization" in name.lower() else HIDDEN


def redaction_of(tokens: Iterable[str]) -> Redaction:
    """Return what hides these tokens, in the spellings of URLs and of JSON too."""
    spellings = {spelling for token in tokens for spelling in _spellings(token)}
    if not spellings:
        return Redaction(None, 0)
    ordered = sorted(spellings, key=len, reverse=True)
    pattern = re.compile("|".join(_pattern(spelling) for spelling in ordered))
    return Redaction(pattern, len(ordered[0]))


def _spellings(token: str) -> Iterator[str]:
    once = json.dumps(token)[1:-1]
    yield from (token, once, json.dumps(once)[1:-1], quote(token), quote(token, safe=""), quote_plus(token))


def _pattern(spelling: str) -> str:
    found = re.escape(spelling)
    return found if len(spelling) >= _LONG_ENOUGH else rf"(?<!\w){found}(?!\w)"


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name))
