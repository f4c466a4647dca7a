"""Strings that must meet several demands at once: patterns, formats, and lengths."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from agent_contract.document.json_pointer import Place
from agent_contract.sampling.demands import Contradiction
from agent_contract.sampling.regex import string_matching
from agent_contract.sampling.sampler import SampleSource

_NOWHERE = Place("", ())
#: How many strings of each kind are tried.
_TRIES = 40
#: Parts of regular expressions that Python writes differently, and what it writes.
_DIALECT: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(written), python)
    for written, python in (
        (r"\\p\{(?:Lu|Uppercase)\}", "[A-Z]"),
        (r"\\p\{(?:Ll|Lowercase)\}", "[a-z]"),
        (r"\\p\{(?:L|Letter|Alpha|Alphabetic|L&|LC)\}|\\pL", "[A-Za-z]"),
        (r"\\p\{(?:N|Nd|Number|Digit)\}|\\pN", "[0-9]"),
        (r"\\p\{(?:P|Punctuation)\}|\\pP", "[-.,]"),
        (r"\\p\{(?:S|Symbol)[a-z]?\}", "[+=]"),
        (r"\\p\{(?:Z|Zs|Separator)\}", " "),
        (r"\\p\{(?:M|Mn|Mark)\}", "[A-Za-z]"),
        (r"\\[pP]\{[^}]*\}", "[A-Za-z]"),
        (r"\(\?<([A-Za-z_]\w*)>", r"(?P<\1>"),
        (r"\\k<([A-Za-z_]\w*)>", r"(?P=\1)"),
        (r"\\u\{([0-9A-Fa-f]{4})\}|\\x\{([0-9A-Fa-f]{4})\}", r"\\u\1\2"),
        (r"\\[zZ](?![\w])", r"\\Z"),
        (r"\[:alnum:\]", "A-Za-z0-9"),
        (r"\[:alpha:\]", "A-Za-z"),
        (r"\[:digit:\]", "0-9"),
        (r"\\h", " "),
    )
)
#: Inside brackets a replacement loses its own.
_NESTED = re.compile(r"(?<!\\)\[((?:\\.|[^\\\]\[])*)(?<!\\)\[((?:\\.|[^\\\]])+)\]")


def string_meeting(
    source: SampleSource,
    name: str,
    patterns: Sequence[str],
    formats: Sequence[str],
    least: int = 0,
    most: int | None = None,
    accepts: Callable[[str], bool] = lambda _: True,
) -> str:
    """Return a string with at least `least` and at most `most` characters that `accepts` returns true for.

    Raises Contradiction if none is found.
    """
    for text in _candidates(source, name, patterns, formats, least, most):
        source.spend(_NOWHERE, 1, len(text))
        if len(text) >= least and (most is None or len(text) <= most) and accepts(text):
            return text
    demand = " and ".join([*(f"the pattern {one!r}" for one in patterns), *(f"the format {one!r}" for one in formats)])
    limit = f" of {least} to {'any number of' if most is None else most} characters"
    raise Contradiction(f"no string{limit} was found for {demand or 'the schema'}")


def _candidates(
    source: SampleSource, name: str, patterns: Sequence[str], formats: Sequence[str], least: int, most: int | None
) -> Iterator[str]:
    """Yield strings that are likely to be accepted, the most natural first."""
    if not patterns:
        yield from _natural(source, name, formats, least, most)
    for pattern in sorted(patterns, key=len, reverse=True):
        python = in_python(pattern)
        for attempt in range(_TRIES):
            # Longer and longer repetitions, until the string is long enough.
            text = string_matching(python, source.random, source.budget, 4 if attempt < 8 else max(4, least))
            yield text
            yield _lengthened(text, least)
        yield from _by_classes(source, least, most)
    for format in formats:
        for _ in range(_TRIES if patterns else 4):
            yield source.strings.string_for(format, name)


def _natural(source: SampleSource, name: str, formats: Sequence[str], least: int, most: int | None) -> Iterator[str]:
    for format in formats or ("",):
        text = source.strings.string_for(format, name)
        yield text
        yield text[:most] if most is not None else text
        while len(text) < least and len(text) < 2_000_000:
            text += " " + source.strings.sentence()
        yield text
        yield text[: max(least, 1)] if most is None else text[:most]
        yield text.replace(" ", "").replace(".", "")[: most or None]
    yield ""


def _lengthened(text: str, least: int) -> str:
    """Return a string with its last character repeated."""
    return text + text[-1:] * (least - len(text))


def _by_classes(source: SampleSource, least: int, most: int | None) -> Iterator[str]:
    """Yield strings with a letter of each case, a digit and a sign: what look-aheads for passwords want."""
    length = max(least, min(12, most or 12))
    for _ in range(4):
        text = "".join(source.random.choice(kind) for kind in ("abcdefgh", "ABCDEFGH", "0123456789", "!@#$%&*-_"))
        rest = "".join(source.random.choice("abcdefghABCDEFGH0123456789") for _ in range(max(0, length - 4)))
        yield (text + rest)[: most or None]
        yield (rest + text)[: most or None]


@lru_cache(1024)
def in_python(pattern: str) -> str:
    """Return a regular expression of ECMAScript or PCRE as Python writes it, as far as a string can be made from it."""
    for expression, python in _DIALECT:
        pattern = expression.sub(python, pattern)
    before = None
    while before != pattern:
        before, pattern = pattern, _NESTED.sub(r"[\1\2", pattern)
    return pattern
