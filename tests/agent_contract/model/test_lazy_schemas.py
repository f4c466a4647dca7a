"""Schemas of other documents are compiled when they are used, once, and not all are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_contract import Contract, load_contract
from agent_contract.document.json_pointer import parse
from agent_contract.model import schemas
from tests.agent_contract.support.documents import with_schema, write

NAMES = [f"S{index}" for index in range(9)]


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    described: dict[str, Any] = {name: {"type": "integer", "minimum": index} for index, name in enumerate(NAMES)}
    document = with_schema({"$ref": "#/components/schemas/S0"}, **described)
    return load_contract(write(tmp_path, yaml.safe_dump(document)), strict=False)


def compiled(contract: Contract, name: str) -> object:
    return contract.schemas.compiled(parse(f"#/components/schemas/{name}"), "reply")


def test_a_schema_is_compiled_once(contract: Contract) -> None:
    assert compiled(contract, "S1") is compiled(contract, "S1")


def test_the_least_recently_used_ones_are_not_kept(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_KEPT_SECONDS", 0.0)
    first = compiled(contract, "S0")
    for name in NAMES[1:]:
        compiled(contract, name)
    assert compiled(contract, "S0") is not first
    assert compiled(contract, "S8") is compiled(contract, "S8")


def test_a_schema_that_can_not_be_compiled_accepts_all_and_is_noted(contract: Contract) -> None:
    contract.schemas.trees["reply"][""]["components"]["schemas"]["S2"] = {"$ref": "#/nowhere"}  # type: ignore[index,call-overload]
    place = parse("#/components/schemas/S2")
    assert contract.schemas.compiled(place, "reply").is_valid("anything")
    assert place in contract.schemas.unchecked
