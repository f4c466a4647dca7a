"""A valid request for each operation of a document, with what its schemas and security ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from agent_contract import Contract, Operation, SampleError
from agent_contract.messages import JSON
from agent_contract.model.operations import MediaType
from agent_contract.model.parameters import MISSING, Parameter
from agent_contract.sampling.document_value import sample
from agent_contract.validation.check import is_json

_FORM, _MULTIPART, _BOUNDARY = "application/x-www-form-urlencoded", "multipart/form-data", "benchmark"


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request as it is sent: `target` is the path with the query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def request_for(contract: Contract, operation: Operation) -> WireRequest | None:
    """Return a request with every required part; None if a schema of one has no value."""
    try:
        return _request(contract, operation)
    except SampleError:
        return None


def _request(contract: Contract, operation: Operation) -> WireRequest:
    path, query, headers = operation.path, list[tuple[str, str]](), dict[str, str]()
    _add_credentials(contract, operation, query, headers)
    for parameter in operation.parameters:
        if parameter.place == "path":
            path = path.replace("{" + parameter.name + "}", quote(_text(contract, parameter), safe="") or "x")
        elif parameter.required and parameter.place == "query":
            query.append((parameter.name, _text(contract, parameter)))
        elif parameter.required and parameter.place == "header":
            headers[parameter.name] = _text(contract, parameter)
        elif parameter.required:
            headers["cookie"] = f"{parameter.name}={_text(contract, parameter)}"
    body = b""
    described = operation.request_body
    if described is not None and described.content:
        media = _preferred(described.content)
        value = sample(contract, media.schema_pointer, direction="request") if media.schema else {}
        headers["content-type"], body = _encoded(media.name, value)
    target = path + (f"?{urlencode(query)}" if query else "")
    return WireRequest(operation.method, target, headers, body)


def _preferred(content: Mapping[str, MediaType]) -> MediaType:
    wanted = [media for name, media in content.items() if is_json(name) or name in (_FORM, _MULTIPART, "*/*")]
    return (wanted or list(content.values()))[0]


def _text(contract: Contract, parameter: Parameter) -> str:
    value: Any = parameter.example
    if value is MISSING:
        value = sample(contract, str(parameter.schema), direction="request") if parameter.schema else "x"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)


def _encoded(name: str, value: JSON) -> tuple[str, bytes]:
    """Return the content type and the bytes of a value."""
    if is_json(name) or name == "*/*":
        return ("application/json" if name == "*/*" else name), json.dumps(value).encode()
    fields = value if isinstance(value, dict) else {}
    texts = {key: item if isinstance(item, str) else json.dumps(item) for key, item in fields.items()}
    if name == _FORM:
        return name, urlencode(texts).encode()
    if name == _MULTIPART:
        head = f"--{_BOUNDARY}\r\ncontent-disposition: form-data; name="
        parts = [f'{head}"{key}"\r\n\r\n{text}\r\n' for key, text in texts.items()]
        return f"{name}; boundary={_BOUNDARY}", "".join([*parts, f"--{_BOUNDARY}--\r\n"]).encode("utf-8", "replace")
    return name, (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace")


def _add_credentials(
    contract: Contract, operation: Operation, query: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    """Add what the first of the operation's security requirements asks for."""
    schemes = contract.document.get("components", {}).get("securitySchemes", {})
    headers["authorization"] = "Bearer benchmark"
    for name in operation.security[0] if operation.security else ():
        scheme = schemes.get(name) or {}
        if scheme.get("scheme", "").lower() == "basic":
            headers["authorization"] = "Basic YTpi"
        elif scheme.get("type") == "apiKey":
            place, key = scheme.get("in"), str(scheme.get("name"))
            if place == "query":
                query.append((key, "benchmark"))
            else:
                headers |= {key.lower(): "benchmark"} if place == "header" else {"cookie": f"{key}=benchmark"}
