"""Finds the operation that a method and a path reach: a tree of path segments, compiled once.

Source: OpenAPI 3.1.1, section 4.8.8.2 (path templating); RFC 9110, section 15.5.6 (405 and Allow).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

from agent_contract.model.operations import Operation
from agent_contract.model.parameters import Parameter
from agent_contract.value_class import value_class

Query: TypeAlias = tuple[tuple[str, str], ...]

_NAME = re.compile(r"\{([^{}]*)\}")
#: How many paths are remembered, and the most characters of one with its method.
_REMEMBERED, _LONGEST = 1024, 256
#: A segment is split at slashes already; one inside it was encoded.
_VALUE = "((?s:.)+)"


@value_class(frozen=True, slots=True)
class Found:
    """The operation that a request reaches, and the text of its path's parameters.

    `values` are the values of the operation's path parameters, which are its first ones; MISSING for an absent one.
    `variants` are the operations whose templates have a query, each with the query that leads to it.
    """

    operation: Operation
    parameters: Mapping[str, str]
    variants: tuple[tuple[Query, Found], ...] = ()
    values: tuple[Any, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(_values(self.operation.parameters, self.parameters)))

    def variant(self, query: Query) -> Found:
        """Return the operation that a query leads to: the first whose template's query is part of it, else this one."""
        sent = dict(query)
        for wanted, found in self.variants:
            if all(name in sent and (value == sent[name] or _NAME.fullmatch(value)) for name, value in wanted):
                return found
        return self


def _values(parameters: Iterable[Parameter], texts: Mapping[str, str]) -> Iterator[Any]:
    for parameter in parameters:
        if parameter.place == "path":
            yield parameter.read([texts[parameter.name]] if parameter.name in texts else [])


@value_class(frozen=True, slots=True)
class NotAllowed:
    """A path that exists, with the methods that it takes."""

    allow: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    """What follows a path's segments so far: literal segments, patterns with parameters, and what ends here by method.

    `ends` has each operation with the names of its parameters. Patterns with the most literal text come first.
    `variants` are the operations whose templates have a query, by method.
    """

    literals: dict[str, _Node] = field(default_factory=dict)
    patterns: dict[str, _Node] = field(default_factory=dict)
    ends: dict[str, tuple[Operation, tuple[str, ...]]] = field(default_factory=dict)
    ordered: list[tuple[re.Pattern[str], _Node]] = field(default_factory=list)
    variants: dict[str, list[tuple[Query, Operation, tuple[str, ...]]]] = field(default_factory=dict)


class Routes:
    """The paths of a document as a tree of segments, which remembers the last ones it found."""

    def __init__(self, root: _Node) -> None:
        self._root = root
        self._remembered = lru_cache(_REMEMBERED)(self._match)

    def find(self, method: str, path: str) -> Found | NotAllowed | None:
        """Return what a method and a decoded path reach; None if no path matches."""
        return (self._remembered if len(method) + len(path) <= _LONGEST else self._match)(method, path)

    def _match(self, method: str, path: str) -> Found | NotAllowed | None:
        return self.find_segments(method, path.split("/"))

    def find_segments(self, method: str, segments: Sequence[str]) -> Found | NotAllowed | None:
        """Return what a method and the decoded segments of a path reach; None if no path matches."""
        allowed: set[str] = set()
        for node, values in _matches(self._root, list(segments), ()):
            if method in node.ends:
                operation, names = node.ends[method]
                variants = tuple(
                    (query, Found(other, dict(zip(its_names, values, strict=True))))
                    for query, other, its_names in node.variants.get(method, ())
                )
                return Found(operation, dict(zip(names, values, strict=True)), variants)
            allowed.update(node.ends)
        return NotAllowed(tuple(sorted(allowed))) if allowed else None


def _matches(node: _Node, segments: list[str], values: tuple[str, ...]) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    """Yield the ends of the templates that match, with the values of their parameters; literal segments go first."""
    if not segments:
        yield node, values
        return
    first, rest = segments[0], segments[1:]
    if first in node.literals:
        yield from _matches(node.literals[first], rest, values)
    for pattern, below in node.ordered:
        if found := pattern.fullmatch(first):
            yield from _matches(below, rest, (*values, *found.groups()))


def names_in(template: str) -> list[str]:
    """Return the names of a path template's parameters, in order."""
    return _NAME.findall(template)


def alike(templates: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of templates that every path matches alike, such as `/a/{id}` and `/a/{name}`."""
    seen: dict[str, str] = {}
    for template in templates:
        shape = _NAME.sub("{}", unquote(template))
        if shape in seen:
            yield seen[shape], template
        seen[shape] = template


def compile_routes(operations: Iterable[Operation]) -> Routes:
    """Return the routes of operations; a literal path goes before a parameter, as OpenAPI asks."""
    root = _Node()
    for operation in operations:
        node = root
        path, query = without_query(operation.path)
        for segment in _segments(path):
            node = node.literals.setdefault(segment[0], _Node()) if len(segment) == 1 else _below(node, segment)
        end = operation, tuple(names_in(path))
        if query:
            node.variants.setdefault(operation.method, []).append((query, *end))
        if not query or operation.method not in node.ends:
            node.ends[operation.method] = end
    return Routes(root)


def without_query(template: str) -> tuple[str, Query]:
    """Return a template without its query and fragment, and the pairs of both, which a request's query must have."""
    path, _, fragment = template.partition("#")
    path, _, query = path.partition("?")
    return path, tuple(pair for part in (query, fragment) for pair in parse_qsl(part, keep_blank_values=True))


def _below(node: _Node, segment: list[str]) -> _Node:
    """Return the node after a segment with parameters; it is added if it is new."""
    pattern = _VALUE.join(re.escape(literal) for literal in segment)
    if pattern not in node.patterns:
        node.patterns[pattern] = _Node()
        ordered = sorted(node.patterns, key=lambda one: -len(one.replace(_VALUE, "")))
        node.ordered = [(re.compile(one), node.patterns[one]) for one in ordered]
    return node.patterns[pattern]


def _segments(path: str) -> list[list[str]]:
    """Return the segments of a path template, each as the literal text around its parameters."""
    segments = [[""]]
    for index, piece in enumerate(_NAME.split(path)):
        if index % 2:
            segments[-1].append("")
            continue
        first, *others = unquote(piece).split("/")
        segments[-1][-1] += first
        segments.extend([literal] for literal in others)
    return segments
