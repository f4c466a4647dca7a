"""Converts a Swagger 2.0 document to OpenAPI 3.0, when it is loaded.

Source: OpenAPI Specification 2.0; OpenAPI 3.0.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent_contract.document.document import Document
from agent_contract.document.json_pointer import Place
from agent_contract.document.object_types import METHODS
from agent_contract.document.repair.api_rules import SCHEMA_FIELDS
from agent_contract.messages import JSON

_ROOT = Place("", ())
#: The fields of the document that moved into `components`.
_MOVED: Mapping[str, str] = {
    "definitions": "schemas",
    "parameters": "parameters",
    "responses": "responses",
    "securityDefinitions": "securitySchemes",
}
#: How an array is written in a parameter: collectionFormat -> style and explode.
_STYLES: Mapping[str, tuple[str, bool]] = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("spaceDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
_FLOWS: Mapping[str, str] = {"application": "clientCredentials", "accessCode": "authorizationCode"}
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_DEPTH = 200


def is_swagger(document: Document) -> bool:
    """Return whether a document is written in Swagger 2.0."""
    root = document.files[""]
    return isinstance(root, dict) and "openapi" not in root and str(root.get("swagger")).startswith("2")


def convert(document: Document) -> Document:
    """Return the document in OpenAPI 3.0; its problems still have their lines in the text."""
    root: Any = document.files[""]
    files = dict(document.files)
    files[""] = _Converter(root).converted()
    moved = {Place("", ("components", new)): Place("", (old,)) for old, new in _MOVED.items()}
    return Document(
        document.path, files, document.texts, document.allow_outside, moved, document.repeated, document.remote
    )


class _Converter:
    """Converts one document: parameters of bodies must be looked up, and media types inherited."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root

    def converted(self) -> dict[str, Any]:
        """Return the document in OpenAPI 3.0."""
        root = self._root
        kept = {
            key: value for key, value in root.items() if key.startswith("x-") or key in ("info", "tags", "security")
        }
        components: dict[str, Any] = {
            "schemas": {name: _schema(item) for name, item in _map(root.get("definitions")).items()},
            "parameters": {
                name: self._parameter(item)
                for name, item in _map(root.get("parameters")).items()
                if not _is_body(self._described(item))
            },
            "responses": {name: self._response(item, root) for name, item in _map(root.get("responses")).items()},
            "securitySchemes": {
                name: _security_scheme(item) for name, item in _map(root.get("securityDefinitions")).items()
            },
        }
        return {
            "openapi": "3.0.3",
            **kept,
            "servers": list(_servers(root)),
            "paths": {path: self._path(item) for path, item in _map(root.get("paths")).items()},
            "components": components,
        }

    def _path(self, item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        shared = item.get("parameters")
        shared = shared if isinstance(shared, list) else []
        converted = {key: value for key, value in item.items() if key not in METHODS and key != "parameters"}
        if "$ref" in converted:
            converted["$ref"] = _reference(converted["$ref"])
        converted["parameters"] = [self._parameter(one) for one in shared if not _is_body(self._described(one))]
        bodies = [one for one in shared if _is_body(self._described(one))]
        for method in METHODS:
            if method in item:
                converted[method] = self._operation(item[method], bodies)
        return converted

    def _operation(self, value: Any, shared: list[Any]) -> Any:
        if not isinstance(value, dict):
            return value
        dropped = ("parameters", "responses", "consumes", "produces", "schemes")
        converted = {key: item for key, item in value.items() if key not in dropped}
        own = value.get("parameters")
        own = own if isinstance(own, list) else []
        converted["parameters"] = [self._parameter(one) for one in own if not _is_body(self._described(one))]
        bodies = {
            (described["in"], str(described.get("name"))): described
            for one in (*shared, *own)
            if _is_body(described := self._described(one))
        }
        body = self._body([*bodies.values()], _media_types(value, self._root, "consumes"))
        if body:
            converted["requestBody"] = body
        responses = _map(value.get("responses"))
        converted["responses"] = {status: self._response(item, value) for status, item in responses.items()}
        return converted

    def _body(self, parameters: list[dict[str, Any]], consumes: list[str]) -> dict[str, Any]:
        whole = next((one for one in parameters if one.get("in") == "body"), None)
        if whole is not None:
            schema = {"schema": _schema(whole["schema"])} if "schema" in whole else {}
            body = {"content": {name: dict(schema) for name in consumes or ["application/json"]}}
            return {**body, **{key: whole[key] for key in ("description", "required") if key in whole}}
        if not parameters:
            return {}
        properties = {str(one.get("name")): _schema(_own_schema(one)) for one in parameters}
        required = [str(one.get("name")) for one in parameters if one.get("required") is True]
        schema = {"type": "object", "properties": properties, **({"required": required} if required else {})}
        has_file = any(one.get("type") == "file" for one in parameters)
        names = [name for name in consumes if name in (_FORM, _MULTIPART)] or [_MULTIPART if has_file else _FORM]
        explode = {
            str(one.get("name")): {"style": style, "explode": spread}
            for one in parameters
            for style, spread in [_STYLES.get(str(one.get("collectionFormat", "csv")), ("form", False))]
            if one.get("type") == "array"
        }
        media = {"schema": schema, **({"encoding": explode} if explode else {})}
        return {"content": {name: dict(media) for name in names}, "required": bool(required)}

    def _parameter(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return {"$ref": _reference(value["$ref"])}
        converted = {key: item for key, item in value.items() if key not in SCHEMA_FIELDS and key != "collectionFormat"}
        if "schema" not in converted:
            converted["schema"] = _schema(_own_schema(value))
        form = value.get("collectionFormat", "csv" if value.get("type") == "array" else None)
        if isinstance(form, str) and form in _STYLES and value.get("in") in ("query", "formData"):
            converted["style"], converted["explode"] = _STYLES[form]
        return converted

    def _response(self, value: Any, holder: dict[str, Any]) -> Any:
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return {"$ref": _reference(value["$ref"])}
        converted = {key: item for key, item in value.items() if key not in ("schema", "examples", "headers")}
        converted.setdefault("description", "")
        examples = _map(value.get("examples"))
        names = _media_types(holder, self._root, "produces") or ["application/json"]
        if "schema" in value or examples:
            schema = {"schema": _schema(value["schema"])} if "schema" in value else {}
            names = list(dict.fromkeys((*names, *(name for name in examples if "/" in name))))
            converted["content"] = {
                name: {**schema, **({"example": examples[name]} if name in examples else {})} for name in names
            }
        headers = _map(value.get("headers"))
        if headers:
            converted["headers"] = {name: _header(item) for name, item in headers.items()}
        return converted

    def _described(self, value: Any) -> Any:
        """Return a parameter, a reference to one of the document's followed."""
        reference = value.get("$ref") if isinstance(value, dict) else None
        if isinstance(reference, str) and reference.startswith("#/parameters/"):
            return _map(self._root.get("parameters")).get(reference.removeprefix("#/parameters/"))
        return value


def _is_body(value: Any) -> bool:
    return isinstance(value, dict) and value.get("in") in ("body", "formData")


def _own_schema(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema that a parameter or a header is itself."""
    return {name: value[name] for name in SCHEMA_FIELDS if name in value}


def _header(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {"description": str(value.get("description", "")), "schema": _schema(_own_schema(value))}


def _schema(value: Any, depth: int = 0) -> Any:
    """Return a schema with references, files and null as OpenAPI 3.0 writes them."""
    if isinstance(value, list):
        return [_schema(item, depth + 1) for item in value]
    if not isinstance(value, dict) or depth > _DEPTH:
        return value
    converted = {
        key: {name: _schema(below, depth + 1) for name, below in item.items()}
        if key == "properties" and isinstance(item, dict)
        else item
        if key in ("example", "default", "enum")
        else _schema(item, depth + 1)
        for key, item in value.items()
    }
    if isinstance(value.get("$ref"), str):
        converted["$ref"] = _reference(value["$ref"])
    if value.get("type") == "file":
        converted["type"], converted["format"] = "string", "binary"
    if value.get("x-nullable") is True:
        converted["nullable"] = True
    if isinstance(value.get("discriminator"), str) and "properties" in value:
        converted["discriminator"] = {"propertyName": value["discriminator"]}
    return converted


def _reference(reference: JSON) -> JSON:
    """Return where a reference leads after the conversion; one into another file stays as it is."""
    if isinstance(reference, str):
        for old, new in _MOVED.items():
            if reference.startswith(f"#/{old}/"):
                return f"#/components/{new}/{reference.removeprefix(f'#/{old}/')}"
    return reference


def _security_scheme(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value.get("type") == "basic":
        return {"type": "http", "scheme": "basic"}
    if value.get("type") != "oauth2":
        return value
    flow = str(value.get("flow", "implicit"))
    urls = {key: value[key] for key in ("authorizationUrl", "tokenUrl") if key in value}
    return {"type": "oauth2", "flows": {_FLOWS.get(flow, flow): {**urls, "scopes": _map(value.get("scopes"))}}}


def _servers(root: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the addresses of the API."""
    host, path = str(root.get("host") or ""), str(root.get("basePath") or "/")
    schemes = root.get("schemes")
    schemes = [str(one) for one in schemes] if isinstance(schemes, list) and schemes else ["https"]
    path = path if path.startswith("/") else f"/{path}"
    for scheme in schemes if host else [""]:
        yield {"url": f"{scheme}://{host}{path}" if host else path}


def _media_types(value: Mapping[str, Any], root: Mapping[str, Any], name: str) -> list[str]:
    listed = value.get(name, root.get(name))
    return [str(one) for one in listed] if isinstance(listed, list) else []


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
