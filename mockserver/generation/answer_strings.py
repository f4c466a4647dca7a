"""Strings in values that are sampled from clients' schemas: arguments of calls, and structured content."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent_contract.sampling.sample_strings import SampleStrings
from mockserver.generation.replies import sample_sentence, topic_of

_WORD = re.compile(r"[a-z]{4,}")
#: A capitalized word that does not begin a sentence, so it is probably a name.
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")


@dataclass(frozen=True)
class AnswerStrings(SampleStrings):
    """Strings that belong to an answer: names and topics are those of the user's message, `said`."""

    said: str

    def word(self) -> str:
        """Return a word."""
        words: list[str] = _WORD.findall(self.sentence())
        return self.chance.choice(words)

    def sentence(self) -> str:
        """Return a sentence."""
        return sample_sentence(2 * self.chance.getrandbits(16))

    def phrase(self) -> str:
        """Return the topic of the message, else a word."""
        return topic_of(self.said) or self.word()

    def proper_name(self, kind: str) -> str:
        """Return a name from the message, else one of the kind."""
        found = _NAME.search(self.said)
        return found[0] if found else self.one_of(kind)
