"""The form that a request wants the answer's content to have: a text, a JSON object, or what a JSON Schema accepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_contract import SampleError, SchemaRefused
from mockserver.core.behaviour import Refused
from mockserver.generation.client_schemas import admit_schema, compile_schema, sample_value, to_json
from mockserver.generation.replies import opening
from mockserver.generation.tokenizer import count_tokens
from mockserver.operations.chat_request import Asked, short
from mockserver.operations.tool_calls import Unanswerable

_TYPES = ("text", "json_object", "json_schema")
_WHERE = ("body", "response_format")
#: How many different values the choices of one request have.
_DIFFERENT = 8


def format_known(asked: Asked) -> Refused | None:
    """Refuse a type that nobody knows, and a JSON Schema that is absent or can't be used."""
    wanted = asked.body.get("response_format")
    if not wanted:
        return None
    kind = wanted["type"]
    if kind not in _TYPES:
        why = f'The response_format "{short(kind)}" is none of {", ".join(_TYPES)}.'
        return Refused(400, "response-format-unknown", why, (*_WHERE, "type"), list(_TYPES), kind)
    if kind != "json_schema":
        return None
    if not wanted.get("json_schema"):
        why = "The response_format json_schema lacks its json_schema: send a name and a schema in it."
        return Refused(400, "", why, (*_WHERE, "json_schema"))
    try:
        admit_schema(_schema(asked), asked.setting.limits.schema, asked.budget)
    except SchemaRefused as error:
        why = f"The schema in response_format can't be used: {error}."
        return Refused(400, "", why, (*_WHERE, "json_schema", "schema"))
    return None


def structured_contents(asked: Asked, said: str, seed: bytes, digests: Sequence[bytes]) -> list[str] | None:
    """Return the content of each choice in the wanted form, None if any text will do.

    `seed` stands for the conversation, each of `digests` for a choice. Unanswerable if no value of the schema is found.
    """
    kind = (asked.body.get("response_format") or {}).get("type", "text")
    if kind == "json_object":
        return [to_json({"answer": opening(said, digest)}) for digest in digests]
    if kind != "json_schema":
        return None
    schema = compile_schema(_schema(asked))
    count = len(digests)
    try:
        made = [
            to_json(sample_value(schema, said, seed + bytes([index]), asked.budget))
            for index in range(min(count, _DIFFERENT))
        ]
    except SampleError as error:
        why = f"No content that the schema in response_format accepts was found: {error}."
        raise Unanswerable(Refused(400, "", why, (*_WHERE, "json_schema", "schema"))) from None
    return [made[index % _DIFFERENT] for index in range(count)]


def tokens_of_format(asked: Asked) -> int:
    """Return what the wanted form counts in the prompt: its schema as the text that it is."""
    wanted = (asked.body.get("response_format") or {}).get("json_schema")
    return count_tokens(to_json(wanted)) if wanted else 0


def _schema(asked: Asked) -> dict[str, Any]:
    return asked.body["response_format"]["json_schema"].get("schema") or {"type": "object"}
