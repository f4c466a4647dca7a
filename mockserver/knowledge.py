"""What agents know: passages, and which of them fit a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_WORD = re.compile(r"\w{4,}")


@dataclass(frozen=True, slots=True)
class Document:
    """A passage of knowledge; `id` is a uuid."""

    id: str
    text: str
    origin_name: str | None = None
    media_type: str | None = None
    origin_ref: str | None = None
    words: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", frozenset(_WORD.findall(self.text.lower())))


def find_documents(documents: Sequence[Document], question: str, most: int) -> list[tuple[Document, float]]:
    """Return at most `most` documents, those that fit `question` best, best first, each with its score from 0 to 1.

    The score is the share of the question's longer words that stand in the document.
    """
    asked = set(_WORD.findall(question[:10_000].lower()))
    scored = [(document, len(asked & document.words) / (len(asked) or 1)) for document in documents]
    return sorted(scored, key=lambda one: -one[1])[:most]
