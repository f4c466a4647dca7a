"""What an agent says: texts that read like an assistant's and take up what the user said."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")

_LOOKED_AT = 400  # characters of a message that its topic is taken from
_TOPIC = 60  # characters of a topic at most
_GREETINGS = frozenset({"hello", "hi", "hey", "hallo", "good morning", "good evening", "greetings", "welcome"})
_ASKING = frozenset({"what", "who", "whom", "whose", "which", "when", "where", "why", "how", "is", "are", "can", "do"})


class Corpus(NamedTuple):
    """Openings by the kind of what was said, sentences (a prime number of them), and closings."""

    openings: dict[str, tuple[str, ...]]
    sentences: tuple[str, ...]
    closings: tuple[str, ...]


def _read(file: Path) -> Corpus:
    content = json.loads(file.read_bytes())
    openings = {kind: tuple(texts) for kind, texts in content["openings"].items()}
    return Corpus(openings, tuple(content["sentences"]), tuple(content["closings"]))


_CORPUS = _read(Path(__file__).parent / "corpus.json")


def topic_of(said: str) -> str:
    """Return the beginning of `said` as one line of printable text, cut at a word: 60 characters at most."""
    printable = "".join(character if character.isprintable() else " " for character in said[:_LOOKED_AT])
    words = " ".join(printable.replace('"', "'").split())
    if len(words) <= _TOPIC:
        return words
    return words[: _TOPIC + 1].rpartition(" ")[0] or words[:_TOPIC]


def kind_of(topic: str) -> str:
    """Return what `topic` is: `greeting`, `question`, `statement` or `silence`."""
    words = topic.lower().strip(" .!?,").split()
    if not words:
        return "silence"
    if len(words) <= 3 and (words[0].strip(",!") in _GREETINGS or " ".join(words) in _GREETINGS):
        return "greeting"
    return "question" if topic.endswith("?") or words[0] in _ASKING else "statement"


def opening(said: str, digest: bytes) -> str:
    """Return the sentence that an answer to `said` begins with, the same for the same 32 bytes of `digest`."""
    topic = topic_of(said)
    return _pick(_CORPUS.openings[kind_of(topic)], struct.unpack(">8I", digest)[0]).format(topic=topic.rstrip(".!"))


def compose(said: str, evidence: str, digest: bytes) -> str:
    """Return an answer to `said` in three paragraphs, the same for the same 32 bytes of `digest`.

    `evidence` stands in it where it is not empty: a sentence that says what the answer rests on.
    """
    numbers = struct.unpack(">8I", digest)
    start, step, count = numbers[1], 1 + numbers[2] % (len(_CORPUS.sentences) - 1), 2 + numbers[3] % 2
    sentences = [_pick(_CORPUS.sentences, start + place * step) for place in range(count)]
    if evidence:
        sentences[0] = evidence
    return f"{opening(said, digest)}\n\n{' '.join(sentences)}\n\n{_pick(_CORPUS.closings, numbers[4])}"


def sample_sentence(number: int) -> str:
    """Return a sentence that somebody might say, a question as often as not; the same for the same number."""
    sentence = _pick(_CORPUS.sentences, number // 2)
    return f"What do you say to this: {sentence}"[:-1] + "?" if number % 2 else sentence


def _pick(choices: Sequence[T], number: int) -> T:
    return choices[number % len(choices)]
