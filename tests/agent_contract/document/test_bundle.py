"""A document with the files that it refers to, as one value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent_contract.document.bundle import FILES, bundle
from tests.agent_contract.support.documents import compiled, with_schema


def test_references_in_lists_and_objects_lead_into_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("Name: {type: string}\nNames: {items: {$ref: '#/Name'}}\n", encoding="utf-8")
    schema = {"anyOf": [{"$ref": "names.yaml#/Name"}, {"$ref": "#/components/schemas/Other"}]}
    contract = compiled(tmp_path, with_schema(schema, Other={"$ref": "names.yaml#/Names"}))
    bundled: Any = bundle(contract.schemas.document)
    assert bundled[FILES] == {
        "names.yaml": {"Name": {"type": "string"}, "Names": {"items": {"$ref": "#/x-files/names.yaml/Name"}}}
    }
    body = bundled["paths"]["/things"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"anyOf": [{"$ref": "#/x-files/names.yaml/Name"}, {"$ref": "#/components/schemas/Other"}]}
    assert bundled["components"]["schemas"]["Other"] == {"$ref": "#/x-files/names.yaml/Names"}


def test_a_document_of_one_file_is_its_own_bundle(tmp_path: Path) -> None:
    document = compiled(tmp_path, with_schema({"type": "string"})).schemas.document
    assert bundle(document) is document.files[""]
