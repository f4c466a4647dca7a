"""Documents of OpenAPI 3.2 are read; what is not understood is a warning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_contract import check_reply, load_contract
from agent_contract.lint import lint
from agent_contract.messages import Reply
from tests.agent_contract.support.documents import write

EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": {"required": ["id"]}}
    },
}


def document(**media: Any) -> dict[str, Any]:
    """Return a document of 3.2 whose operation `read` answers with these media types."""
    reply = {"content": {name.replace("_", "/"): value for name, value in media.items()}}
    operation = {"operationId": "read", "responses": {"200": reply, "422": {"description": "refused"}}}
    return {
        "openapi": "3.2.0",
        "info": {"title": "New", "version": "1"},
        "paths": {"/things": {"query": operation}},
    }


def warnings(tmp_path: Path, value: dict[str, Any]) -> list[str]:
    found = lint(write(tmp_path, yaml.safe_dump(value)))
    assert found.errors == ()
    return [problem.problem for problem in found.warnings]


@pytest.mark.parametrize(("body", "count"), [(b'data: {"id": 1}\n\n', 0), (b'data: {"name": 1}\n\n', 1)])
def test_item_schema_describes_each_event_of_a_stream(tmp_path: Path, body: bytes, count: int) -> None:
    path = write(tmp_path, yaml.safe_dump(document(**{"text/event-stream": {"itemSchema": EVENT}})))
    operation = load_contract(path).operations["read"]
    reply = Reply(200, {"content-type": "text/event-stream"}, body)
    assert len(check_reply(operation, reply)) == count


def test_a_document_of_3_2_has_no_warnings_for_what_is_new_and_understood(tmp_path: Path) -> None:
    value = document(**{"text/event-stream": {"itemSchema": EVENT}})
    value["tags"] = [{"name": "a", "summary": "A.", "kind": "nav"}]
    value["servers"] = [{"url": "/", "name": "here"}]
    assert load_contract(write(tmp_path, yaml.safe_dump(value))).find("QUERY", "/things")
    assert warnings(tmp_path, value) == []


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({"$self": "https://example.com/api"}, "'$self' is not a field of the document, and has no effect"),
        (
            {"components": {"mediaTypes": {}, "shapes": {}}},
            "'shapes' is not a field of a components, and has no effect",
        ),
    ],
)
def test_what_is_not_understood_is_a_warning(tmp_path: Path, change: dict[str, Any], warning: str) -> None:
    assert warning in warnings(tmp_path, {**document(), **change})


def test_items_of_other_streams_are_a_warning(tmp_path: Path) -> None:
    value = document(application_jsonl={"itemSchema": {"type": "object"}})
    assert warnings(tmp_path, value) == ["the items of 'application/jsonl' are not checked"]


def test_an_operation_of_another_method_is_a_warning(tmp_path: Path) -> None:
    value = document()
    value["paths"]["/things"]["additionalOperations"] = {"COPY": {"responses": {"200": {"description": "copied"}}}}
    assert "'additionalOperations' is not a field of a path-item, and has no effect" in warnings(tmp_path, value)
