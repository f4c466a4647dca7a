"""Makes `corpus.json`, the sentences that the mock answers with: `python -m mockserver.generation.build_corpus`.

It needs Faker; the mock itself only reads the file. A test compares the two.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from faker import Faker

from agent_contract.messages import JSON

CORPUS = Path(__file__).parent / "corpus.json"

#: A prime, so that steps of any length visit each sentence once.
SENTENCES = 211

#: Days and months are drawn from the time before this. Faker's default, the current time, would change the result.
UNTIL = datetime(2026, 11, 23, 16, 30)  # noqa: DTZ001 -- Faker counts without a zone

OPENINGS: dict[str, list[str]] = {
    "greeting": [
        "Hello! I am an AI assistant.",
        "Hello! What can I do for you today?",
        "Hi there! It is good to hear from you.",
        "Welcome! I am ready when you are.",
    ],
    "question": [
        'You asked: "{topic}"',
        'Your question was: "{topic}"',
        'I read your question: "{topic}"',
        'Thank you for asking: "{topic}"',
    ],
    "statement": [
        'You wrote: "{topic}".',
        'I read your message: "{topic}".',
        'Thank you for your message: "{topic}".',
        'Your message was: "{topic}".',
    ],
    "silence": [
        "I am listening. Tell me what you need.",
        "There was no text in your message.",
    ],
}

#: What announces sample sentences, without and with evidence before it.
SAMPLE = "I am a mock server, so this is sample text."
SAMPLE_AFTER_EVIDENCE = "The rest is sample text of a mock server."

PATTERNS = [
    "A good first step is to {task}.",
    "Many people {task} first.",
    "If time is short, {task} and leave the rest for {day}.",
    "In most cases it is enough to {task}.",
    "The simplest of {few} ways is to {task}.",
    "A team of {few} can do this with {idea}.",
    "Often {idea} is enough.",
    "About {percent} percent of the work is in the first {few} steps.",
    "Until {day} you could {task}.",
    "Before you go on, {task}.",
    "You could {task}, or ask a colleague.",
    "From {month} on it may be better to {task}.",
]

TASKS = [
    "write down what you expect",
    "start with a small example",
    "compare two options side by side",
    "change one thing at a time",
    "note the date and the result",
    "check the settings",
    "read the documentation",
    "try the shortest version",
    "set a limit for the cost",
    "split the work into parts",
    "ask for a second opinion",
    "leave out the optional parts",
    "draw a simple diagram",
    "count how often it happens",
    "keep a copy of the original",
    "explain it to a friend",
]

IDEAS = [
    "a plan with three steps",
    "a short list of questions",
    "a clear order of tasks",
    "a simple table",
    "a clear deadline",
    "a quiet hour in the morning",
    "a good description of the problem",
    "a trial run",
    "a careful estimate",
    "a small example",
    "a change in the wording",
]

CLOSINGS = [
    "Would you like to know more?",
    "Let me know whether that helps.",
    "Shall I go into detail?",
    "I am happy to explain any of these points.",
    "Is there anything else that you would like to know?",
]


def make_corpus(seed: int = 0) -> dict[str, JSON]:
    """Return openings by the kind of message, what announces sample text, `SENTENCES` different sentences, closings."""
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
        "sample": SAMPLE,
        "sample_after_evidence": SAMPLE_AFTER_EVIDENCE,
        "sentences": list(sentences),
        "closings": list(CLOSINGS),
    }


def encode(corpus: dict[str, JSON]) -> str:
    """Return the content of the file."""
    return json.dumps(corpus, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    CORPUS.write_text(encode(make_corpus()), encoding="utf-8")
