"""What an agent says: it repeats what the user said, adds the evidence that it has, and then sample text."""

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
    """Openings by the kind of message, what announces sample text, sentences (a prime number of them), closings."""

    openings: dict[str, tuple[str, ...]]
    sample: str
    sample_after_evidence: str
    sentences: tuple[str, ...]
    closings: tuple[str, ...]


def _read(file: Path) -> Corpus:
    content = json.loads(file.read_bytes())
    openings = {kind: tuple(texts) for kind, texts in content["openings"].items()}
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
    return one_line(said[:_LOOKED_AT], _TOPIC)


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

    It contains `evidence`, sentences that say what the answer rests on, and says which part of it is sample text.
    """
    text, sentences = compose_parts(said, evidence, digest)
    return text + "".join(sentences)


def compose_parts(said: str, evidence: str, digest: bytes) -> tuple[str, list[str]]:
    """Return what `compose` does in two parts: what answers the message, and sentences of the corpus.

    Each of the sentences begins with white space and ends without.
    """
    numbers = struct.unpack(">8I", digest)
    start, step, count = numbers[1], 1 + numbers[2] % (len(_CORPUS.sentences) - 1), 1 + numbers[3] % 2
    text = opening(said, digest)
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
