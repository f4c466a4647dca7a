"""Finds the operation that a method and a path reach: a map compiled once, 404 and 405 told apart in one walk of it.

Source: OpenAPI 3.1.1, section 4.8.8.2 (path templating); RFC 9110, section 15.5.6 (405 and Allow).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, MapAdapter, RequestRedirect, Rule

from agent_contract.model.operations import Operation
from agent_contract.value_class import value_class

_NAME = re.compile(r"\{([^{}]*)\}")
#: How many paths are remembered, and the most characters of one with its method.
_REMEMBERED, _LONGEST = 1024, 256
#: In place of a literal "<", which begins a parameter for werkzeug.
_LESS_THAN = "\ue000"


@value_class(frozen=True, slots=True)
class Found:
    """The operation that a request reaches, and the text of its path's parameters."""

    operation: Operation
    parameters: Mapping[str, str]


@value_class(frozen=True, slots=True)
class NotAllowed:
    """A path that exists, with the methods that it takes."""

    allow: tuple[str, ...]


class Routes:
    """A compiled map of paths, which remembers the last ones it found. `less_than`: a path has a literal "<"."""

    def __init__(self, adapter: MapAdapter, less_than: bool) -> None:
        self.adapter = adapter
        self.less_than = less_than
        self._remembered = lru_cache(_REMEMBERED)(self._match)

    def find(self, method: str, path: str) -> Found | NotAllowed | None:
        """Return what a method and a decoded path reach; None if no path matches."""
        return (self._remembered if len(method) + len(path) <= _LONGEST else self._match)(method, path)

    def _match(self, method: str, path: str) -> Found | NotAllowed | None:
        if path.startswith("//"):  # the map would take it for one slash
            return None
        if self.less_than:
            path = path.replace("<", _LESS_THAN)
        try:
            endpoint, arguments = self.adapter.match(path, method)
        except MethodNotAllowed as refusal:
            return NotAllowed(tuple(sorted(refusal.valid_methods or ())))
        except (NotFound, RequestRedirect):
            return None
        operation, names = endpoint
        values: Iterable[str] = arguments.values()
        if self.less_than:
            values = [value.replace(_LESS_THAN, "<") for value in values]
        return Found(operation, dict(zip(names, values, strict=True)))


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
    routes = Map(strict_slashes=True, merge_slashes=False, redirect_defaults=False)
    for operation in operations:
        rule = Rule(
            _rule(operation.path), endpoint=(operation, tuple(names_in(operation.path))), methods=[operation.method]
        )
        if rule.methods and operation.method == "GET":
            rule.methods.discard("HEAD")  # the map adds it; it is an operation of its own here
        routes.add(rule)
    adapter = routes.bind("contract")
    adapter.map.update()
    return Routes(adapter, any(_LESS_THAN in rule.rule for rule in routes.iter_rules()))


def _rule(path: str) -> str:
    """Return a path as werkzeug writes it, its parameters numbered, since their names may be any text."""
    parts = _NAME.split(path)
    return "".join(f"<p{index // 2}>" if index % 2 else _literal(part) for index, part in enumerate(parts))


def _literal(part: str) -> str:
    return unquote(part).replace("<", _LESS_THAN)
