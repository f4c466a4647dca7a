"""Reads forms: `application/x-www-form-urlencoded` and `multipart/form-data`.

Source: OpenAPI 3.1.1, sections 4.8.14 and 4.8.15 (media type and encoding objects); RFC 7578.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from agent_contract.document.json_pointer import parse
from agent_contract.messages import JSON
from agent_contract.model.operations import MediaType
from agent_contract.model.schemas import Schemas
from agent_contract.validation.coercion import coerce, form_of
from agent_contract.validation.json_body import BodyProblem
from agent_contract.validation.nested_pairs import nest

#: What separates the items of an array in one string, by style.
_SEPARATORS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


class FormFile(NamedTuple):
    """A file of a form: its name, its media type as it was sent, and its content."""

    name: str
    media_type: str
    content: bytes


def read_form(schemas: Schemas, media: MediaType, body: bytes) -> JSON:
    """Return the value of a URL-encoded form, its strings converted to the types of the schema."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return _typed(schemas, media, nest(_without_dots(schemas, media, pairs)))


def _without_dots(schemas: Schemas, media: MediaType, pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a form, `address.zip` as `address[zip]` if the schema has an object `address`."""
    properties = form_of(schemas, media.schema).properties if media.schema else {}
    for name, text in pairs:
        first, *rest = name.split(".")
        place = properties.get(first) if rest and name not in properties else None
        if place is not None and "object" in form_of(schemas, place).types:
            yield first + "".join(f"[{key}]" for key in rest), text
        else:
            yield name, text


def read_multipart(schemas: Schemas, media: MediaType, content_type: str, body: bytes) -> JSON | BodyProblem:
    """Return the value of a multipart form; a file is the text of its content, a part that is JSON its value."""
    pairs: list[tuple[str, str]] = []
    parsed: dict[str, list[JSON]] = {}
    try:
        for name, _, kind, content in _parts(content_type, body):
            if kind.startswith("application/json") and name:
                parsed.setdefault(name.removesuffix("[]"), []).append(orjson.loads(content))
            else:
                pairs.append((name, content.decode("utf-8", "replace")))
    except ValueError as error:
        return BodyProblem(400, f"There was an error parsing the body: {error}", "multipart")
    value: Any = _typed(schemas, media, nest(pairs))
    form = form_of(schemas, media.schema) if media.schema else None
    for name, several in parsed.items():
        place = form.properties.get(name) if form else None
        is_list = place is not None and "array" in form_of(schemas, place).types
        value[name] = several if is_list and not isinstance(several[0], list) else several[-1]
    return value  # type: ignore[no-any-return]


def _typed(schemas: Schemas, media: MediaType, values: Mapping[str, Any]) -> JSON:
    if media.schema is None:
        return dict(values)
    form, encoding = form_of(schemas, media.schema), _encoding(schemas, media)
    typed: dict[str, JSON] = {}
    for name, value in values.items():
        place = form.properties.get(name, form.rest)
        described = encoding.get(name)
        settings: Mapping[str, Any] = described if isinstance(described, dict) else {}
        explodes = settings.get("explode", settings.get("style", "form") == "form")
        separator = "" if explodes else _SEPARATORS.get(str(settings.get("style", "form")), ",")
        typed[name] = coerce(schemas, place, value, separator)
    return typed


def _encoding(schemas: Schemas, media: MediaType) -> Mapping[str, Any]:
    described = schemas.document.at(parse(media.pointer))
    found = described.get("encoding") if isinstance(described, dict) else None
    return found if isinstance(found, dict) else {}


def multipart_parts(content_type: str, body: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield the name, the media type and the content of each part; raises ValueError if the body is not multipart."""
    return ((name, kind, content) for name, _, kind, content in _parts(content_type, body))


def form_file(content_type: str, body: bytes, name: str) -> FormFile | None:
    """Return the first file of a multipart form under this name, None without one; ValueError for another body."""
    for part, file_name, kind, content in _parts(content_type, body):
        if part == name and file_name is not None:
            return FormFile(file_name, kind, content)
    return None


def _parts(content_type: str, body: bytes) -> Iterator[tuple[str, str | None, str, bytes]]:
    """Yield name, name of the file, media type and content of each part; ValueError for a body that is not multipart.

    The name of the file is None for a part that is not a file.
    """
    # Imported late: most servers never receive a multipart body, and werkzeug takes 40 ms to import.
    from werkzeug.http import parse_options_header
    from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise ValueError("the content type has no boundary")
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), max_form_memory_size=None, max_parts=10_000)
    decoder.receive_data(body)
    decoder.receive_data(None)
    name, file_name, kind, content = "", None, "", bytearray()
    while True:
        event = decoder.next_event()
        if isinstance(event, (Field, File)):
            file_name = event.filename if isinstance(event, File) else None
            name, kind, content = event.name or "", event.headers.get("content-type", ""), bytearray()
        elif isinstance(event, Data):
            content += event.data
            if not event.more_data:
                yield name, file_name, kind.lower(), bytes(content)
        elif isinstance(event, (Epilogue, NeedData)):
            return
