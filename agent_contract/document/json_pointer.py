"""Places in a document of one or more files, and the JSON pointers that name them.

Source: RFC 6901, with section 6 for pointers that are URI fragments.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

from agent_contract.messages import JSON

#: The characters that a fragment may contain unencoded, by RFC 3986.
_FRAGMENT = "/!$&'()*+,;=:@?-._~"
_REMEMBERED = 4096


class Place(NamedTuple):
    """One value of a document: the file that holds it ("" is the document itself) and the keys that lead to it."""

    file: str
    tokens: tuple[str, ...]

    def __str__(self) -> str:
        """Return the pointer as a URI fragment, the file's name before it unless it is the document itself."""
        return self.file + "#" + "".join(f"/{_encode(token)}" for token in self.tokens)

    def child(self, *tokens: str | int) -> Place:
        """Return the place that these keys lead to from here."""
        return Place(self.file, (*self.tokens, *map(str, tokens)))

    @property
    def parent(self) -> Place:
        """Return the place that holds this one; the root holds itself."""
        return Place(self.file, self.tokens[:-1])


def parse(pointer: str) -> Place:
    """Return the place that a pointer such as `#/a~1b` or `other.yaml#/a` names, file names as they are written."""
    file, _, fragment = pointer.partition("#")
    return Place(file, tokens_of(fragment))


@lru_cache(_REMEMBERED)  # a document refers to the same places again and again
def tokens_of(fragment: str) -> tuple[str, ...]:
    """Return the keys of a percent-encoded pointer; ValueError if it is neither empty nor begins with a slash."""
    if fragment and not fragment.startswith("/"):
        raise ValueError(f"{fragment!r} is not a JSON pointer: it doesn't begin with '/'")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in unquote(fragment).split("/")[1:])


def look_up(value: JSON, tokens: Iterable[str]) -> JSON:
    """Return what these keys lead to; LookupError if one does not exist."""
    for token in tokens:
        if isinstance(value, dict):
            value = value[token]
        elif isinstance(value, list) and token.isascii() and token.isdigit():
            value = value[int(token)]
        else:
            raise KeyError(token)
    return value


@lru_cache(_REMEMBERED)
def _encode(token: str) -> str:
    return quote(token.replace("~", "~0").replace("/", "~1"), safe=_FRAGMENT)
