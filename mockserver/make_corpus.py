"""Makes `corpus.json`, the sentences that the mock answers with: `python -m mockserver.make_corpus`.

It needs Faker; the mock itself reads the file alone. A test finds the file stale.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from faker import Faker

from agent_contract.values import JSON

CORPUS = Path(__file__).parent / "corpus.json"

#: A prime, so that steps of any length through the sentences meet none twice.
SENTENCES = 211

OPENINGS: dict[str, list[str]] = {
    "greeting": [
        "Hello! I am an AI assistant.",
        "Hello! What can I do for you today?",
        "Hi there! It is good to hear from you.",
        "Welcome! I am ready when you are.",
    ],
    "question": [
        'You asked: "{topic}" Here is a short answer.',
        'That is a good question. On "{topic}" there are a few things to know.',
        'Let me take "{topic}" step by step.',
        'To answer "{topic}" it helps to look at the basics first.',
    ],
    "statement": [
        'Thank you. I understood: "{topic}".',
        'Certainly. About "{topic}" I can say the following.',
        'Of course. Here is what I have on "{topic}".',
        'I see. As for "{topic}", these points matter most.',
    ],
    "silence": [
        "I am listening. Tell me what you need.",
        "There was no text in your message, so let me start.",
    ],
}

PATTERNS = [
    "A good first step is to {task}.",
    "Many teams {task}, and it works well for them.",
    "If time is short, {task} and leave the rest for {day}.",
    "In most cases it is enough to {task}.",
    "There are {few} ways to do it; the simplest is to {task}.",
    "Think of it as a {idea}.",
    "What you describe sounds like a {idea}.",
    "The usual name for this is a {idea}.",
    "About {percent} percent of the effort goes into the first {few} steps.",
    "By {day} you could {task} and see whether it helps.",
    "Before you {task}, write down what you expect.",
    "It rarely pays to {task} more than {few} times.",
]

CLOSINGS = [
    "Would you like to know more?",
    "Let me know whether that helps.",
    "Shall I go into detail?",
    "I am happy to explain any of these points.",
    "Is there anything else that you would like to know?",
]


#: Words of Faker's that no assistant would use.
UNWANTED = (
    "killer",
    "eyeballs",
    "dot-com",
    "sexy",
    "viral",
    "24/365",
    "24/7",
    "cutting-edge",
    "infomediaries",
    "vortals",
)

_BEFORE_VOWEL = re.compile(r"\ba(?= (?:[aei]|o(?!ne)|up|un(?!i)))")


def make_corpus(seed: int = 0) -> dict[str, JSON]:
    """Return openings by the kind of what was said, `SENTENCES` different sentences, and closings."""
    fake = Faker("en_US")
    fake.seed_instance(seed)
    sentences: dict[str, JSON] = {}
    while len(sentences) < SENTENCES:
        pattern = PATTERNS[len(sentences) % len(PATTERNS)]
        sentence = pattern.format(
            task=fake.bs(),
            idea=fake.catch_phrase().lower(),
            day=fake.day_of_week(),
            few=fake.random_element(("two", "three", "four", "five")),
            percent=fake.random_int(10, 90),
        )
        if not any(word in sentence for word in UNWANTED):
            sentences[_BEFORE_VOWEL.sub("an", sentence)] = None
    return {
        "openings": {kind: list(texts) for kind, texts in OPENINGS.items()},
        "sentences": list(sentences),
        "closings": list(CLOSINGS),
    }


def encode(corpus: dict[str, JSON]) -> str:
    """Return the text of the file."""
    return json.dumps(corpus, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    CORPUS.write_text(encode(make_corpus()), encoding="utf-8")
