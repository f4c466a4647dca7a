"""Whatever stands at any place of a document: it is read, or refused with a reason; nothing else is raised."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_contract import ContractError, load_contract
from agent_contract.lint import lint
from benchmarks.documents.small_documents import read_small_documents

DOCUMENTS = [yaml.safe_load(small.text.lstrip("\ufeff")) for small in read_small_documents()]
#: What is put at a place.
VALUES: tuple[Any, ...] = (
    *(None, [], {}, "", "x", 5, -1.5, True, [None], [{}], [[]], {"a": None}, ["a", "a"]),
    *({"$ref": "#/paths"}, {"$ref": 5}, {"$ref": "#"}, {"$ref": "#/components/schemas/Pet"}, {"x": {"$ref": "o.json"}}),
)
#: Fields that are added to an object.
NAMES = ("$ref", "type", "required", "properties", "items", "in", "schema", "examples", "parameters", "security")


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the keys that lead to each value below this one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*above, key)
        yield from _places(item, (*above, key))


def _damaged(chance: random.Random) -> Any:
    document = copy.deepcopy(chance.choice(DOCUMENTS))
    for _ in range(chance.choice((1, 1, 2, 3))):
        *keys, last = chance.choice(list(_places(document)) or [("openapi",)])
        holder = document
        for key in keys:
            holder = holder[key]
        name = chance.choice(NAMES) if isinstance(holder, dict) and chance.random() < 0.3 else last
        holder[name] = copy.deepcopy(chance.choice(VALUES))
    return document


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_document_is_read_or_refused(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "o.json"
    path.write_text(json.dumps(_damaged(random.Random(seed))), encoding="utf-8")
    for reader in (lambda: load_contract(path, strict=False), lambda: load_contract(path), lambda: lint(path)):
        with contextlib.suppress(ContractError):
            reader()
