"""Whatever is wrong with a document, the answer is a list of problems, never a traceback."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_contract import ContractError, find_document, load_contract
from agent_contract.contract import compile_contract
from agent_contract.document.document import Document, read_document
from agent_contract.lint import lint
from tests.agent_contract.support.documents import with_schema

#: Values to put in place of others: each type of JSON, and keywords with a meaning somewhere.
POOL: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, "", "x", [], {}, [None], {"a": None}, [[]], [{}], {"": {}}, "#/components", "3.0.0"),
    *(10**400, -(2**63) - 1, 1e308, "\x1b[2J", "\0", "[", "(?<a", "é", "\U0001f600", "x" * 10_000, "../up.yaml"),
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
    source = random.Random(1000 + seed)
    original = read_document(find_document())
    for _ in range(4):
        path = tmp_path / "openapi.json"
        path.write_text(json.dumps(changed(original.files[""], source)), encoding="utf-8")
        assert lint(path) is not None


#: Pieces that have a meaning in YAML or JSON, or in no text at all.
PIECES: tuple[bytes, ...] = (
    *(
        b"\0",
        b"\x1b",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\\ud800",
        b"\r",
        b"\n",
        b"\t",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b"'",
        b",",
        b":",
        b"- ",
        b"? ",
        b"&a ",
        b"*a",
        b"<<: ",
        b"!!set ",
        b"!x ",
        b"%",
        b"#",
    ),
    *(
        b"|",
        b">",
        b"---\n",
        b"...\n",
        b"on",
        b"yes",
        b"2024-01-01",
        b"0x1",
        b"1e999",
        b"NaN",
        b"9" * 500,
        b"=",
        b"[" * 300,
    ),
)


def damaged(text: bytes, source: random.Random) -> bytes:
    """Return the document with up to three places replaced."""
    for _ in range(source.randint(1, 3)):
        start = source.randrange(len(text))
        text = text[:start] + source.choice(PIECES) + text[start + source.choice((0, 1, 5)) :]
    return text


@pytest.mark.parametrize("name", ["openapi.yaml", "openapi.json"])
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_is_compiled_or_refused_with_reasons(tmp_path: Path, name: str, seed: int) -> None:
    source = random.Random(seed)
    value = with_schema({"$ref": "#/components/schemas/A"}, A={"type": "object", "properties": {"a": {"maximum": 1}}})
    text = (json.dumps(value) if name.endswith(".json") else yaml.safe_dump(value)).encode()
    path = tmp_path / name
    for _ in range(100):
        path.write_bytes(damaged(text, source))
        try:
            load_contract(path)
        except ContractError as error:
            for problem in error.problems:
                assert problem.place.startswith(str(tmp_path)) and problem.problem and problem.remedy
                assert str(problem).isprintable()
