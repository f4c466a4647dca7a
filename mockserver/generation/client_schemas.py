"""JSON Schemas that a request carries: read once and remembered, and values made of them."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache, partial

from agent_contract import JSON, RawSchema, SchemaRefused, read_schema
from mockserver.generation.sample_texts import SpokenTexts

#: How many schemas stay compiled: the requests of an agent loop carry the same ones each time.
_REMEMBERED = 256


def compiled(value: JSON, most: int) -> RawSchema:
    """Return a schema, compiled; SchemaRefused where it can't be used or has more than `most` characters as JSON."""
    text = as_text(value)
    if len(text) > most:
        raise SchemaRefused(f"it has {len(text)} characters, and this server takes {most}")
    return _compiled(text)


def made(schema: RawSchema, said: str, seed: bytes) -> JSON:
    """Return a value that a schema accepts, the same for the same words and seed; SampleError when none is found."""
    number = int.from_bytes(hashlib.blake2b(seed, digest_size=6).digest())
    return schema.sample(number, partial(SpokenTexts, said=said))


def as_text(value: JSON) -> str:
    """Return a value as JSON without a space too many; SchemaRefused where it is nested too deep to be written."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise SchemaRefused("it is nested too deep") from None


@lru_cache(_REMEMBERED)
def _compiled(text: str) -> RawSchema:
    return read_schema(json.loads(text))
