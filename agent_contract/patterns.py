"""Makes a text that a regular expression matches, by walking the expression as Python parses it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

#: How often an open-ended repetition is gone through at most, beyond what it must.
_MORE = 4
#: Python's own parser of patterns; its name is private, its work is not to be done twice.
_PARSER = import_module("re._parser")
_PRINTABLE = [chr(code) for code in range(32, 127)]


def text_of_pattern(pattern: str, source: random.Random) -> str:
    """Return a text that a pattern matches; "" for a pattern that Python can't parse. Look-arounds are passed over."""
    try:
        parsed: Sequence[tuple[Any, Any]] = _PARSER.parse(pattern)
    except re.error:
        return ""
    return _text(parsed, source, {})


def _text(parsed: Sequence[tuple[Any, Any]], source: random.Random, groups: dict[int, str]) -> str:
    return "".join(_PARTS[str(code)](argument, source, groups) for code, argument in parsed if str(code) in _PARTS)


def _group(argument: Any, source: random.Random, groups: dict[int, str]) -> str:
    text = _text(argument[3], source, groups)
    if argument[0] is not None:
        groups[argument[0]] = text
    return text


def _repeat(argument: Any, source: random.Random, groups: dict[int, str]) -> str:
    low, high, inner = argument
    count = source.randint(int(low), min(int(high), int(low) + _MORE))
    return "".join(_text(inner, source, groups) for _ in range(count))


#: What Python calls a part of a pattern -> what makes a text of it.
_PARTS: Mapping[str, Callable[[Any, random.Random, dict[int, str]], str]] = {
    "LITERAL": lambda argument, *_: chr(argument),
    "NOT_LITERAL": lambda argument, source, _: source.choice([one for one in _PRINTABLE if one != chr(argument)]),
    "ANY": lambda _, source, __: source.choice(_PRINTABLE),
    "IN": lambda argument, source, _: source.choice(_members(argument)),
    "BRANCH": lambda argument, source, groups: _text(source.choice(argument[1]), source, groups),
    "SUBPATTERN": _group,
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "POSSESSIVE_REPEAT": _repeat,
    "GROUPREF": lambda argument, _, groups: groups.get(argument, ""),
    "ATOMIC_GROUP": _text,
}


def _members(items: Sequence[tuple[Any, Any]]) -> list[str]:
    """Return the printable characters of a class, or those it names where none of them is printable."""
    expression = re.compile(_class(items))
    found = [character for character in _PRINTABLE if expression.fullmatch(character)]
    return found or [chr(argument) for code, argument in items if str(code) == "LITERAL"] or ["?"]


def _class(items: Sequence[tuple[Any, Any]]) -> str:
    categories = {
        "DIGIT": r"\d",
        "NOT_DIGIT": r"\D",
        "SPACE": r"\s",
        "NOT_SPACE": r"\S",
        "WORD": r"\w",
        "NOT_WORD": r"\W",
    }
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
