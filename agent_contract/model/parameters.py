"""Reads path, query, header and cookie parameters from their text, by the style that the document gives them.

Source: OpenAPI 3.1.1, section 4.8.12.6 (style values).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON
from agent_contract.model.schemas import Validator

#: The value of a parameter that was not sent.
MISSING: Final[Any] = object()

#: The words that pydantic reads as a boolean, in any case.
BOOLEANS: Mapping[str, bool] = {
    **dict.fromkeys(("1", "on", "t", "true", "y", "yes"), True),
    **dict.fromkeys(("0", "off", "f", "false", "n", "no"), False),
}

_INTEGER = re.compile(r"-?[0-9]{1,4000}")
_NUMBER = re.compile(r"-?[0-9]{1,4000}(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")

#: Where parameters are sent, in the order in which FastAPI reports them, with the default style of each.
STYLES: Mapping[str, str] = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_SEPARATORS: Mapping[str, str] = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True, slots=True)
class Shape:
    """The types that a parameter's text is converted to: of the value, of its items, and of its properties."""

    types: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    properties: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """One parameter of an operation; `place` is `path`, `query`, `header` or `cookie`.

    `default` is the default of its schema, `example` its documented example; MISSING for none.
    """

    name: str
    place: str
    required: bool
    pointer: str
    style: str
    explode: bool
    shape: Shape
    schema: Place | None
    validator: Validator | None
    json: bool = False
    default: JSON = MISSING
    example: JSON = MISSING

    @property
    def where(self) -> tuple[str, str]:
        """The location of its violations: `("query", "limit")`."""
        return (self.place, self.name)

    def read(self, texts: Sequence[str]) -> JSON:
        """Return the value of the strings that were sent, one for each time; MISSING without any."""
        if not texts:
            return MISSING  # type: ignore[no-any-return]
        if self.json:
            return _json(texts[-1])
        if "array" in self.shape.types:
            return [scalar(text, self.shape.items) for text in self._split(texts)]
        if "object" in self.shape.types:
            return self._object(texts[-1])
        return scalar(self._bare(texts[-1]), self.shape.types)

    def read_properties(self, query: Sequence[tuple[str, str]]) -> JSON:
        """Return an object that is spread over a query: `filter[name]=a` (deepObject), or its properties by name."""
        properties = self.shape.properties or {}
        if self.style == "deepObject":
            prefix = self.name + "["
            pairs = [(key[len(prefix) : -1], text) for key, text in query if key.startswith(prefix) and key[-1] == "]"]
            pairs = [(key, text) for key, text in pairs if "]" not in key]  # not deeper ones
        else:
            pairs = [(key, text) for key, text in query if key in properties]
        return {key: scalar(text, properties.get(key, ())) for key, text in pairs} or MISSING

    @property
    def spread(self) -> bool:
        """Whether it is an object whose properties are separate parameters of the query."""
        return "object" in self.shape.types and self.place == "query" and self.explode and not self.json

    def _bare(self, text: str) -> str:
        if self.style == "label":
            return text.removeprefix(".")
        return text.removeprefix(f";{self.name}=") if self.style == "matrix" else text

    def _split(self, texts: Sequence[str]) -> list[str]:
        if self.place in ("query", "cookie") and self.explode:
            return list(texts)
        text = self._bare(texts[-1])
        if self.place == "header":  # RFC 9110, section 5.6.1: white space around commas is optional
            return [part.strip() for part in text.split(",")] if text else []
        if self.explode and self.style in ("label", "matrix"):
            return text.split({"label": ".", "matrix": f";{self.name}="}[self.style])
        return text.split(_SEPARATORS.get(self.style, ",")) if text else []

    def _object(self, text: str) -> JSON:
        parts = self._bare(text).split(_SEPARATORS.get(self.style, ","))
        pairs = (
            [part.partition("=")[::2] for part in parts]
            if self.explode
            else list(zip(parts[::2], parts[1::2], strict=False))
        )
        properties = self.shape.properties or {}
        return {key: scalar(value, properties.get(key, ())) for key, value in pairs}


def scalar(text: str, types: Sequence[str]) -> JSON:
    """Return the text as a value of the first of these types that fits, or the text itself if none does."""
    for kind in types:
        value: JSON = _READERS[kind](text) if kind in _READERS else MISSING
        if value is not MISSING:
            return value
    # jsonschema-rs takes text that UTF-8 can encode.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _integer(text: str) -> Any:
    return int(text) if _INTEGER.fullmatch(text) else MISSING


def _number(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return MISSING
    value = float(text)
    return value if abs(value) != float("inf") else MISSING


def _boolean(text: str) -> Any:
    return BOOLEANS.get(text.lower(), MISSING)


def _null(text: str) -> Any:
    return None if text == "null" else MISSING


def _json(text: str) -> JSON:
    try:
        return orjson.loads(text)  # type: ignore[no-any-return]
    except ValueError:
        return scalar(text, ())


_READERS: Mapping[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
}
