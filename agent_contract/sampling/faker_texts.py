"""Words as Faker has them, for values of a document's schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from faker import Faker

#: A format, and a property's name, -> the function that generates a string for it.
_FORMATS: Mapping[str, Callable[[Faker], Any]] = {
    "uuid": lambda fake: fake.uuid4(),
    "date-time": lambda fake: fake.date_time_this_decade().isoformat() + "Z",
    "date": lambda fake: fake.date(),
    "time": lambda fake: fake.time() + "Z",
    "email": lambda fake: fake.email(),
    "uri": lambda fake: fake.url(),
    "hostname": lambda fake: fake.hostname(),
    "ipv4": lambda fake: fake.ipv4(),
    "ipv6": lambda fake: fake.ipv6(),
    "byte": lambda _: "dGV4dA==",
}
_NAMES: Mapping[str, Callable[[Faker], Any]] = {
    "id": lambda fake: fake.uuid4(),
    "name": lambda fake: fake.name(),
    "email": lambda fake: fake.email(),
    "description": lambda fake: fake.sentence(),
    "content": lambda fake: fake.sentence(),
    "text": lambda fake: fake.sentence(),
    "url": lambda fake: fake.url(),
    "city": lambda fake: fake.city(),
    "country": lambda fake: fake.country(),
}


@dataclass(frozen=True, slots=True)
class FakerTextSource:
    """Words and sentences from a Faker."""

    fake: Faker

    def word(self) -> str:
        """Return a word."""
        return str(self.fake.word())

    def sentence(self) -> str:
        """Return a sentence."""
        return str(self.fake.sentence())

    def string_for(self, format: str, name: str) -> str:
        """Return a string of a JSON Schema `format`, else one for a property of that `name`, else a few words."""
        make = _FORMATS.get(format) or _NAMES.get(name)
        return str(make(self.fake)) if make else str(self.fake.sentence(nb_words=4)).rstrip(".")


def faker_text_source(seed: int) -> FakerTextSource:
    """Return the generator of a seed; the one returned before must not be used any more."""
    fake = _providers()
    fake.seed_instance(seed)
    return FakerTextSource(fake)


@cache
def _providers() -> Faker:
    return Faker("en_US")
