"""Reads YAML: plain JSON values, and the line on which each of them begins.

`reader` imports this module when it reads YAML, so a process that reads only JSON does not load PyYAML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from agent_contract.document.errors import syntax_error
from agent_contract.document.file_limits import MAX_DEPTH, MAX_DIGITS, TOO_MANY_DIGITS
from agent_contract.messages import JSON

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

_CORE = (
    ("tag:yaml.org,2002:null", r"^(?:null|Null|NULL|~|)$", ["n", "N", "~", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("tag:yaml.org,2002:merge", r"^<<$", ["<"]),
)


class _Loader(_SafeLoader):
    """A YAML loader with the scalars of YAML 1.2's core schema; YAML 1.1's are not inherited."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), _first)
_MERGE = "tag:yaml.org,2002:merge"
_STRING = "tag:yaml.org,2002:str"
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!", None)


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(TOO_MANY_DIGITS)
    return int(text)  # YAML 1.1 reads 010 as eight


_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": _integer,
    "tag:yaml.org,2002:float": float,
    _MERGE: str,
    _STRING: str,
}
_RESOLVERS: dict[str, list[tuple[str, re.Pattern[str]]]] = _Loader.yaml_implicit_resolvers


@dataclass(slots=True)
class _Open:
    """A list or a map whose end was not read yet; `key` is the one that waits for its value in a map."""

    value: Any
    key: str | None = None
    is_merge: bool = False
    merged: list[dict[str, JSON]] = field(default_factory=list)


class _Builder:
    """Makes the value of a stream of events.

    PyYAML makes a tree of nodes first, which takes six times as long as the events themselves.
    """

    def __init__(self, name: str, repeated: list[str] | None) -> None:
        self._name = name
        self._repeated = repeated
        self._open: list[_Open] = []
        #: The values by their anchor, each with its text if it is a scalar.
        self._anchors: dict[str, tuple[Any, str | None]] = {}
        self._documents = 0
        self.value: JSON = None

    def read(self, events: Iterable[yaml.Event]) -> JSON:
        """Return the value of the one document of the stream, None if there is none."""
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._begin(event, {} if kind is yaml.MappingStartEvent else [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._end()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._documents += 1
                if self._documents > 1:
                    raise _error("expected a single document, but found another", event)
        return self.value

    def _scalar(self, event: Any) -> None:
        text = event.value
        tag = event.tag
        if tag is None or tag == "!":
            tag = _implicit_tag(text) if event.implicit[0] else _STRING
        reader = _SCALARS.get(tag)
        if reader is None:
            raise _error(f"could not determine a constructor for the tag {tag!r}", event)
        try:
            value = reader(text)
        except ValueError as error:
            raise _error(str(error), event) from None
        if event.anchor is not None:
            self._anchors[event.anchor] = value, text
        self._put(value, text, event, is_merge=tag == _MERGE)

    def _begin(self, event: Any, value: Any) -> None:
        if event.tag not in _COLLECTIONS:
            raise _error(f"could not determine a constructor for the tag {event.tag!r}", event)
        if len(self._open) >= MAX_DEPTH:
            raise syntax_error(_position(self._name, event.start_mark), f"is nested deeper than {MAX_DEPTH} levels")
        if event.anchor is not None:
            self._anchors[event.anchor] = value, None
        self._put(value, None, event)
        self._open.append(_Open(value))

    def _end(self) -> None:
        ended = self._open.pop()
        if ended.merged:
            own = dict(ended.value)
            ended.value.clear()
            for merged in reversed(ended.merged):
                ended.value.update(merged)
            ended.value.update(own)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise _error(f"found undefined alias {event.anchor!r}", event)
        self._put(*self._anchors[event.anchor], event)

    def _put(self, value: Any, text: str | None, event: Any, *, is_merge: bool = False) -> None:
        """Put a value where it belongs; `text` is that of a scalar, which may be a key."""
        if not self._open:
            self.value = value
            return
        holder = self._open[-1]
        if isinstance(holder.value, list):
            holder.value.append(value)
        elif holder.key is None:
            if text is None:
                raise _error("a key must be plain text", event)
            holder.key, holder.is_merge = text, is_merge
        elif holder.is_merge:
            holder.merged.extend(_mergeable(value, event))
            holder.key, holder.is_merge = None, False
        else:
            holder.value[holder.key] = value
            holder.key = None
            return
        if isinstance(holder.value, dict) and holder.key is not None and holder.key in holder.value:
            if self._repeated is None:
                raise _error(f"the key {holder.key!r} is given twice", event)
            self._repeated.append(holder.key)


def _mergeable(value: Any, event: Any) -> list[dict[str, JSON]]:
    """Return the maps that a merge key adds."""
    several = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in several):
        raise _error("expected a mapping or list of mappings for merging", event)
    return several


def _implicit_tag(text: str) -> str:
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            return tag
    return _STRING


def _error(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, event.start_mark)


def parse_yaml(text: str, name: str, repeated: list[str] | None = None) -> JSON:
    """Return the value of YAML text; UnreadableError with line and column if it is not YAML.

    A repeated key is an error too; with `repeated`, its last value is read, and the key is added to that.
    """
    try:
        return _parse(text, name, repeated)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise syntax_error(_position(name, mark), error.problem or error.context or "is not YAML") from None
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore").split("\n")
        raise syntax_error(f"{name}:{len(before)}:{len(before[-1]) + 1}", error.reason) from None
    except (RecursionError, TypeError, ValueError, yaml.YAMLError) as error:
        raise syntax_error(name, " ".join(str(error).split())) from None


def _parse(text: str, name: str, repeated: list[str] | None) -> JSON:
    return _Builder(name, repeated).read(yaml.parse(text, _Loader))


def _position(name: str, mark: Any) -> str:
    """Return file, line and column of a YAML mark; PyYAML has two classes of them."""
    return f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name


@lru_cache(maxsize=8)
def _composed(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, _Loader)  # type: ignore[no-any-return,unused-ignore]
    except yaml.YAMLError:
        return None


def find_line(text: str, tokens: tuple[str, ...]) -> int | None:
    """Return the line, from 1, on which the key or item that these keys lead to begins; None if it is not known."""
    node = _composed(text)
    line = 1 if node else None
    for token in tokens:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == token), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and token.isdigit() and int(token) < len(node.value):
            node = node.value[int(token)]
            line = node.start_mark.line + 1
        else:
            return line
    return line
