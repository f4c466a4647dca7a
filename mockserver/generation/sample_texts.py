"""Strings in values that are sampled from clients' schemas: arguments of calls, and structured content."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from mockserver.generation.replies import sample_sentence, topic_of

_WORD = re.compile(r"[a-z]{4,}")
#: A capitalized word that does not begin a sentence, so it is probably a name.
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
#: The earliest generated time, and the range after it in seconds.
_EARLIEST = 1_700_000_000
_RANGE = 30_000_000
_PEOPLE = ("Ada Brook", "Ben Castell", "Clara Dahl", "Emil Farkas", "Greta Holm")
_CITIES = ("Lisbon", "Oslo", "Prague", "Turin", "Zurich")
_COUNTRIES = ("Austria", "Norway", "Portugal", "Sweden", "Switzerland")


@dataclass(frozen=True, slots=True)
class SampleTextSource:
    """Generates strings. `said` is the user's message; its topic is used for strings without a known format or name."""

    chance: random.Random
    said: str

    def word(self) -> str:
        """Return a word."""
        words: list[str] = _WORD.findall(self.sentence())
        return self.chance.choice(words)

    def sentence(self) -> str:
        """Return a sentence."""
        return sample_sentence(2 * self.chance.getrandbits(16))

    def string_for(self, format: str, name: str) -> str:
        """Return a string for a JSON Schema `format`, else for a property `name`, else the topic of the message."""
        make = _FORMATS.get(format) or _NAMES.get(name.lower())
        return make(self) if make else topic_of(self.said) or self.word()

    def time(self, form: str) -> str:
        """Return a time, formatted by `strftime`."""
        return datetime.fromtimestamp(_EARLIEST + self.chance.randrange(_RANGE), UTC).strftime(form)

    def uuid(self) -> str:
        """Return a uuid."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))


def _name_in(others: tuple[str, ...], source: SampleTextSource) -> str:
    """Return a name from the user's message, else one of `others`."""
    found = _NAME.search(source.said)
    return found[0] if found else source.chance.choice(others)


def _email(source: SampleTextSource) -> str:
    return f"{source.word()}@example.org"


def _address(source: SampleTextSource) -> str:
    return f"https://example.org/{source.word()}"


#: Generators by format, and by property name.
_FORMATS: Mapping[str, Callable[[SampleTextSource], str]] = {
    "uuid": SampleTextSource.uuid,
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
    "hostname": lambda source: f"{source.word()}.example.org",
    "idn-hostname": lambda source: f"{source.word()}.example.org",
    "ipv4": lambda source: f"192.0.2.{1 + source.chance.randrange(254)}",
    "ipv6": lambda source: f"2001:db8::{1 + source.chance.randrange(9998)}",
    "json-pointer": lambda source: f"/{source.word()}",
    "relative-json-pointer": lambda source: f"0/{source.word()}",
    "regex": lambda source: f"^{source.word()}$",
}
_NAMES: Mapping[str, Callable[[SampleTextSource], str]] = {
    "id": SampleTextSource.uuid,
    "email": _email,
    "url": _address,
    "uri": _address,
    "name": partial(_name_in, _PEOPLE),
    "city": partial(_name_in, _CITIES),
    "location": partial(_name_in, _CITIES),
    "place": partial(_name_in, _CITIES),
    "country": partial(_name_in, _COUNTRIES),
    "date": lambda source: source.time("%Y-%m-%d"),
    "time": lambda source: source.time("%H:%M"),
    "description": SampleTextSource.sentence,
    "answer": SampleTextSource.sentence,
    "summary": SampleTextSource.sentence,
}
