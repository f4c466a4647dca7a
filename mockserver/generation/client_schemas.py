"""JSON Schemas in requests: a cache of compiled schemas, and values sampled from them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from functools import partial

from agent_contract import JSON, ClientSchema, SchemaRefused, WorkBudget, WorkBudgetError, read_schema
from mockserver.generation.answer_strings import AnswerStrings

#: Size of the cache in bytes. An agent loop sends the same schemas in each request.
_CACHE_SIZE = 8 * 1024 * 1024


def admit_schema(value: JSON, most: int, budget: WorkBudget) -> None:
    """Check a schema, and take its cost from the `budget` of the request.

    Raises SchemaRefused if it can't be used, has more than `most` characters as JSON, or exceeds the budget.
    """
    text = to_json(value)
    if len(text) > most:
        raise SchemaRefused(f"it has {len(text)} characters, more than the limit of {most}")
    try:
        budget.spend("schema_characters", len(text))
        _CACHE.get(text, budget)
    except WorkBudgetError as error:
        raise SchemaRefused(str(error)) from None


def compile_schema(value: JSON) -> ClientSchema:
    """Return the compiled form of a schema that was admitted."""
    return _CACHE.get(to_json(value), WorkBudget())


def sample_value(schema: ClientSchema, said: str, seed: bytes, budget: WorkBudget) -> JSON:
    """Return a valid value, the same for the same message and seed; raises SampleError if none is found."""
    number = int.from_bytes(hashlib.blake2b(seed, digest_size=6).digest())
    return schema.sample(number, partial(AnswerStrings, said=said), budget)


def to_json(value: JSON) -> str:
    """Return a value as compact JSON; raises SchemaRefused if it is nested too deep."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise SchemaRefused("it is nested too deep") from None


class _Cache:
    """Compiled schemas by their JSON, at most `most` bytes; the least recently used one is evicted first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, ClientSchema] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str, budget: WorkBudget) -> ClientSchema:
        with self._lock:
            schema = self._kept.get(text)
            if schema:
                self._kept.move_to_end(text)
        if schema:
            budget.spend("pattern_bytes", schema.cost.pattern_bytes)
            return schema
        schema = read_schema(json.loads(text), budget)  # not under the lock, so that others don't wait
        with self._lock:
            if text not in self._kept:
                self._kept[text] = schema
                self._size += _size(text, schema)
            while self._size > self._most:
                self._size -= _size(*self._kept.popitem(last=False))
        return schema


def _size(text: str, schema: ClientSchema) -> int:
    """Return the estimated size of a compiled schema in bytes: values, validators and patterns."""
    return 20 * len(text) + schema.cost.pattern_bytes


_CACHE = _Cache(_CACHE_SIZE)
