"""The words in values that the mock makes of a client's schemas: arguments of calls, and content in a wanted form."""

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
#: A word that begins with a capital letter though no sentence begins there: what somebody or something is called.
_CALLED = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
#: What dates are reckoned from, and how many seconds they may lie behind it.
_FIRST = 1_700_000_000
_SPAN = 30_000_000
_PEOPLE = ("Ada Brook", "Ben Castell", "Clara Dahl", "Emil Farkas", "Greta Holm")
_CITIES = ("Lisbon", "Oslo", "Prague", "Turin", "Zurich")
_COUNTRIES = ("Austria", "Norway", "Portugal", "Sweden", "Switzerland")


@dataclass(frozen=True, slots=True)
class SpokenTexts:
    """Texts in the mock's own words, or the user's: `said` is what stands where a value is free to take it up."""

    chance: random.Random
    said: str

    def word(self) -> str:
        """Return a word."""
        words: list[str] = _WORD.findall(self.sentence())
        return self.chance.choice(words)

    def sentence(self) -> str:
        """Return a sentence."""
        return sample_sentence(2 * self.chance.getrandbits(16))

    def fitting(self, format: str, name: str) -> str:
        """Return a text of a JSON Schema `format`, else one for a property of that `name`, else what was said."""
        make = _FORMATS.get(format) or _NAMES.get(name.lower())
        return make(self) if make else topic_of(self.said) or self.word()

    def time(self, form: str) -> str:
        """Return a moment in the form of `strftime`."""
        return datetime.fromtimestamp(_FIRST + self.chance.randrange(_SPAN), UTC).strftime(form)

    def uuid(self) -> str:
        """Return a uuid."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))


def _called(others: tuple[str, ...], texts: SpokenTexts) -> str:
    """Return what the user called by its name, else one of `others`."""
    found = _CALLED.search(texts.said)
    return found[0] if found else texts.chance.choice(others)


def _email(texts: SpokenTexts) -> str:
    return f"{texts.word()}@example.org"


def _address(texts: SpokenTexts) -> str:
    return f"https://example.org/{texts.word()}"


#: A format, and a property's name, -> what makes a text of it.
_FORMATS: Mapping[str, Callable[[SpokenTexts], str]] = {
    "uuid": SpokenTexts.uuid,
    "date-time": lambda texts: texts.time("%Y-%m-%dT%H:%M:%SZ"),
    "date": lambda texts: texts.time("%Y-%m-%d"),
    "time": lambda texts: texts.time("%H:%M:%SZ"),
    "duration": lambda texts: f"P{1 + texts.chance.randrange(30)}D",
    "email": _email,
    "idn-email": _email,
    "uri": _address,
    "uri-reference": _address,
    "iri": _address,
    "iri-reference": _address,
    "uri-template": _address,
    "hostname": lambda texts: f"{texts.word()}.example.org",
    "idn-hostname": lambda texts: f"{texts.word()}.example.org",
    "ipv4": lambda texts: f"192.0.2.{1 + texts.chance.randrange(254)}",
    "ipv6": lambda texts: f"2001:db8::{1 + texts.chance.randrange(9998)}",
    "json-pointer": lambda texts: f"/{texts.word()}",
    "relative-json-pointer": lambda texts: f"0/{texts.word()}",
    "regex": lambda texts: f"^{texts.word()}$",
}
_NAMES: Mapping[str, Callable[[SpokenTexts], str]] = {
    "id": SpokenTexts.uuid,
    "email": _email,
    "url": _address,
    "uri": _address,
    "name": partial(_called, _PEOPLE),
    "city": partial(_called, _CITIES),
    "location": partial(_called, _CITIES),
    "place": partial(_called, _CITIES),
    "country": partial(_called, _COUNTRIES),
    "date": lambda texts: texts.time("%Y-%m-%d"),
    "time": lambda texts: texts.time("%H:%M"),
    "description": SpokenTexts.sentence,
    "answer": SpokenTexts.sentence,
    "summary": SpokenTexts.sentence,
}
