"""Recall: repeats an earlier statement of the user if the user asks for it.

It compares the words of the question with those of each earlier statement, and repeats the statement that shares the
most words, the latest of several. The statement must contain at least half of the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from mockserver.generation.replies import one_line

#: Maximum number of characters: of the end of the conversation that is searched, and of the repeated statement.
SEARCHED = 20_000
QUOTED = 400

_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n")
_WORD = re.compile(r"\w+")
#: A sentence is a question if it begins with one of these words or ends with a question mark.
_ASKING = frozenset(
    _WORD.findall(
        "what who whom whose which when where why how is are was were can could do does did tell repeat remind recall"
    )
)
_POLITE = frozenset({"please", "and", "so", "now", "ok", "but"})
_SAYING = frozenset(_WORD.findall("say said tell told repeat remind recall remember mention mentioned"))
#: Words that don't identify a statement.
_COMMON = (_ASKING | _POLITE | _SAYING) | frozenset(
    _WORD.findall(
        "a an the this that these those it its i me my mine we us our you your he she they them their to of in on at "
        "by for from with about as or not no be been am have has had will would should may again earlier before just "
        "last previously know knew there here any some all"
    )
)


def recall(said: str, earlier: Iterable[str], remembered: str = "") -> str:
    """Return a sentence that quotes the earlier statement that `said` asks for; empty if it asks for none.

    `earlier` are the user's other messages, the latest first; `remembered` are statements before them, one a line, the
    oldest first. A question such as "What did I say?", whose words are all common ones, asks for the latest statement.
    """
    sentences = _sentences(said[-SEARCHED:])
    others = iter(earlier)
    latest = next(others, None)
    if latest is not None:
        others = chain((latest,), others)
    elif not remembered and len(sentences) < 2:
        return ""  # nothing to repeat
    questions = [sentence for sentence in sentences if _asks(sentence)]
    if not questions:
        return ""
    words = frozenset(chain.from_iterable(map(_specific_words, questions)))
    sent = (one for one in chain(reversed(sentences), _from_the_end(others)) if not _asks(one))
    if not words:
        about_saying = any(not _SAYING.isdisjoint(_words(question)) for question in questions)
        return _quoted(next(chain(sent, reversed(remembered.split("\n"))), "")) if about_saying else ""
    best, most = "", (len(words) - 1) // 2  # more shared words than this are needed
    lines = reversed(remembered.split("\n")) if _may_share(words, remembered) > most else ()
    for statement in chain(sent, lines):
        if _may_share(words, statement) > most:  # few do: splitting a statement into words takes longer
            shared = len(words & _specific_words(statement))
            if shared > most:
                best, most = statement, shared
    return _quoted(best)


def _may_share(words: Iterable[str], text: str) -> int:
    """Return the number of `words` that `text` contains, also as parts of its words."""
    lowered = text.lower()
    return sum([word in lowered for word in words])


def statements_in(text: str) -> list[str]:
    """Return the sentences of `text` that are not questions."""
    return [sentence for sentence in _sentences(text) if not _asks(sentence)]


def _quoted(statement: str) -> str:
    return f'You said earlier: "{one_line(statement, QUOTED)}"' if statement else ""


def _from_the_end(messages: Iterable[str]) -> Iterator[str]:
    """Yield the sentences of messages, the latest first, of `SEARCHED` characters in total."""
    left = SEARCHED
    for message in messages:
        yield from reversed(_sentences(message[-left:]))
        left -= len(message) + 1
        if left <= 0:
            return


def _sentences(text: str) -> list[str]:
    return [sentence for part in _BETWEEN_SENTENCES.split(text) if (sentence := part.strip())]


def _asks(sentence: str) -> bool:
    if sentence.endswith("?"):
        return True
    return next((word for word in _words(sentence) if word not in _POLITE), "") in _ASKING


def _words(sentence: str) -> list[str]:
    return _WORD.findall(sentence.lower())


def _specific_words(sentence: str) -> frozenset[str]:
    """Return the words that are not common, without a plural s."""
    words = (word for word in _words(sentence) if word not in _COMMON)
    return frozenset(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words)
