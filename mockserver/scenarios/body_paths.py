"""JSONPath queries on the body of a request, compiled when a rule is set. Source: RFC 9535.

The library is imported when the first rule has one. What could take more than linear time is refused: several filters
or `..`, regular expressions, absolute queries in a filter, and unions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent_contract.installation import missing

_MOST_TEXT = 500


class PathInvalid(ValueError):
    """A JSONPath query can't be used; the message is why, `remedy` what to do."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.remedy = remedy


def compile_path(text: str) -> Callable[[Any], list[Any]]:
    """Return a function that returns the values at a JSONPath in a body; raises `PathInvalid`."""
    try:
        from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathRecursionError
    except ImportError as error:
        raise PathInvalid(missing(error, "The condition body", "jsonpath"), "install it, or leave it out") from None
    environment = JSONPathEnvironment()
    for name in ("match", "search"):
        del environment.function_extensions[name]
    try:
        query = environment.compile(text)
    except (JSONPathError, RecursionError) as error:
        why = str(error).partition(", line ")[0]
        raise PathInvalid(f'"{text[:100]}" is not a JSONPath: {why}', "write one as in RFC 9535, such as $.n") from None
    if (
        len(text) > _MOST_TEXT
        or text.count("?") > 1
        or text.count("..") > 1
        or "$" in text[1:]
        or any(len(segment.selectors) > 1 for segment in query.segments)
    ):
        why = f'"{text[:100]}" could take too long'
        raise PathInvalid(
            why, "use at most one filter, one `..`, and no unions, several `$` or more than 500 characters"
        )

    def values(body: Any) -> list[Any]:
        try:
            return [node.value for node in query.finditer(body)]
        except JSONPathRecursionError:  # the body is nested deeper than a query looks
            return []

    return values


def same(wanted: Any, got: Any) -> bool:
    """Return whether two JSON values are equal: unlike in Python, true is not 1."""
    return isinstance(wanted, bool) is isinstance(got, bool) and bool(wanted == got)
