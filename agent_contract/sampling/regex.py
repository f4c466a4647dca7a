"""Generates a string that matches a regular expression, from the expression as Python parses it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from agent_contract.sampling.budget import WorkBudget

#: The most repetitions of an open-ended part, in addition to its minimum.
_MORE = 4
#: The most parts of a string.
_MOST_PARTS = 10_000
#: The parts of a string, and the characters of a parsed pattern, that cost one step of a budget.
_PARTS_A_STEP = 2
_CHARACTERS_A_STEP = 5
#: Python's own parser of patterns; its name is private, but writing a second parser would be worse.
_PARSER = import_module("re._parser")
#: How many characters and ranges a class may list.
_MOST_ITEMS = 200
_PRINTABLE = [chr(code) for code in range(32, 127)]


@dataclass(slots=True)
class _StringBuilder:
    """The state of one string: the source of chance, the groups by number, and how many parts may follow."""

    chance: random.Random
    groups: dict[int, str]
    left: int
    more: int = _MORE

    def text(self, parsed: Sequence[tuple[Any, Any]]) -> str:
        """Return a string of these parts; OverflowError if they are too many."""
        self.left -= len(parsed)
        if self.left < 0:
            raise OverflowError
        return "".join(_PARTS[str(code)](argument, self) for code, argument in parsed if str(code) in _PARTS)


def string_matching(pattern: str, chance: random.Random, budget: WorkBudget, more: int = _MORE) -> str:
    """Return a string that a pattern matches; look-arounds are ignored.

    An open-ended part is repeated at most `more` times besides its minimum. The string is "" for a pattern that Python
    can't parse, and for one that asks for more than ten thousand parts. Raises `WorkBudgetError` if `budget` is not
    enough for it.
    """
    budget.spend("steps", len(pattern) // _CHARACTERS_A_STEP)
    builder = _StringBuilder(chance, {}, min(_MOST_PARTS, budget.left("steps") * _PARTS_A_STEP), more)
    before = builder.left
    try:
        parsed: Sequence[tuple[Any, Any]] = _PARSER.parse(pattern)
        return builder.text(parsed)
    except (re.error, OverflowError, RecursionError):
        return ""
    finally:
        budget.spend("steps", min(budget.left("steps"), -(-(before - builder.left) // _PARTS_A_STEP)))


def _group(argument: Any, builder: _StringBuilder) -> str:
    text = builder.text(argument[3])
    if argument[0] is not None:
        builder.groups[argument[0]] = text
    return text


def _repeat(argument: Any, builder: _StringBuilder) -> str:
    low, high, inner = argument
    count = builder.chance.randint(int(low), min(int(high), int(low) + builder.more))
    if count > builder.left:
        raise OverflowError
    return "".join(builder.text(inner) for _ in range(count))


#: Python's name of a part of a pattern -> the function that generates a string for it.
_PARTS: Mapping[str, Callable[[Any, _StringBuilder], str]] = {
    "LITERAL": lambda argument, _: chr(argument),
    "NOT_LITERAL": lambda argument, builder: builder.chance.choice([one for one in _PRINTABLE if one != chr(argument)]),
    "ANY": lambda _, builder: builder.chance.choice(_PRINTABLE),
    "IN": lambda argument, builder: builder.chance.choice(_members(argument)),
    "BRANCH": lambda argument, builder: builder.text(builder.chance.choice(argument[1])),
    "SUBPATTERN": _group,
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "POSSESSIVE_REPEAT": _repeat,
    "GROUPREF": lambda argument, builder: builder.groups.get(argument, ""),
    "ATOMIC_GROUP": lambda argument, builder: builder.text(argument),
}


def _members(items: Sequence[tuple[Any, Any]]) -> Sequence[str]:
    """Return the printable characters of a class, or those it names if none of them is printable."""
    return _printable(_class(items)) or [chr(argument) for code, argument in items if str(code) == "LITERAL"] or ["?"]


@lru_cache(256)
def _printable(expression: str) -> tuple[str, ...]:
    compiled = re.compile(expression)
    return tuple(character for character in _PRINTABLE if compiled.fullmatch(character))


def _class(items: Sequence[tuple[Any, Any]]) -> str:
    categories = {
        "DIGIT": r"\d",
        "NOT_DIGIT": r"\D",
        "SPACE": r"\s",
        "NOT_SPACE": r"\S",
        "WORD": r"\w",
        "NOT_WORD": r"\W",
    }
    if len(items) > _MOST_ITEMS:
        raise OverflowError
    text = ""
    for code, argument in items:
        match str(code):
            case "NEGATE":
                text += "^"
            case "LITERAL":
                text += re.escape(chr(argument))
            case "RANGE":
                text += f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
            case "CATEGORY":
                text += categories.get(str(argument).removeprefix("CATEGORY_"), "")
    return f"[{text}]"
