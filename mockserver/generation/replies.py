"""Text of replies: repeats the topic of the message, then adds evidence and sample text."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")

_TOPIC_SOURCE = 400  # characters of a message that can become its topic
_TOPIC = 60  # characters of a topic at most
_GREETINGS = frozenset({"hello", "hi", "hey", "hallo", "good morning", "good evening", "greetings", "welcome"})
_ASKING = frozenset({"what", "who", "whom", "whose", "which", "when", "where", "why", "how", "is", "are", "can", "do"})


class Corpus(NamedTuple):
    """Openings by the kind of message, announcements of sample text, sentences (a prime number of them), closings."""

    openings: dict[str, tuple[str, ...]]
    sample: str
    sample_after_evidence: str
    sentences: tuple[str, ...]
    closings: tuple[str, ...]


def _read(file: Path) -> Corpus:
    content = json.loads(file.read_bytes())
    openings = {kind: tuple(sentences) for kind, sentences in content["openings"].items()}
    samples = content["sample"], content["sample_after_evidence"]
    return Corpus(openings, *samples, tuple(content["sentences"]), tuple(content["closings"]))


_CORPUS = _read(Path(__file__).parent / "corpus.json")


def one_line(text: str, most: int) -> str:
    """Return `text` as one line of printable characters that can be quoted, cut at a word after `most` characters."""
    printable = text
    if not text.isprintable():
        printable = "".join(character if character.isprintable() else " " for character in text)
    words = " ".join(printable.replace('"', "'").split())
    if len(words) <= most:
        return words
    return words[: most + 1].rpartition(" ")[0] or words[:most]


def topic_of(said: str) -> str:
    """Return the beginning of `said` as one line of printable text, cut at a word: 60 characters at most."""
    return one_line(said[:_TOPIC_SOURCE], _TOPIC)


def classify(topic: str) -> str:
    """Return the kind of `topic`: `greeting`, `question`, `statement` or `silence`."""
    words = topic.lower().strip(" .!?,").split()
    if not words:
        return "silence"
    if len(words) <= 3 and (words[0].strip(",!") in _GREETINGS or " ".join(words) in _GREETINGS):
        return "greeting"
    return "question" if topic.endswith("?") or words[0] in _ASKING else "statement"


def opening(said: str, digest: bytes) -> str:
    """Return the sentence that an answer to `said` begins with, the same for the same 32 bytes of `digest`."""
    return _opening(said, int.from_bytes(digest[:4], "big"))


def _opening(said: str, number: int) -> str:
    topic = topic_of(said)
    return _pick(_CORPUS.openings[classify(topic)], number).format(topic=topic.rstrip(".!"))


def compose(said: str, evidence: str, digest: bytes) -> str:
    """Return an answer to `said` in three paragraphs, the same for the same 32 bytes of `digest`.

    It contains the `evidence`, and announces which part is sample text.
    """
    text, sentences = compose_parts(said, evidence, digest)
    return text + "".join(sentences)


def compose_parts(said: str, evidence: str, digest: bytes) -> tuple[str, list[str]]:
    """Return the answer of `compose` in two parts: text about the message, and sentences of the corpus.

    Each sentence begins with white space and does not end with it.
    """
    numbers = struct.unpack(">8I", digest)
    start, step, count = numbers[1], 1 + numbers[2] % (len(_CORPUS.sentences) - 1), 1 + numbers[3] % 2
    text = _opening(said, numbers[0])
    if evidence:
        text, sentences = f"{text}\n\n{evidence}", [f" {_CORPUS.sample_after_evidence}"]
    else:
        sentences = [f"\n\n{_CORPUS.sample}"]
    sentences += [f" {_pick(_CORPUS.sentences, start + place * step)}" for place in range(count)]
    sentences.append(f"\n\n{_pick(_CORPUS.closings, numbers[4])}")
    return text, sentences


def sample_sentence(number: int) -> str:
    """Return a statement for an even number and a question for an odd one; the same for the same number."""
    sentence = _pick(_CORPUS.sentences, number // 2)
    return f"What do you say to this: {sentence}"[:-1] + "?" if number % 2 else sentence


def _pick(choices: Sequence[T], number: int) -> T:
    return choices[number % len(choices)]
