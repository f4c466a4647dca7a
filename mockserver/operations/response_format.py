"""The format of an answer's content: text, a JSON object, or a value of a JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_contract import SampleError, SchemaRefused
from agent_contract.printable import shorten
from mockserver.core.outcome import Rejection
from mockserver.generation.client_schemas import admit_schema, compile_schema, sample_value, to_json
from mockserver.generation.replies import opening
from mockserver.operations.chat_request import ChatRequest

_TYPES = ("text", "json_object", "json_schema")
_LOCATION = ("body", "response_format")
#: Maximum number of different values among the choices of a request.
_MAX_DIFFERENT = 8


def check_response_format(request: ChatRequest) -> None:
    """Refuse an unknown type, and a JSON Schema that is absent or can't be used."""
    wanted = request.body.get("response_format")
    if not wanted:
        return
    kind = wanted["type"]
    if kind not in _TYPES:
        why = f'The response_format "{shorten(kind)}" is not one of {", ".join(_TYPES)}.'
        raise Rejection(400, "response-format-unknown", why, (*_LOCATION, "type"), list(_TYPES), kind)
    if kind != "json_schema":
        return
    if not wanted.get("json_schema"):
        why = "response_format has the type json_schema, but no json_schema. Send json_schema with a name and a schema."
        raise Rejection(400, "", why, (*_LOCATION, "json_schema"))
    try:
        admit_schema(_schema(request), request.settings.limits.schema, request.budget)
    except SchemaRefused as error:
        why = f"The schema in response_format can't be used: {error}."
        raise Rejection(400, "", why, (*_LOCATION, "json_schema", "schema")) from None


def structured_contents(request: ChatRequest, said: str, seed: bytes, digests: Sequence[bytes]) -> list[str] | None:
    """Return the content of each choice in the requested format, None for plain text.

    `seed` identifies the conversation, each of `digests` a choice. Raises `Rejection` if no value of the schema is
    found.
    """
    kind = (request.body.get("response_format") or {}).get("type", "text")
    if kind == "json_object":
        return [to_json({"answer": opening(said, digest)}) for digest in digests]
    if kind != "json_schema":
        return None
    schema = compile_schema(_schema(request))
    count = len(digests)
    try:
        made = [
            to_json(sample_value(schema, said, seed + bytes([index]), request.budget))
            for index in range(min(count, _MAX_DIFFERENT))
        ]
    except SampleError as error:
        why = f"No value of the schema in response_format could be generated: {error}."
        raise Rejection(400, "", why, (*_LOCATION, "json_schema", "schema")) from None
    return [made[index % _MAX_DIFFERENT] for index in range(count)]


def wanted_schema_json(request: ChatRequest) -> tuple[str, ...]:
    """Return the JSON of the requested schema, which is a part of the prompt; nothing if there is none."""
    wanted = (request.body.get("response_format") or {}).get("json_schema")
    return (to_json(wanted),) if wanted else ()


def _schema(request: ChatRequest) -> dict[str, Any]:
    return request.body["response_format"]["json_schema"].get("schema") or {"type": "object"}
