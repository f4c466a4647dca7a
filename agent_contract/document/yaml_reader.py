"""Reads YAML: plain JSON values, and the line on which each of them begins.

`reader` imports this module when it reads YAML, so a process that reads only JSON does not load PyYAML.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
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
    """A YAML loader with the scalars of YAML 1.2's core schema and unique keys.

    With `repeated`, the last value of a repeated key is read, and the key is added to that.
    """

    repeated: list[str] | None = None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be plain text", key.start_mark)
            if key.value in seen and self.repeated is not None:
                self.repeated.append(str(key.value))
            elif key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


def _integer(_: _Loader, node: yaml.ScalarNode) -> int:
    if len(node.value) > MAX_DIGITS:
        raise yaml.constructor.ConstructorError(None, None, TOO_MANY_DIGITS, node.start_mark)
    return int(node.value)


_Loader.yaml_implicit_resolvers = {}  # YAML 1.1's are not inherited
for _tag, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), _first)
# YAML 1.1 reads 010 as eight.
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


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
    # libyaml composes by recursion in C: without this check, deep nesting overflows its stack and ends the process.
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise syntax_error(_position(name, event.start_mark), f"is nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    loader = _Loader(text)
    loader.repeated = repeated
    try:
        value: JSON = loader.get_single_data()
    finally:
        loader.dispose()
    return value


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
