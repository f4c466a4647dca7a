"""Reads one YAML or JSON file into plain JSON values, strictly.

Scalars follow YAML 1.2's JSON-like core, as OpenAPI asks (`on` and `2024-01-01` are strings); keys are the text
that was written (`200:` is "200"). A duplicate key is refused; most YAML parsers silently keep the last one.
"""

from __future__ import annotations

import json
import os
import re
import stat
from math import isfinite
from pathlib import Path
from typing import Any

from agent_contract.document.errors import Problem, UnreadableError, syntax_error
from agent_contract.document.file_limits import MAX_DEPTH, MAX_DIGITS, MAX_FILE_BYTES, MAX_VALUES, TOO_MANY_DIGITS
from agent_contract.messages import JSON

_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity')
_SURROGATE = re.compile("[\ud800-\udfff]")


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
    return decoded(read_bounded_file(path, name), name)


def decoded(content: bytes, name: str) -> str:
    """Return the text of UTF-8; UnreadableError if it is not that. Messages call it `name`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem, remedy = f"is not UTF-8 (byte {error.start})", "save it as UTF-8"
    raise UnreadableError([Problem(name, "#", problem, remedy)])


def parse_text(text: str, name: str, repeated: list[str] | None = None) -> JSON:
    """Return the value of a file's text; UnreadableError with line and column if it is not YAML or JSON.

    A key that is given twice is an error too; with `repeated`, its last value is read, and the key is added to that.
    """
    value = _parse_json(text, name, repeated) if name.endswith(".json") else _parse_yaml(text, name, repeated)
    fault = _unlike_json(value)
    if fault:
        raise syntax_error(name, fault)
    return value


def line_of(text: str, tokens: tuple[str, ...]) -> int | None:
    """Return the line, from 1, on which the key or item that these keys lead to begins; None if it is not known."""
    if text.startswith(("{", "[")):
        from agent_contract.document.json_lines import find_json_line

        line = find_json_line(text, tokens)
        if line is not None:
            return line
    from agent_contract.document.yaml_reader import find_line  # JSON is YAML

    return find_line(text, tokens)


def _parse_yaml(text: str, name: str, repeated: list[str] | None = None) -> JSON:
    from agent_contract.document.yaml_reader import parse_yaml

    return parse_yaml(text, name, repeated)


def _parse_json(text: str, name: str, repeated: list[str] | None = None) -> JSON:
    def unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
        value = dict(pairs)
        if len(value) < len(pairs):
            names = [key for key, _ in pairs]
            again = next(key for key in names if names.count(key) > 1)
            if repeated is None:
                raise ValueError(f"the key {again!r} is given twice")
            repeated.append(again)
        return value

    def constant(word: str) -> JSON:
        position = next(found.start() for found in _STRING_OR_CONSTANT.finditer(text) if found[0] == word)
        raise json.JSONDecodeError(f"{word} is not JSON", text, position)

    def integer(digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            raise ValueError(TOO_MANY_DIGITS)
        return int(digits)

    try:
        value: JSON = json.loads(text, object_pairs_hook=unique, parse_constant=constant, parse_int=integer)
    except json.JSONDecodeError as error:
        raise syntax_error(f"{name}:{error.lineno}:{error.colno}", error.msg) from None
    except (RecursionError, ValueError) as error:
        _parse_yaml(text, name)  # most JSON is YAML, whose parser knows the line of such a fault
        raise syntax_error(name, " ".join(str(error).split())) from None
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
