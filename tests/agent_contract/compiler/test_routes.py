"""Which operation a method and a path reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_contract import Contract, Found, NotAllowed
from tests.agent_contract.support.documents import compiled


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    def path(*methods: str, **names: Any) -> dict[str, Any]:
        parameters = [{"name": name, "in": "path", "required": True, "schema": {}} for name in names]
        return {"parameters": parameters, **{method: {"responses": {}} for method in methods}}

    paths = {
        "/things": path("get", "post"),
        "/things/mine": path("get"),
        "/things/{thing-id}": path("get", "delete", **{"thing-id": 1}),
        "/things/{id}/parts/{part}.json": path("get", id=1, part=1),
        "/with space": path("get"),
        "/less <than>|{id}": path("get", id=1),
        "/files/{name}": path("get", name=1),
        "/files/{name}.json": path("get", name=1),
        "/files/{owner}-{name}": path("get", owner=1, name=1),
        "/files/all/": path("get"),
        "/files%2Fall/{name}": path("get", name=1),
    }
    return compiled(tmp_path, {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths})


@pytest.mark.parametrize(
    ("method", "path", "operation", "parameters"),
    [
        ("GET", "/things", "GET /things", {}),
        ("POST", "/things", "POST /things", {}),
        ("GET", "/things/mine", "GET /things/mine", {}),
        ("GET", "/things/7", "GET /things/{thing-id}", {"thing-id": "7"}),
        ("GET", "/things/a b:ü", "GET /things/{thing-id}", {"thing-id": "a b:ü"}),
        ("GET", "/things/7/parts/x.json", "GET /things/{id}/parts/{part}.json", {"id": "7", "part": "x"}),
        ("GET", "/with space", "GET /with space", {}),
        ("GET", "/less <than>|7", "GET /less <than>|{id}", {"id": "7"}),
        ("GET", "/less <than>|<7>", "GET /less <than>|{id}", {"id": "<7>"}),
        ("DELETE", "/things/mine", "DELETE /things/{thing-id}", {"thing-id": "mine"}),
        ("GET", "/files/a", "GET /files/{name}", {"name": "a"}),
        ("GET", "/files/a.json", "GET /files/{name}.json", {"name": "a"}),
        ("GET", "/files/a-b", "GET /files/{owner}-{name}", {"owner": "a", "name": "b"}),
        ("GET", "/files/all", "GET /files/{name}", {"name": "all"}),
        ("GET", "/files/all/", "GET /files/all/", {}),
        ("GET", "/files/all/x", "GET /files%2Fall/{name}", {"name": "x"}),
    ],
)
def test_a_path_reaches_its_operation(
    contract: Contract, method: str, path: str, operation: str, parameters: dict[str, str]
) -> None:
    found = contract.find(method, path)
    assert isinstance(found, Found)
    assert (found.operation.id, found.parameters) == (operation, parameters)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/things", ("GET", "POST")),
        ("HEAD", "/things", ("GET", "POST")),
        ("POST", "/things/7", ("DELETE", "GET")),
        ("get", "/things", ("GET", "POST")),
    ],
)
def test_a_method_that_a_path_has_not_is_answered_with_those_it_has(
    contract: Contract, method: str, path: str, allow: tuple[str, ...]
) -> None:
    found = contract.find(method, path)
    assert found == NotAllowed(allow) or (isinstance(found, Found) and method == "get")


@pytest.mark.parametrize(
    "path",
    ["/", "", "/thing", "/things/", "//things", "/things//parts", "/things/7/", "/things/7/parts/x.txt", "/Things"],
)
def test_an_unknown_path_reaches_nothing(contract: Contract, path: str) -> None:
    assert contract.find("GET", path) is None


@pytest.mark.parametrize(
    ("servers", "path"),
    [
        ([{"url": "/"}], "/things"),
        ([{"url": "https://example.com/api/v1/"}], "/api/v1/things"),
        ([{"url": "https://example.com/{base}", "variables": {"base": {"default": "v2"}}}], "/v2/things"),
        ([{"url": "http://[x/v3"}], "/v3/things"),
        ([{"url": "v4"}], "/v4/things"),
        ([], "/things"),
    ],
)
def test_a_path_begins_with_that_of_the_server(tmp_path: Path, servers: list[Any], path: str) -> None:
    document = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "servers": servers}
    contract = compiled(tmp_path, {**document, "paths": {"/things": {"get": {"responses": {}}}}})
    assert isinstance(contract.find("GET", path), Found)
