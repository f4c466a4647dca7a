"""Builds operations from a document that has been walked: every schema compiled, every fault collected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from agent_contract.compiler.content import build_content
from agent_contract.compiler.context import Builder
from agent_contract.compiler.examples import build_examples
from agent_contract.compiler.links import build_links
from agent_contract.compiler.routes import names_in, without_query
from agent_contract.document.json_pointer import Place
from agent_contract.document.object_types import METHODS
from agent_contract.model.operations import Operation, RequestBody, Response
from agent_contract.model.parameters import MISSING, STYLES, Parameter, Shape
from agent_contract.model.schemas import Direction
from agent_contract.versions.schema_usage import properties_of

#: The scheme and the authority of an address. Source: RFC 3986, section 3.
_BEFORE_PATH = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/]*")

#: Header parameters that are ignored. Source: OpenAPI 3.1.1, section 4.8.12.2.1.
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})


def build_operations(builder: Builder) -> Iterator[Operation]:
    """Yield the document's operations in its order."""
    root = Place("", ())
    _, top = builder.at(root)
    paths = top.get("paths")
    for template in paths if isinstance(paths, dict) else ():
        if template.startswith("x-"):
            continue
        written = root.child("paths", template)
        if not template.startswith("/"):
            builder.report(written, f"the path {template!r} doesn't begin with '/'", "begin it with '/'")
            continue
        place, item = builder.at(written)
        for method in METHODS:
            if method in item:
                yield _operation(builder, place.child(method), template, method, item, top)


def _operation(
    builder: Builder, written: Place, template: str, method: str, item: Mapping[str, Any], top: Mapping[str, Any]
) -> Operation:
    place, value = builder.at(written)
    servers = value.get("servers") or item.get("servers") or top.get("servers") or [{"url": "/"}]
    parameters = _parameters(builder, [written.parent, place])
    _declared(builder, place, template, parameters)
    body = _request_body(builder, place.child("requestBody")) if "requestBody" in value else None
    responses = {
        status: _response(builder, place.child("responses", status), status)
        for status in (value.get("responses") or {})
        if not status.startswith("x-")
    }
    upper = method.upper()
    return Operation(
        id=str(value.get("operationId") or f"{upper} {template}"),
        method=upper,
        path=_prefix(builder, place, servers) + template,
        template=template,
        pointer=str(place),
        summary=str(value.get("summary", "")),
        parameters=parameters,
        request_body=body,
        responses=responses,
        examples=tuple(build_examples(builder, place, body, upper, parameters, responses)),
        rejects_with=422 if "422" in responses else 400,
        request_fields=_request_fields(builder, body),
        security=tuple(_security(builder, place, value, top)),
        schemas=builder.schemas,
    )


def _prefix(builder: Builder, place: Place, servers: Any) -> str:
    """Return the path of the first server's address, its variables filled with their defaults."""
    server = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], dict) else {}
    path = server_path(server)
    if path is None:
        url = str(server.get("url"))
        builder.report(place, f"the server {url!r} has a variable without a default", "describe it in 'variables'")
    return path or ""


def server_path(server: Mapping[str, Any]) -> str | None:
    """Return the path of a server's address, None if it has a variable without a default."""
    url, variables = str(server.get("url", "/")), server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        url = url.replace("{" + name + "}", str(variable.get("default", "")) if isinstance(variable, dict) else "")
    path = unquote(_BEFORE_PATH.sub("", url)).strip("/")
    if "{" in path:
        return None
    return "/" + path if path else ""


def _security(
    builder: Builder, place: Place, value: Mapping[str, Any], top: Mapping[str, Any]
) -> Iterator[tuple[str, ...]]:
    """Yield an operation's security requirements: its own, else the document's."""
    own = "security" in value
    holder = (place if own else Place("", ())).child("security")
    components = top.get("components")
    schemes = (components.get("securitySchemes") if isinstance(components, dict) else None) or {}
    listed = (value if own else top).get("security") or []
    if not isinstance(listed, list) or not all(isinstance(requirement, dict) for requirement in listed):
        builder.report(holder, "'security' must be a list of objects", "write each requirement as an object")
        return
    for index, requirement in enumerate(listed):
        for name in requirement:
            if name not in schemes:  # ignored, it would admit unauthenticated requests
                problem = f"unknown security scheme {name!r}"
                builder.report(holder.child(index), problem, "describe it in components.securitySchemes")
        yield tuple(requirement)


def _parameters(builder: Builder, holders: list[Place]) -> tuple[Parameter, ...]:
    """Return the parameters of an operation and its path item; the operation's replace those of the path item."""
    found: dict[tuple[str, str], Parameter] = {}
    for holder in holders:
        _, value = builder.at(holder)
        for index in range(len(value.get("parameters") or ())):
            place, described = builder.at(holder.child("parameters", index))
            name, where = str(described.get("name")), str(described.get("in"))
            if where not in STYLES:
                builder.report(
                    place.child("in"), f"a parameter can't be in {where!r}", f"use one of {', '.join(STYLES)}"
                )
                continue
            if where == "header" and name.lower() in _IGNORED_HEADERS:
                continue
            found[where, name] = build_parameter(builder, place, described, name, where, "request")
    return tuple(sorted(found.values(), key=lambda parameter: list(STYLES).index(parameter.place)))


def build_parameter(
    builder: Builder, place: Place, value: Mapping[str, Any], name: str, where: str, direction: Direction
) -> Parameter:
    """Return one parameter or header, its schema compiled; `where` is one of the places that STYLES names."""
    content = value.get("content") if isinstance(value.get("content"), dict) else {}
    schema = place.child("schema") if "schema" in value else None
    if content:
        media = place.child("content", next(iter(content)))
        schema = media.child("schema") if "schema" in builder.at(media)[1] else None
    elif schema is None:
        builder.report(place, f"the parameter {name!r} has no schema", "add 'schema', {} if any text will do")
    style = str(value.get("style", STYLES[where]))
    _, schema_value = builder.at(schema) if schema else (None, {})
    return Parameter(
        name=name.lower() if where == "header" else name,
        place=where,
        required=value.get("required") is True,
        pointer=str(place),
        style=style,
        explode=bool(value.get("explode", style == "form")),
        shape=_shape(builder, schema),
        schema=schema,
        validator=builder.validator(schema, direction) if schema else None,
        json=bool(content),
        default=schema_value.get("default", MISSING),
        example=_example(builder, place, value, schema_value),
    )


def _example(builder: Builder, place: Place, value: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    if "example" in value:
        return value["example"]
    for name in value.get("examples") or ():
        return builder.at(place.child("examples", name))[1].get("value", MISSING)
    examples = schema.get("examples")
    return schema.get("example", examples[0] if isinstance(examples, list) and examples else MISSING)


def _shape(builder: Builder, schema: Place | None) -> Shape:
    """Return the types that a parameter's text may become, its references followed."""
    if schema is None:
        return Shape()
    place, value = builder.at(schema)
    properties = value.get("properties")
    return Shape(
        types=_types(builder, schema),
        items=_types(builder, place.child("items")) if "items" in value else (),
        properties={name: _types(builder, place.child("properties", name)) for name in properties or ()},
    )


def _types(builder: Builder, schema: Place, depth: int = 0) -> tuple[str, ...]:
    """Return the types of a schema, those of its choices included."""
    place, _ = builder.at(schema)
    value = builder.schemas.at(place)
    if not isinstance(value, dict) or depth > 8:
        return ()
    own = value.get("type", [])
    types = [own] if isinstance(own, str) else [str(kind) for kind in own] if isinstance(own, list) else []
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index in range(len(value.get(keyword) or ())):  # type: ignore[arg-type]
            types.extend(_types(builder, place.child(keyword, index), depth + 1))
    return tuple(dict.fromkeys(types))


def _declared(builder: Builder, place: Place, template: str, parameters: tuple[Parameter, ...]) -> None:
    """Note path parameters that the path doesn't have, and names in the path that nothing declares."""
    names = names_in(without_query(template)[0])
    declared = [parameter.name for parameter in parameters if parameter.place == "path"]
    for name in names:
        if names.count(name) > 1:
            builder.report(place, f"the path names {{{name}}} twice", "give each part its own name")
            break
        if name not in declared:
            builder.report(
                place, f"the path's {{{name}}} is not declared", "add a parameter of that name with 'in: path'"
            )
    for name in declared:
        if name not in names:
            builder.report(place, f"the path has no {{{name}}}", "put it into the path, or take the parameter out")


def _request_body(builder: Builder, written: Place) -> RequestBody:
    place, value = builder.at(written)
    return RequestBody(str(place), value.get("required") is True, build_content(builder, place, value, "request"))


def _request_fields(builder: Builder, body: RequestBody | None) -> frozenset[str]:
    """Return the fields of a body that its schemas list."""
    schemas = [media.schema for media in body.content.values() if media.schema] if body else []
    return frozenset(name for schema in schemas for name in properties_of(builder.document, schema))


def _response(builder: Builder, written: Place, status: str) -> Response:
    place, value = builder.at(written)
    headers = []
    for name in value.get("headers") or ():
        header, described = builder.at(place.child("headers", name))
        if name.lower() != "content-type":  # OpenAPI 3.1.1, section 4.8.17: it is ignored
            headers.append(build_parameter(builder, header, described, name, "header", "reply"))
    content = build_content(builder, place, value, "reply")
    links = tuple(build_links(builder, place, value))
    return Response(status, str(place), str(value.get("description", "")), content, tuple(headers), links)
