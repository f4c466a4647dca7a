"""Strings in sampled values: by format, by the property's name, else a few words."""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

#: Properties that often have one value, which only their description names; and how it is quoted there.
_NAMES_OF_CONSTANTS = ("object", "type", "kind")
_QUOTED = re.compile(r"`([^`\s]+)`")
#: The earliest generated time, and the range after it in seconds.
_EARLIEST = 1_700_000_000
_RANGE = 30_000_000


@dataclass(frozen=True)
class SampleStrings:
    """Strings that depend only on the random numbers of `chance`."""

    chance: random.Random

    def word(self) -> str:
        """Return a word."""
        return self.one_of("words")

    def sentence(self) -> str:
        """Return a sentence."""
        return self._words(4 + self.chance.randrange(6)).capitalize() + "."

    def phrase(self) -> str:
        """Return a string without a known format or name."""
        return self._words(4).capitalize()

    def proper_name(self, kind: str) -> str:
        """Return a name of `people`, `cities`, or `countries`."""
        return self.one_of(kind)

    def one_of(self, kind: str) -> str:
        """Return one of the words of a kind."""
        return self.chance.choice(_tables()[kind])

    def string_for(self, format: str, name: str) -> str:
        """Return a string for a JSON Schema `format`, else for a property `name`, else a phrase."""
        make = _FORMATS.get(format) or _NAMES.get(name.lower())
        return make(self) if make else self.phrase()

    def time(self, form: str) -> str:
        """Return a time, formatted by `strftime`."""
        return datetime.fromtimestamp(_EARLIEST + self.chance.randrange(_RANGE), UTC).strftime(form)

    def uuid(self) -> str:
        """Return a uuid."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def _words(self, count: int) -> str:
        return " ".join(self.word() for _ in range(count))


def described_constant(name: str, description: object) -> str:
    """Return the value that a description gives a property such as `type`, as its only quoted code; else "".

    Many documents write `object: {type: string, description: "Always `list`."}` instead of a `const`.
    """
    if name not in _NAMES_OF_CONSTANTS or not isinstance(description, str):
        return ""
    quoted = dict.fromkeys(_QUOTED.findall(description))
    return next(iter(quoted)) if len(quoted) == 1 else ""


@cache
def _tables() -> Mapping[str, Sequence[str]]:
    """Return the words by their kind; `build_words` makes the file."""
    tables: dict[str, list[str]] = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))
    return tables


def _email(source: SampleStrings) -> str:
    return f"{source.word()}@example.org"


def _address(source: SampleStrings) -> str:
    return f"https://example.org/{source.word()}"


def _host(source: SampleStrings) -> str:
    return f"{source.word()}.example.org"


#: Generators by format, and by property name.
_FORMATS: Mapping[str, Callable[[SampleStrings], str]] = {
    "uuid": SampleStrings.uuid,
    "date-time": lambda source: source.time("%Y-%m-%dT%H:%M:%SZ"),
    "date": lambda source: source.time("%Y-%m-%d"),
    "time": lambda source: source.time("%H:%M:%SZ"),
    "duration": lambda source: f"P{1 + source.chance.randrange(30)}D",
    "email": _email,
    "idn-email": _email,
    "uri": _address,
    "uri-reference": _address,
    "iri": _address,
    "iri-reference": _address,
    "uri-template": _address,
    "hostname": _host,
    "idn-hostname": _host,
    "ipv4": lambda source: f"192.0.2.{1 + source.chance.randrange(254)}",
    "ipv6": lambda source: f"2001:db8::{1 + source.chance.randrange(9998)}",
    "json-pointer": lambda source: f"/{source.word()}",
    "relative-json-pointer": lambda source: f"0/{source.word()}",
    "regex": lambda source: f"^{source.word()}$",
    "byte": lambda _: "dGV4dA==",
}
_NAMES: Mapping[str, Callable[[SampleStrings], str]] = {
    "id": SampleStrings.uuid,
    "email": _email,
    "url": _address,
    "uri": _address,
    "name": lambda source: source.proper_name("people"),
    "city": lambda source: source.proper_name("cities"),
    "location": lambda source: source.proper_name("cities"),
    "place": lambda source: source.proper_name("cities"),
    "country": lambda source: source.proper_name("countries"),
    "date": lambda source: source.time("%Y-%m-%d"),
    "time": lambda source: source.time("%H:%M"),
    "description": lambda source: source.sentence(),
    "answer": lambda source: source.sentence(),
    "content": lambda source: source.sentence(),
    "summary": lambda source: source.sentence(),
    "text": lambda source: source.sentence(),
}
