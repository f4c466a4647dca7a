"""Reads one YAML or JSON file into plain JSON values, strictly.

Scalars follow YAML 1.2's JSON-like core, as OpenAPI asks (`on` and `2024-01-01` are strings); keys are the text
that was written (`200:` is "200"). A duplicate key is refused; most YAML parsers silently keep the last one.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Hashable
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from agent_contract.document.errors import Problem, UnreadableError
from agent_contract.messages import JSON

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

#: The values of one file. Nested aliases multiply, so a short file can exceed this.
MAX_VALUES = 1_000_000
MAX_DEPTH = 200
#: Most digits of an integer. Python's own limit is 4300, because parsing takes quadratic time.
MAX_DIGITS = 400
_TOO_LONG = f"an integer has more than {MAX_DIGITS} digits"
#: Bytes of one file; the largest published API descriptions have 40 MB.
MAX_FILE_BYTES = 64 * 1024 * 1024

_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity')
_SURROGATE = re.compile("[\ud800-\udfff]")

_CORE = (
    ("tag:yaml.org,2002:null", r"^(?:null|Null|NULL|~|)$", ["n", "N", "~", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("tag:yaml.org,2002:merge", r"^<<$", ["<"]),
)


class _Loader(_SafeLoader):
    """A YAML loader with the scalars of YAML 1.2's core schema and unique keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be plain text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


def _integer(_: _Loader, node: yaml.ScalarNode) -> int:
    if len(node.value) > MAX_DIGITS:
        raise yaml.constructor.ConstructorError(None, None, _TOO_LONG, node.start_mark)
    return int(node.value)


_Loader.yaml_implicit_resolvers = {}  # YAML 1.1's are not inherited
for _tag, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), _first)
# YAML 1.1 reads 010 as eight.
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def read_bounded_file(path: Path, name: str, most: int = MAX_FILE_BYTES) -> bytes:
    """Return the bytes of a regular file of at most `most` bytes; UnreadableError for anything else.

    `name` is what messages call the file. A device or a pipe is refused before it is read: `/dev/zero` never ends, and
    a pipe that no process writes to blocks.
    """
    try:
        # Without O_NONBLOCK, opening a pipe waits for its writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                with open(descriptor, "rb", closefd=False) as file:
                    content = file.read(most + 1)
            else:
                raise OSError(0, "it is not a regular file")
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        problem = f"can't be read: {getattr(error, 'strerror', None) or error}"
        remedy = "name a regular file that exists and may be read"
        raise UnreadableError([Problem(name, "#", problem, remedy)]) from None
    if len(content) > most:
        problem = f"has more than {most // 1024**2} MiB" if most >= 1024**2 else f"has more than {most} bytes"
        raise UnreadableError([Problem(name, "#", f"{problem}, the most that is read", "name a smaller file")])
    return content


def read_text(path: Path, name: str) -> str:
    """Return a file's text; UnreadableError if it can't be read. Messages call it `name`."""
    try:
        return read_bounded_file(path, name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem, remedy = f"is not UTF-8 (byte {error.start})", "save it as UTF-8"
    raise UnreadableError([Problem(name, "#", problem, remedy)])


def parse_text(text: str, name: str) -> JSON:
    """Return the value of a file's text; UnreadableError with line and column if it is not YAML or JSON."""
    try:
        value = _parse_json(text, name) if name.endswith(".json") else _parse_yaml(text, name)
    except json.JSONDecodeError as error:
        raise _syntax(f"{name}:{error.lineno}:{error.colno}", error.msg) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _syntax(_position(name, mark), error.problem or error.context or "is not YAML") from None
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore").split("\n")
        raise _syntax(f"{name}:{len(before)}:{len(before[-1]) + 1}", error.reason) from None
    except (RecursionError, TypeError, ValueError, yaml.YAMLError) as error:
        raise _syntax(name, " ".join(str(error).split())) from None
    fault = _unlike_json(value)
    if fault:
        raise _syntax(name, fault)
    return value


def _position(name: str, mark: Any) -> str:
    """Return file, line and column of a YAML mark; PyYAML has two classes of them."""
    return f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name


def _syntax(place: str, problem: str) -> UnreadableError:
    return UnreadableError([Problem(place, "#", problem, "correct the file's syntax there")])


def _parse_yaml(text: str, name: str) -> JSON:
    # libyaml composes by recursion in C: without this check, deep nesting overflows its stack and ends the process.
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _syntax(_position(name, event.start_mark), f"is nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    value: JSON = yaml.load(text, _Loader)
    return value


def _parse_json(text: str, name: str) -> JSON:
    def unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
        value = dict(pairs)
        if len(value) < len(pairs):
            names = [key for key, _ in pairs]
            repeated = next(key for key in names if names.count(key) > 1)
            raise ValueError(f"the key {repeated!r} is given twice")
        return value

    def constant(word: str) -> JSON:
        position = next(found.start() for found in _STRING_OR_CONSTANT.finditer(text) if found[0] == word)
        raise json.JSONDecodeError(f"{word} is not JSON", text, position)

    def integer(digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            raise ValueError(_TOO_LONG)
        return int(digits)

    try:
        value: JSON = json.loads(text, object_pairs_hook=unique, parse_constant=constant, parse_int=integer)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError):
        _parse_yaml(text, name)  # most JSON is YAML, whose parser knows the line of such a fault
        raise
    return value


def _unlike_json(value: Any) -> str:
    """Return why a value is not JSON or is too large, else ""; walks without recursion, so cycles end."""
    level, values, depth = [value], 0, 0
    while level:
        depth, values = depth + 1, values + len(level)
        if depth > MAX_DEPTH or values > MAX_VALUES:
            return f"is nested deeper than {MAX_DEPTH} levels, holds more than {MAX_VALUES} values, or holds itself"
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
                below.extend(key for key in item if not key.isascii())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str):
                if _SURROGATE.search(item):
                    return f"holds half a character, {item[:40]!r}: a surrogate without its other half"
            elif isinstance(item, float) and not isfinite(item):
                return "holds a number that is too large for a double"
            elif not (item is None or isinstance(item, (bool, int, float))):
                return f"holds a {type(item).__name__}, which JSON has not"
        level = below
    return ""


@lru_cache(maxsize=8)
def _composed(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, _Loader)  # type: ignore[no-any-return,unused-ignore]
    except yaml.YAMLError:
        return None


def line_of(text: str, tokens: tuple[str, ...]) -> int | None:
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
