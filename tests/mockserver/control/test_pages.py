"""The first page of a mock, and the document that it serves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_contract import load_contract
from agent_contract.messages import Reply, Request
from mockserver import load_engine
from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.engine import Engine
from tests.mockserver.support.chat_client import CONTRACT, engine

PATHS = ("/", "/openapi.json", "/openapi.yaml")
SMALL: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "Small", "version": "1"}, "paths": {}}


def get(mock: Engine, path: str = "/", method: str = "GET", **headers: str) -> Reply:
    return mock.reply(Request(method, path, (), {name.replace("_", "-"): text for name, text in headers.items()}, b""))


def serving(folder: Path, paths: dict[str, Any], **files: Any) -> Engine:
    """Return a mock of a document with these paths, which other files are next to."""
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    (folder / "spec.json").write_text(json.dumps({**SMALL, "paths": paths}))
    return load_engine(folder / "spec.json")


def operation(text: str) -> dict[str, Any]:
    content = {"application/json": {"example": text}}
    return {"get": {"responses": {"200": {"description": "Found.", "content": content}}}}


def test_the_first_page_names_what_is_served() -> None:
    reply = get(engine(), host="mock.test:9000", accept="text/html,*/*;q=0.8")
    page = reply.content().decode()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert CONTRACT.title in page
    assert "demo-knowledge" in page
    assert "curl -sS -X POST 'http://mock.test:9000/api/v1/compatibility/openai/v1/" in page
    assert all(link in page for link in ("openapi.yaml", "__mock__/requests"))


def test_the_first_page_is_json_if_that_is_accepted() -> None:
    page = json.loads(get(engine(), host="[::1]:9000", accept="application/json").content())
    assert {"demo", "demo-tools"} <= {agent["name"] for agent in page["agents"]}
    assert page["links"]["document"] == "http://[::1]:9000/openapi.json"
    assert "'http://[::1]:9000/" in page["example"]


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "image/png", "application/json;q=0.1, text/html"])
def test_the_first_page_is_html_otherwise(accept: str) -> None:
    assert get(engine(), accept=accept).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("host", ["", "<script>", "a b", "x:y", "'; rm -rf ~ #", "[::1]/"])
def test_an_invalid_host_is_not_repeated(host: str) -> None:
    page = get(engine(), host=host).content().decode()
    assert "'http://127.0.0.1:8000/" in page
    assert not host or host not in page


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi.yaml"])
def test_the_document_is_served_unchanged(path: str) -> None:
    assert yaml.safe_load(get(engine(), path).content()) == CONTRACT.document


def test_an_earlier_version_is_served_as_it_was() -> None:
    served = json.loads(get(load_engine(api_version="9.0"), "/openapi.json").content())
    assert served == load_contract(api_version="9.0").document


def test_a_document_of_several_files_is_served_as_one(tmp_path: Path) -> None:
    schema = {"a": {"type": "array", "items": {"$ref": "#/b"}}, "b": {"type": "integer"}}
    found = {"description": "Found.", "content": {"application/json": {"schema": {"$ref": "schemas.json#/a"}}}}
    mock = serving(tmp_path, {"/a": {"get": {"responses": {"200": found}}}}, schemas=schema)
    (tmp_path / "served.json").write_bytes(get(mock, "/openapi.json").content())
    (tmp_path / "schemas.json").unlink()
    alone = load_engine(tmp_path / "served.json")
    assert get(alone, "/a").content() == get(mock, "/a").content()


@pytest.mark.parametrize("path", PATHS)
def test_head_gets_the_headers_alone(path: str) -> None:
    mock = engine()
    whole, head = get(mock, path), get(mock, path, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers == whole.headers
    assert head.headers["content-length"] == str(len(whole.content()))


@pytest.mark.parametrize("path", PATHS)
def test_another_method_is_refused(path: str) -> None:
    reply = get(engine(), path, "DELETE")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


def test_a_page_of_another_origin_may_read_the_document() -> None:
    asked = {"origin": "http://viewer.test", "access_control_request_method": "GET"}
    assert get(engine(), "/openapi.json", "OPTIONS", **asked).status == 204
    assert get(engine(), "/openapi.json", origin="http://viewer.test").headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", PATHS)
def test_a_path_of_the_document_wins(tmp_path: Path, path: str) -> None:
    mock = serving(tmp_path, {path: operation("its own")})
    assert get(mock, path).content() == b'"its own"'
    assert all(get(mock, other).content() != b'"its own"' for other in PATHS if other != path)


def test_a_path_with_parameters_wins_too(tmp_path: Path) -> None:
    mock = serving(tmp_path, {"/{name}": {**operation("its own"), "parameters": [NAME]}})
    assert get(mock, "/openapi.json").content() == b'"its own"'
    assert get(mock).headers["content-type"].startswith("text/html")


NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}


def test_the_first_page_of_another_document_lists_its_operations(tmp_path: Path) -> None:
    page = get(serving(tmp_path, {"/<b>": operation("x")})).content().decode()
    assert "GET /&lt;b&gt;" in page
    assert "Agents" not in page


def test_with_a_token_agents_and_document_need_it() -> None:
    mock = create_engine(CONTRACT, Config(tokens=("secret",)))
    page = get(mock)
    assert page.status == 200
    assert b"demo-knowledge" not in page.content()
    assert b"$AGENT_CONTRACT_TOKEN" in page.content()
    assert b"secret" not in page.content()
    assert get(mock, "/openapi.json").status == 401
    assert get(mock, "/openapi.json", authorization="Bearer secret").status == 200


def test_without_the_control_interface_only_the_document_s_paths_exist() -> None:
    assert get(create_engine(CONTRACT, replace(Config(), control=False))).status == 404


def test_pages_are_not_in_the_journal() -> None:
    mock = engine()
    get(mock)
    assert mock.requests() == []


@pytest.mark.parametrize(
    "path", ["/__mock__/reset/", "/__mock__/agents/demo/rese", "/__mock__/sessions/1/", "/api/agent", "/agents/1"]
)
def test_a_404_never_suggests_a_path_that_deletes_something(path: str) -> None:
    why = json.loads(get(engine(), path).content())["detail"]
    suggested = why.rpartition("Did you mean ")[2].removesuffix("?")
    assert suggested.startswith("/")
    assert "reset" not in suggested
    assert not suggested.endswith(("/{session_id}", "/{agent_id}"))
