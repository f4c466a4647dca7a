"""Paths with encoded slashes, and templates with a query or a fragment."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent_contract.messages import Request
from mockserver import MockTransport
from mockserver.adapters.wsgi import create_app
from mockserver.engine import Engine
from tests.mockserver.documented.support.played import document, play, send, value

ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}


def answering(name: str, **operation: Any) -> dict[str, Any]:
    """Return a path whose GET is answered with a name."""
    response = {"description": "ok", "content": {"application/json": {"example": name}}}
    return {"get": {"operationId": name, "responses": {"200": response}, **operation}}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    paths = {
        "/files/{id}": answering("file", parameters=[ID]),
        "/files/{id}/lines": answering("lines", parameters=[ID]),
        "/search?kind=dog": answering("dogs"),
        "/search?kind=cat&order={order}": answering("cats"),
        "/act": answering("act"),
        "/act#Action=Run": answering("run"),
        "/act#other": answering("other"),
    }
    return play(tmp_path_factory.mktemp("paths"), document(paths))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/files/a%2Fb", "file"),
        ("/files/a%2fb/lines", "lines"),
        ("/files/a%2Flines", "file"),
        ("/files/a%252Fb", "file"),
    ],
)
def test_an_encoded_slash_is_part_of_a_value(engine: Engine, path: str, expected: str) -> None:
    client = httpx.Client(transport=MockTransport(engine), base_url="http://mock")

    assert client.get(path).json() == expected
    assert over_wsgi(engine, path) == expected
    assert client.get(f"/__mock__/scope/mine{path}").json() == expected


def over_wsgi(engine: Engine, path: str) -> Any:
    """Return the answer to a GET through the WSGI adapter."""
    app: Callable[..., Any] = create_app(engine)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": httpx.URL(path).path,
        "RAW_URI": path,
        "SERVER_NAME": "mock",
        "SERVER_PORT": "80",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
    }
    return json.loads(b"".join(app(environ, lambda *_: None)))


def test_an_encoded_slash_is_decoded_in_the_value(engine: Engine) -> None:
    found = engine.contract.find_for("GET", Request("GET", "/files/a/b", raw_path="/files/a%2Fb"))

    assert found.parameters == {"id": "a/b"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/search?kind=dog", "dogs"),
        ("/search?kind=cat&order=name", "cats"),
        ("/search?order=name&kind=cat&more=1", "cats"),
        ("/search", "dogs"),
        ("/act", "act"),
        ("/act?Action=Run", "run"),
    ],
)
def test_the_query_of_a_template_chooses_the_operation(engine: Engine, address: str, expected: str) -> None:
    assert value(send(engine, "GET", address)) == expected


def test_a_method_of_a_template_with_a_query_is_listed(engine: Engine) -> None:
    assert send(engine, "PUT", "/search?kind=dog").reply.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/pets", 200),
        ("/beta/v1/pets", 200),
        ("/pets", 200),
        ("/v1/files/a%2Fb", 200),
        ("/files/a%2Fb", 200),
        ("/v1/v1/pets", 404),
        ("/v2/pets", 404),
        ("/v1pets", 404),
    ],
)
def test_the_path_of_any_server_or_none_goes_before_that_of_the_operation(
    tmp_path: Path, path: str, status: int
) -> None:
    servers = [{"url": "https://api.example/v1/"}, {"url": "https://api.example/beta/{version}", "variables": {
        "version": {"default": "v1"}}}]  # fmt: skip
    paths = {"/pets": answering("pets"), "/files/{id}": answering("file", parameters=[ID])}
    engine = play(tmp_path, document(paths, servers=servers))
    client = httpx.Client(transport=MockTransport(engine), base_url="http://mock")

    assert client.get(path).status_code == status
