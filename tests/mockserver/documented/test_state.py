"""Resources that the paths imply are created, listed, read, changed and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockserver.engine import Engine
from tests.mockserver.documented.support.played import JSON_BODY, document, play, send, value

PET = {
    "type": "object",
    "required": ["id", "name"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "example": 77},
        "name": {"type": "string"},
        "kind": {"enum": ["cat", "dog"]},
        "note": {"type": ["string", "null"]},
    },
}
REF = {"$ref": "#/components/schemas/Pet"}


def answering(status: str, schema: Any = None, body: Any = None, name: str = "") -> dict[str, Any]:
    """Return an operation with one response, and a body of JSON."""
    response: dict[str, Any] = {"description": "ok"} | ({"content": {JSON_BODY: {"schema": schema}}} if schema else {})
    operation: dict[str, Any] = {"responses": {status: response}} | ({"operationId": name} if name else {})
    if body is not None:
        operation["requestBody"] = {"content": {JSON_BODY: {"schema": body}}}
    return operation


def parameter(name: str, where: str = "query", kind: str = "string") -> dict[str, Any]:
    """Return a parameter."""
    return {"name": name, "in": where, "required": where == "path", "schema": {"type": kind}}


NEW = {"type": "object", "properties": {"name": {"type": "string"}, "kind": {}, "note": {}, "secret": {}}}
LIST = {
    "type": "object",
    "required": ["data", "total", "has_more"],
    "properties": {
        "data": {"type": "array", "items": REF},
        "total": {"type": "integer"},
        "has_more": {"type": "boolean"},
        "last_id": {"type": ["string", "null"]},
    },
}
TOY = {"type": "object", "properties": {"id": {"type": "string", "example": "toy_1a2b"}}}
PATHS: dict[str, Any] = {
    "/pets": {
        "get": answering("200", LIST)
        | {"parameters": [parameter("kind"), parameter("limit", kind="integer"), parameter("offset", kind="integer"),
                          parameter("after"), parameter("sort")]},
        "post": answering("201", REF, NEW),
    },
    "/pets/{petId}": {
        "parameters": [parameter("petId", "path", "integer")],
        "get": answering("200", REF),
        "put": answering("200", REF, NEW),
        "patch": answering("200", REF, NEW),
        "delete": answering("204"),
    },
    "/pets/{petId}/toys": {
        "parameters": [parameter("petId", "path", "integer")],
        "get": answering("200", {"type": "array", "items": TOY}),
        "post": answering("201", TOY, {}),
    },
    "/pets/{petId}/toys/{toyId}": {
        "parameters": [parameter("petId", "path", "integer"), parameter("toyId", "path")],
        "get": answering("200", {"type": "object", "properties": {"id": {"type": "string"}, "color": {}}}),
    },
    "/settings": {
        "get": answering("200", {"type": "object", "properties": {"theme": {"type": "string"}}}),
        "put": answering("200", {"type": "object", "properties": {"theme": {"type": "string"}}}, {}),
    },
}  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return play(tmp_path, document(PATHS, components={"schemas": {"Pet": PET}}))


def test_what_is_created_can_be_read(engine: Engine) -> None:
    created = send(engine, "POST", "/pets", {"name": "Rex", "kind": "dog"})
    pet = value(created)

    assert created.reply.status == 201
    assert pet["name"] == "Rex"
    assert pet["kind"] == "dog"
    assert value(send(engine, "GET", f"/pets/{pet['id']}")) == pet


def test_ids_are_of_the_type_of_the_schema_and_differ(engine: Engine) -> None:
    ids = [value(send(engine, "POST", "/pets", {"name": "Rex"}))["id"] for _ in range(3)]
    toy = value(send(engine, "POST", "/pets/1/toys", {}))["id"]

    assert ids == [1, 2, 3]
    assert toy.startswith("toy_")
    assert toy != "toy_1a2b"


def test_a_list_has_what_was_created(engine: Engine) -> None:
    documented = value(send(engine, "GET", "/pets"))
    first, second = (value(send(engine, "POST", "/pets", {"name": name}))["id"] for name in ("Ann", "Bob"))

    listed = value(send(engine, "GET", "/pets"))

    assert documented["data"]
    assert [pet["id"] for pet in listed["data"]] == [first, second]
    assert [pet["name"] for pet in listed["data"]] == ["Ann", "Bob"]
    assert (listed["total"], listed["has_more"]) == (2, False)


@pytest.mark.parametrize(
    ("query", "names", "more"),
    [
        ("limit=2", "ab", True),
        ("limit=2&offset=2", "cd", False),
        ("after=2&limit=1", "c", True),
        ("kind=dog", "bd", False),
        ("sort=-name", "dcba", False),
        ("sort=name&limit=1", "a", True),
        ("kind=dog&limit=1", "b", True),
    ],
)
def test_a_list_is_filtered_sorted_and_paged(engine: Engine, query: str, names: str, more: bool) -> None:
    for name, kind in (("a", "cat"), ("b", "dog"), ("c", "cat"), ("d", "dog")):
        send(engine, "POST", "/pets", {"name": name, "kind": kind})

    listed = value(send(engine, "GET", f"/pets?{query}"))

    assert "".join(pet["name"] for pet in listed["data"]) == names
    assert listed["has_more"] == more


def test_patch_changes_fields_and_put_replaces_them(engine: Engine) -> None:
    id = value(send(engine, "POST", "/pets", {"name": "Rex", "kind": "dog", "note": "old"}))["id"]

    patched = value(send(engine, "PATCH", f"/pets/{id}", {"note": None}))
    replaced = value(send(engine, "PUT", f"/pets/{id}", {"name": "Max"}))

    assert (patched["id"], patched["name"], patched["kind"], patched["note"]) == (id, "Rex", "dog", None)
    assert (replaced["id"], replaced["name"]) == (id, "Max")
    assert value(send(engine, "GET", f"/pets/{id}")) == replaced
    assert len(value(send(engine, "GET", "/pets"))["data"]) == 1


def test_what_is_deleted_is_not_found_and_not_listed(engine: Engine) -> None:
    id = value(send(engine, "POST", "/pets", {"name": "Rex"}))["id"]
    toy = value(send(engine, "POST", f"/pets/{id}/toys", {"color": "red"}))["id"]
    assert value(send(engine, "GET", f"/pets/{id}/toys/{toy}"))["color"] == "red"

    assert send(engine, "DELETE", f"/pets/{id}").reply.status == 204

    assert send(engine, "GET", f"/pets/{id}").reply.status == 404
    assert send(engine, "DELETE", f"/pets/{id}").reply.status == 404
    assert value(send(engine, "GET", "/pets"))["data"] == []
    assert value(send(engine, "GET", f"/pets/{id}/toys/{toy}")).get("color") != "red"


def test_an_item_that_was_never_created_is_answered_from_the_document(engine: Engine) -> None:
    exchange = send(engine, "GET", "/pets/12")

    assert (exchange.reply.status, value(exchange)["id"]) == (200, 12)
    assert value(send(engine, "PATCH", "/pets/12", {"name": "Rex"}))["name"] == "Rex"
    assert value(send(engine, "GET", "/pets/12"))["name"] == "Rex"
    assert send(engine, "DELETE", "/pets/12").reply.status == 204
    assert value(send(engine, "GET", "/pets/12")) == value(exchange)


def test_fields_that_the_answer_does_not_document_are_kept_back(engine: Engine) -> None:
    exchange = send(engine, "POST", "/pets", {"name": "Rex", "secret": "x"})

    assert "secret" not in value(exchange)
    assert value(exchange)["name"] == "Rex"


def test_a_resource_without_a_collection_is_changed(engine: Engine) -> None:
    send(engine, "PUT", "/settings", {"theme": "dark"})

    assert value(send(engine, "GET", "/settings")) == {"theme": "dark"}


def test_scopes_have_resources_of_their_own(engine: Engine) -> None:
    send(engine, "POST", "/pets", {"name": "Rex"}, {"X-Mock-Scope": "one"})

    assert len(value(send(engine, "GET", "/pets", headers={"X-Mock-Scope": "one"}))["data"]) == 1
    assert value(send(engine, "GET", "/pets", headers={"X-Mock-Scope": "two"}))["data"][0]["name"] != "Rex"


def test_a_preference_is_answered_from_the_document(engine: Engine) -> None:
    send(engine, "POST", "/pets", {"name": "Rex"})

    exchange = send(engine, "GET", "/pets/1", headers={"Prefer": "dynamic=true"})

    assert value(exchange)["name"] != "Rex"


def test_nothing_is_kept_by_a_stateless_mock(tmp_path: Path) -> None:
    engine = play(tmp_path, document(PATHS, components={"schemas": {"Pet": PET}}), stateless=True)
    first = send(engine, "GET", "/pets/1").reply.content()

    send(engine, "POST", "/pets", {"name": "Rex"})
    send(engine, "DELETE", "/pets/1")

    assert send(engine, "GET", "/pets/1").reply.content() == first


def test_a_member_that_is_named_by_another_id_can_be_deleted_again(tmp_path: Path) -> None:
    member = {"type": "object", "properties": {"user_id": {"type": "string"}}}
    paths = {
        "/group/users": {"post": answering("200", member, member)},
        "/group/users/{user_id}": {"parameters": [parameter("user_id", "path")], "delete": answering("200", member)},
    }
    engine = play(tmp_path, document(paths))
    send(engine, "POST", "/group/users", {"user_id": "me"})

    assert [send(engine, "DELETE", "/group/users/me").reply.status for _ in range(2)] == [200, 200]


def test_an_update_may_name_its_item_in_the_body(tmp_path: Path) -> None:
    paths = {
        "/pet": {"post": answering("200", REF, REF), "put": answering("200", REF, REF)},
        "/pet/{petId}": {"parameters": [parameter("petId", "path", "integer")], "get": answering("200", REF)},
        "/pet/findByKind": {
            "get": answering("200", {"type": "array", "items": REF}) | {"parameters": [parameter("kind")]}
        },
    }
    engine = play(tmp_path, document(paths, components={"schemas": {"Pet": PET}}))
    send(engine, "POST", "/pet", {"id": 5, "name": "Rex", "kind": "dog"})
    send(engine, "PUT", "/pet", {"id": 5, "name": "Max", "kind": "dog"})
    send(engine, "POST", "/pet", {"id": 6, "name": "Tom", "kind": "cat"})

    assert value(send(engine, "GET", "/pet/5"))["name"] == "Max"
    assert [pet["name"] for pet in value(send(engine, "GET", "/pet/findByKind?kind=cat"))] == ["Tom"]


@pytest.mark.parametrize(("location_schema", "host"), [({}, ""), ({"format": "uri"}, "http://mock")])
def test_a_wrapped_item_is_found_and_its_location_is_sent(
    tmp_path: Path, location_schema: dict[str, str], host: str
) -> None:
    item = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "format": "uuid"}, "n": {}}}
    wrapped = {"type": "object", "required": ["thing"], "properties": {"thing": item}}
    create = answering("201", wrapped, wrapped)
    create["responses"]["201"]["headers"] = {"Location": {"schema": {"type": "string", **location_schema}}}
    paths = {
        "/v1/things": {"post": create},
        "/v1/things/{id}": {"parameters": [parameter("id", "path")], "get": answering("200", wrapped)},
    }
    engine = play(tmp_path, document(paths))

    thing = {"thing": {"id": "8d4c2a1e-1111-4111-8111-111111111111", "n": 3}}
    created = send(engine, "POST", "/v1/things", thing, {"Host": "mock"})
    assert created.reply.headers["location"].startswith(host + "/")
    location = created.reply.headers["location"].removeprefix(host)

    assert location == "/v1/things/8d4c2a1e-1111-4111-8111-111111111111"
    assert value(send(engine, "GET", location))["thing"]["n"] == 3


def test_an_operation_that_only_looks_like_a_collection_keeps_its_answer(tmp_path: Path) -> None:
    paths = {
        "/users/{id}": {"parameters": [parameter("id", "path")], "get": answering("200", {"const": {"id": "me"}})},
        "/users": {"get": answering("200", {"const": [{"id": "me"}]})},
    }
    engine = play(tmp_path, document(paths))

    assert value(send(engine, "GET", "/users/other")) == {"id": "me"}
    assert value(send(engine, "GET", "/users")) == [{"id": "me"}]


def test_an_item_that_put_creates_is_not_found_after_it_is_deleted(tmp_path: Path) -> None:
    item = {"put": answering("200", REF, NEW), "get": answering("200", REF), "delete": answering("204")}
    path = {"parameters": [parameter("petId", "path", "integer")], **item}
    engine = play(tmp_path, document({"/pets/{petId}": path}, components={"schemas": {"Pet": PET}}))

    send(engine, "PUT", "/pets/3", {"name": "Rex"})
    send(engine, "DELETE", "/pets/3")

    assert send(engine, "GET", "/pets/3").reply.status == 404
