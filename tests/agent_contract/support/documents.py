"""Small documents for tests of what is true of any document."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

from agent_contract import (
    Call,
    Contract,
    ContractError,
    Found,
    Operation,
    Request,
    Violation,
    check_request,
    error_detail,
    load_contract,
    parse_call,
)

HEAD = """\
openapi: {version}
info: {{title: Small, version: "1"}}
paths:
"""


def write(folder: Path, text: str, name: str = "openapi.yaml") -> Path:
    """Return the path of a file of this text, its common indent taken off."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    return path


def with_schema(schema: Any, version: str = "3.1.0", **schemas: Any) -> dict[str, Any]:
    """Return a document whose one operation, `send`, takes a body of a schema and answers with the same."""
    content = {"application/json": {"schema": schema}}
    operation = {
        "operationId": "send",
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "ok", "content": content}, "422": {"description": "refused"}},
    }
    document: dict[str, Any] = {"openapi": version, "info": {"title": "Small", "version": "1"}}
    document["paths"] = {"/things": {"post": operation}}
    document["components"] = {"schemas": schemas}
    return document


def with_parameters(*parameters: Any, path: str = "/things", version: str = "3.1.0") -> dict[str, Any]:
    """Return a document whose one operation, `list`, takes these parameters."""
    operation = {"operationId": "list", "parameters": list(parameters), "responses": {"200": {"description": "ok"}}}
    return {"openapi": version, "info": {"title": "Small", "version": "1"}, "paths": {path: {"get": operation}}}


def compiled(folder: Path, document: Any) -> Contract:
    """Return the contract of a document, or of its text."""
    text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    return load_contract(write(folder, text))


def refusal(folder: Path, document: Any) -> ContractError:
    """Return why a document can't be compiled."""
    try:
        compiled(folder, document)
    except ContractError as error:
        return error
    raise AssertionError("the document was compiled")


def only(contract: Contract) -> Operation:
    """Return the one operation of a contract."""
    (operation,) = contract.operations.values()
    return operation


def call(contract: Contract, body: bytes = b"", query: str = "", path: str = "/things", **headers: str) -> Call:
    """Return a parsed request to the only operation of a contract; the body is JSON unless headers differ."""
    from urllib.parse import parse_qsl

    operation = only(contract)
    sent = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
    found = contract.find(operation.method, path)
    assert isinstance(found, Found)
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    return parse_call(found, Request(operation.method, path, pairs, sent, body))


def violations(contract: Contract, body: bytes = b"", **rest: str) -> tuple[Violation, ...]:
    """Return what a request to the one operation of a contract breaks."""
    return check_request(call(contract, body, **rest))


def words(contract: Contract, body: bytes = b"", **rest: str) -> list[tuple[str, str]]:
    """Return the place and the type of each item of the detail that a request gets."""
    found: Any = error_detail(contract, violations(contract, body, **rest))
    return [("/".join(map(str, item["loc"])), item["type"]) for item in found]
