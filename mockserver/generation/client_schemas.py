"""JSON Schemas that a request carries: compiled once and remembered, and values made of them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from functools import partial

from agent_contract import JSON, Budget, BudgetError, ClientSchema, SchemaRefused, read_schema
from mockserver.generation.sample_texts import SpokenTexts

#: Bytes of schemas and their regular expressions that stay compiled: an agent loop sends the same ones each time.
_REMEMBERED = 8 * 1024 * 1024


def admit_schema(value: JSON, most: int, budget: Budget) -> None:
    """Count a schema in the `budget` of its request.

    SchemaRefused if it can't be used, has more than `most` characters as JSON, or costs more than is left.
    """
    text = to_json(value)
    if len(text) > most:
        raise SchemaRefused(f"it has {len(text)} characters, and this server takes {most}")
    try:
        budget.spend("schema_characters", len(text))
        _CACHE.get(text, budget)
    except BudgetError as error:
        raise SchemaRefused(str(error)) from None


def compile_schema(value: JSON) -> ClientSchema:
    """Return a schema that was admitted, compiled."""
    return _CACHE.get(to_json(value), Budget())


def sample_value(schema: ClientSchema, said: str, seed: bytes, budget: Budget) -> JSON:
    """Return a value that a schema accepts, the same for the same words and seed; SampleError if none is found."""
    number = int.from_bytes(hashlib.blake2b(seed, digest_size=6).digest())
    return schema.sample(number, partial(SpokenTexts, said=said), budget)


def to_json(value: JSON) -> str:
    """Return a value as JSON without needless spaces; SchemaRefused if it is nested too deep to be written."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise SchemaRefused("it is nested too deep") from None


class _Cache:
    """Compiled schemas by their JSON; the least recently used are evicted once they take more than `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, ClientSchema] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str, budget: Budget) -> ClientSchema:
        with self._lock:
            schema = self._kept.get(text)
            if schema:
                self._kept.move_to_end(text)
        if schema:
            budget.spend("pattern_bytes", schema.cost.pattern_bytes)
            return schema
        schema = read_schema(json.loads(text), budget)  # not under the lock: others don't wait for it
        with self._lock:
            if text not in self._kept:
                self._kept[text] = schema
                self._size += _size(text, schema)
            while self._size > self._most:
                self._size -= _size(*self._kept.popitem(last=False))
        return schema


def _size(text: str, schema: ClientSchema) -> int:
    """Return about how many bytes a compiled schema takes: the values it holds, its validators, its patterns."""
    return 20 * len(text) + schema.cost.pattern_bytes


_CACHE = _Cache(_REMEMBERED)
