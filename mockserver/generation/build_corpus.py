"""Makes `corpus.json`, the sentences that the mock answers with: `python -m mockserver.make_corpus`.

It needs Faker; the mock itself reads the file alone. A test finds the file stale.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from faker import Faker

from agent_contract.messages import JSON

CORPUS = Path(__file__).parent / "corpus.json"

#: A prime, so that steps of any length through the sentences meet none twice.
SENTENCES = 211

#: Days and months are drawn from the time up to here; up to now, which is what Faker does, they would change with it.
UNTIL = datetime(2026, 11, 23, 16, 30)  # noqa: DTZ001 -- Faker counts without a zone

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
    "Many people {task} first, and it works well for them.",
    "If time is short, {task} and leave the rest for {day}.",
    "In most cases it is enough to {task}.",
    "There are {few} ways to do it; the simplest is to {task}.",
    "A team of {few} did well with {idea}.",
    "What you describe sounds like {idea}.",
    "Most of the time, {idea} is all that it takes.",
    "About {percent} percent of the effort goes into the first {few} steps.",
    "By {day} you could {task} and see whether it helps.",
    "Before you go on, {task}.",
    "It rarely pays to {task} more than {few} times.",
    "You could {task}, or ask somebody who has done it before.",
    "From {month} on it may be better to {task}.",
]

TASKS = [
    "write down what you expect",
    "start with a small example",
    "compare two options side by side",
    "change one thing at a time",
    "note the date and the result",
    "check the settings",
    "read the last message once more",
    "try the shortest version",
    "set a limit for the cost",
    "split the work into parts",
    "ask for a second opinion",
    "leave out what nobody needs",
    "draw a simple picture of it",
    "count how often it happens",
    "keep a copy of the original",
    "explain it to a friend",
]

IDEAS = [
    "a plan with three steps",
    "a short list of questions",
    "a matter of order",
    "a common misunderstanding",
    "a simple table",
    "a clear deadline",
    "a quiet hour in the morning",
    "a good description of the problem",
    "a trial run",
    "a careful estimate",
    "a fresh start",
    "a small change in the wording",
]

CLOSINGS = [
    "Would you like to know more?",
    "Let me know whether that helps.",
    "Shall I go into detail?",
    "I am happy to explain any of these points.",
    "Is there anything else that you would like to know?",
]


def make_corpus(seed: int = 0) -> dict[str, JSON]:
    """Return openings by the kind of what was said, `SENTENCES` different sentences, and closings."""
    fake = Faker("en_US")
    fake.seed_instance(seed)
    sentences: dict[str, JSON] = {}
    while len(sentences) < SENTENCES:
        pattern = fake.random_element(PATTERNS)
        sentence = pattern.format(
            task=fake.random_element(TASKS),
            idea=fake.random_element(IDEAS),
            month=fake.date("%B", UNTIL),
            day=fake.date("%A", UNTIL),
            few=fake.random_element(("two", "three", "four", "five")),
            percent=fake.random_int(10, 90),
        )
        sentences[sentence[0].upper() + sentence[1:]] = None
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
