"""Whatever is wrong with a document, the answer is a list of problems, never a traceback."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest

from agent_contract import ContractError, find_document
from agent_contract.contract import compile_contract
from agent_contract.document.document import Document, read_document
from agent_contract.lint import lint

#: What stands in the place of a value: each kind of JSON, and what has a meaning somewhere.
POOL: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, "", "x", [], {}, [None], {"a": None}, [[]], [{}], {"": {}}, "#/components", "3.0.0"),
    *({"$ref": "#/components/schemas/ChatMessage"}, {"$ref": "#"}, {"$ref": ""}, {"$ref": 1}, {"$ref": "#/a~"}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in items for found in ((*path, key), *places(item, (*path, key)))]


def changed(document: Any, source: random.Random) -> Any:
    """Return a copy of a document in which one value is another one, or is gone."""
    copied = copy.deepcopy(document)
    *path, last = source.choice(places(copied))
    holder = copied
    for key in path:
        holder = holder[key]
    if source.random() < 0.25:
        del holder[last]
    else:
        holder[last] = copy.deepcopy(source.choice(POOL))
    return copied


@pytest.mark.parametrize("seed", range(8))
def test_a_document_with_one_value_changed_is_compiled_or_refused_with_reasons(seed: int) -> None:
    source = random.Random(seed)
    original = read_document(find_document())
    for _ in range(12):
        document = Document(original.path, {"": changed(original.files[""], source)}, dict(original.texts))
        try:
            compile_contract(document)
        except ContractError as error:
            for problem in error.problems:
                assert problem.pointer.startswith("#") and problem.problem and problem.remedy


@pytest.mark.parametrize("seed", range(2))
def test_a_document_with_one_value_changed_can_be_linted(tmp_path: Path, seed: int) -> None:
    import json

    source = random.Random(1000 + seed)
    original = read_document(find_document())
    for _ in range(4):
        path = tmp_path / "openapi.json"
        path.write_text(json.dumps(changed(original.files[""], source)), encoding="utf-8")
        assert lint(path) is not None
