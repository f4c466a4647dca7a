"""Makes `words.json`, the words of sampled values: `python -m agent_contract.sampling.build_words`.

It needs Faker; the sampler only reads the file. So the values don't change with Faker, and its users don't install it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from faker import Faker

WORDS = Path(__file__).parent / "words.json"

#: How many different values of each kind.
COUNT = 120


def make_words(seed: int = 0) -> dict[str, list[str]]:
    """Return lists of words, people, cities, and countries, each without duplicates."""
    fake = Faker("en_US")
    german = Faker("de_DE")  # whose cities exist
    for source in (fake, german):
        source.seed_instance(seed)
    return {
        "words": _different(fake.word),
        "people": _different(lambda: f"{fake.first_name()} {fake.last_name()}"),
        "cities": _different(german.city_name),
        "countries": _different(fake.country),
    }


def _different(draw: Callable[[], str]) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < COUNT:
        found[draw()] = None
    return list(found)


def encode(words: dict[str, list[str]]) -> str:
    """Return the content of the file."""
    return json.dumps(words, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    WORDS.write_text(encode(make_words()), encoding="utf-8")
