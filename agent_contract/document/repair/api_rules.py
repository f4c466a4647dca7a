"""Repair rules for everything in a document but its schemas: paths, operations, parameters, replies and security."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from agent_contract.document.object_types import METHODS
from agent_contract.document.repair.rule import DocumentPart, RepairRule

_NAME = re.compile(r"\{([^{}]*)\}")
_PLACES = ("path", "query", "header", "cookie")
#: The fields of a parameter of Swagger 2.0 that are keywords of its schema.
SCHEMA_FIELDS = (
    *("type", "format", "items", "default", "enum", "pattern", "multipleOf", "uniqueItems"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems"),
)


def _version(part: DocumentPart) -> str | None:
    """A version that does not exist, or that is written as a number (`3.0`), or none in a document with paths."""
    version = part.value.get("openapi")
    if isinstance(version, str) and re.match(r"3\.[012]\.", version):
        return None
    if not isinstance(version, (str, int, float)) or isinstance(version, bool):
        if not isinstance(part.value.get("paths"), dict):
            return None
        part.value["openapi"] = "3.1.0"
        return "the document names no version of OpenAPI"
    minor = re.match(r"\s*v?3(?:\.([0-9]{1,3}))?", str(version))
    if minor is None:
        return None  # OpenAPI 4, or something else: it is refused
    part.value["openapi"] = f"3.{min(int(minor[1] or 1), 2)}.0"
    return f"OpenAPI {version!r}"


def _dialect(part: DocumentPart) -> str | None:
    from agent_contract.document.dialects import DIALECTS

    if isinstance(part.item, str) and part.item.rstrip("#") in DIALECTS:
        return None
    dialect = part.value.pop("jsonSchemaDialect")
    return f"the schema dialect {str(dialect)[:80]!r}"


def _slash(part: DocumentPart) -> str | None:
    """Paths without a slash at the start, among them whole addresses."""
    wrong = [path for path in part.value if not path.startswith(("/", "x-"))]
    for path in wrong:
        item = part.value.pop(path)
        address = urlsplit(path) if "://" in path else None
        read = f"/{path.lstrip('./')}" if address is None else address.path or "/"
        part.value.setdefault(read, item)
    return f"the path {wrong[0]!r} doesn't begin with '/'" if wrong else None


def _alike(part: DocumentPart) -> str | None:
    """Paths that differ only in the names of their parameters, for the same method: the first one answers."""
    seen: dict[tuple[str, str], str] = {}
    found = []
    for template, item in part.value.items():
        if not isinstance(item, dict) or template.startswith("x-") or "servers" in item:
            continue
        shape = _NAME.sub("{}", unquote(template))
        for method in [method for method in METHODS if method in item]:
            first = seen.setdefault((shape, method), template)
            if first != template:
                del item[method]
                found.append(f"{method.upper()} {template!r} can't be told apart from {first!r}")
    return "; ".join(found[:3]) if found else None


def _names_twice(part: DocumentPart) -> str | None:
    """A path that names a parameter twice: the second one gets a name of its own."""
    found = None
    for template in list(part.value):
        names = _NAME.findall(template)
        if template.startswith("x-") or len(set(names)) == len(names):
            continue
        seen: dict[str, int] = {}

        def renamed(match: re.Match[str], seen: dict[str, int] = seen) -> str:
            seen[match[1]] = seen.get(match[1], 0) + 1
            return match[0] if seen[match[1]] == 1 else f"{{{match[1]}_{seen[match[1]]}}}"

        found = f"the path {template!r} has a name twice"
        part.value.setdefault(_NAME.sub(renamed, template), part.value.pop(template))
    return found


def _operation_id(part: DocumentPart) -> str | None:
    """An operationId that another operation has, or that is not text."""
    name = part.item
    if part.place.tokens[:1] != ("paths",):
        return None
    if not isinstance(name, str) or not name:
        del part.value["operationId"]
        return f"the operationId {name!r}"
    if name in part.state.operation_ids:
        del part.value["operationId"]
        return f"the operationId {name!r} is that of another operation too"
    part.state.operation_ids[name] = part.place
    return None


def _path_parameters(part: DocumentPart) -> str | None:
    """Names in the path that no parameter declares, and path parameters that the path doesn't have."""
    tokens = part.place.tokens
    if len(tokens) != 3 or tokens[0] != "paths" or part.place.file:
        return None
    names = list(dict.fromkeys(_NAME.findall(tokens[1])))
    declared = list(_declared_in_path(part))
    superfluous = [name for listed, index, name in declared if name not in names and part.state.remove(listed, index)]
    missing = [name for name in names if name not in {name for _, _, name in declared}]
    if missing and not isinstance(part.value.get("parameters"), list):
        part.value["parameters"] = []
    for name in missing:
        added = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        part.value["parameters"].append(added)
    found = [f"the path has no {{{name}}}" for name in superfluous]
    return "; ".join([*found, *(f"the path's {{{name}}} is not declared" for name in missing)]) or None


def _declared_in_path(part: DocumentPart) -> Iterator[tuple[list[Any], int, Any]]:
    """Yield the path parameters of an operation and its path: the list that holds one, its index and its name."""
    try:
        item = part.document.at(part.place.parent)
    except LookupError:  # the path was left out
        return
    for holder in (item, part.value):
        listed = holder.get("parameters") if isinstance(holder, dict) else None
        for index, written in enumerate(listed if isinstance(listed, list) else ()):
            described = part.follow(written)
            if isinstance(described, dict) and described.get("in") == "path":
                yield listed, index, str(described.get("name"))  # type: ignore[misc]


def _responses(part: DocumentPart) -> str | None:
    """Statuses that are not one: `2xx`, `200 OK`, `success`."""
    wrong = [status for status in part.value if not _status(status)]
    for status in wrong:
        response = part.value.pop(status)
        digits = re.match(r"\s*([1-5])([0-9]{2}|[xX*?]{2})", status)
        if digits:
            rest = digits[2] if digits[2].isdigit() else "XX"
            part.value.setdefault(digits[1] + rest, response)
    return f"the status {wrong[0]!r}" if wrong else None


def _status(status: str) -> bool:
    return bool(re.fullmatch(r"[1-5](?:[0-9]{2}|XX)|default|x-.*", status, re.DOTALL))


def _requirement(part: DocumentPart) -> str | None:
    """Security requirements that are not a list of maps, or that name a scheme that is not described."""
    value = part.item
    listed = value if isinstance(value, list) else [] if value is None else [value]
    read = [{item: []} if isinstance(item, str) else item for item in listed]
    read = [item for item in read if isinstance(item, dict)]
    found = None
    if read != value:
        part.value["security"] = read
        found = "'security' is not a list of maps"
    root: Any = part.document.files[""]
    components = root.get("components")
    if not isinstance(components, dict):
        components = root["components"] = {}
    schemes = components.get("securitySchemes")
    if not isinstance(schemes, dict):
        schemes = components["securitySchemes"] = {}
    for name in (name for requirement in read for name in requirement):
        if name not in schemes:
            schemes[name] = {"type": "http", "scheme": "bearer"}
            found = f"unknown security scheme {name!r}"
    return found


def _scheme(part: DocumentPart) -> str | None:
    """A security scheme without a type."""
    if "type" in part.value or "$ref" in part.value:
        return None
    value = part.value
    if "in" in value:
        value["type"] = "apiKey"
    elif "flows" in value or "flow" in value:
        value["type"] = "oauth2"
    elif "openIdConnectUrl" in value:
        value["type"] = "openIdConnect"
    else:
        value["type"], value["scheme"] = "http", str(value.get("scheme", "bearer"))
    return "the security scheme has no 'type'"


def _nameless(part: DocumentPart) -> str | None:
    """A parameter without a name, without a place, or in a place that does not exist."""
    value = part.value
    if "$ref" in value:
        return None
    if value.get("in") in _PLACES and isinstance(value.get("name"), str):
        return None
    part.left_out = True
    if value.get("in") in ("body", "formData"):
        return f"the parameter {value.get('name')!r} is in {value['in']!r}"
    return f"the parameter {value.get('name')!r} has no usable 'name' and 'in'"


def _no_schema(part: DocumentPart) -> str | None:
    """A parameter or header without a schema: Swagger's fields are read as one, else any text is accepted."""
    value = part.value
    if "$ref" in value or "schema" in value or isinstance(value.get("content"), dict):
        return None
    schema = {name: value.pop(name) for name in SCHEMA_FIELDS if name in value}
    value["schema"] = schema
    value.pop("content", None)
    return "it has no 'schema', but keywords of one" if schema else "it has no 'schema'"


def _empty_content(part: DocumentPart) -> str | None:
    """`content` without a media type in a parameter."""
    if part.item == {}:
        del part.value["content"]
        part.value.setdefault("schema", {})
        return "'content' is empty"
    return None


def _no_content(part: DocumentPart) -> str | None:
    if "$ref" in part.value or isinstance(part.value.get("content"), dict):
        return None
    schema = part.value.pop("schema", {})
    part.value["content"] = {"*/*": {"schema": schema} if schema else {}}
    return "the request body has no 'content'"


def _server_variable(part: DocumentPart) -> str | None:
    """A server whose address has a variable without a default."""
    url = str(part.value.get("url", ""))
    variables = part.value.get("variables")
    variables = variables if isinstance(variables, dict) else {}
    missing = [
        name
        for name in _NAME.findall(url)
        if not isinstance(variables.get(name), dict) or "default" not in variables[name]
    ]
    if not missing:
        return None
    for name in missing:
        described = variables.get(name)
        choices = described.get("enum") if isinstance(described, dict) else None
        variables[name] = {"default": str(choices[0]) if isinstance(choices, list) and choices else name}
    part.value["variables"] = variables
    return f"the server's {{{missing[0]}}} has no default"


def _bare_example(part: DocumentPart) -> str | None:
    """Examples that are the values themselves, in a list or a map."""
    value = part.item
    if isinstance(value, dict):
        bare = [name for name, item in value.items() if not isinstance(item, dict)]
        for name in bare:
            value[name] = {"value": value[name]}
        return f"the example {bare[0]!r} is a bare value" if bare else None
    if isinstance(value, list):
        objects = [item if isinstance(item, dict) and "value" in item else {"value": item} for item in value]
        part.value["examples"] = {str(index): item for index, item in enumerate(objects)}
    else:
        part.value["examples"] = {} if value is None else {"0": {"value": value}}
    return "'examples' is not a map"


def _link(part: DocumentPart) -> str | None:
    """A link that names no operation of this document."""
    value = part.value
    if "$ref" in value:
        return None
    name, reference = value.get("operationId"), value.get("operationRef")
    if (isinstance(name, str) and name in part.state.operation_ids) or (
        name is None and part.target(reference) is not None
    ):
        return None
    part.left_out = True
    return f"the link names the unknown operation {str(name or reference)[:80]!r}"


def _foreign_extension(part: DocumentPart) -> str | None:
    """`x-examples` and `x-clauses` of another tool, which mean something else there."""
    value = part.item
    if part.field == "x-clauses":
        if isinstance(value, list) and all(isinstance(item, dict) and "sentence" in item for item in value):
            return None
    elif isinstance(value, dict) and all(isinstance(item, dict) and "x-exchange" in item for item in value.values()):
        return None
    del part.value[part.field]
    return f"{part.field!r} of another tool"


API_RULES: tuple[RepairRule, ...] = (
    RepairRule(
        *("unknown-version", "openapi", ()),
        "`openapi: 3.0` as a number, a version 3 that does not exist, or no version in a document with paths",
        "the nearest version is read, 3.1 if there is none",
        "read",
        _version,
    ),
    RepairRule(
        *("unknown-dialect", "openapi", ("jsonSchemaDialect",)),
        "`jsonSchemaDialect` that is not 2020-12",
        "schemas are read as 2020-12",
        "unchecked",
        _dialect,
    ),
    RepairRule(
        *("path-without-slash", "paths", ()),
        "a path that doesn't begin with `/`",
        "the slash is added; of an address, its path is read",
        "read",
        _slash,
    ),
    RepairRule(
        *("path-name-twice", "paths", ()),
        "a path that has the same parameter twice",
        "the second one is called `name_2`",
        "read",
        _names_twice,
    ),
    RepairRule(
        *("paths-alike", "paths", ()),
        "paths that differ only in the names of their parameters, with the same method",
        "the first one answers",
        "left out",
        _alike,
    ),
    RepairRule(
        *("operation-id", "operation", ("operationId",)),
        "an `operationId` that is used twice, or is not text",
        "the later operation is named by its method and path",
        "read",
        _operation_id,
    ),
    RepairRule(
        *("path-parameter", "operation", ()),
        "a name in the path that no parameter declares, or a path parameter that the path doesn't have",
        "the name takes any text; the parameter is left out",
        "unchecked",
        _path_parameters,
    ),
    RepairRule(
        *("unknown-status", "responses", ()),
        "a status such as `2xx`, `200 OK` or `success`",
        "the number is read; without one, the reply is left out",
        "read",
        _responses,
    ),
    RepairRule(
        *("unknown-security-scheme", "operation", ("security",)),
        "a security requirement that names a scheme that is not described, or is not a list of maps",
        "the scheme is read as a bearer token",
        "read",
        _requirement,
    ),
    RepairRule(
        *("unknown-security-scheme", "openapi", ("security",)),
        "a security requirement that names a scheme that is not described, or is not a list of maps",
        "the scheme is read as a bearer token",
        "read",
        _requirement,
    ),
    RepairRule(
        *("scheme-without-type", "security-scheme", ()),
        "a security scheme without `type`",
        "its other fields decide; without one, it is a bearer token",
        "read",
        _scheme,
    ),
    RepairRule(
        *("nameless-parameter", "parameter", ()),
        "a parameter without `name` or `in`, or in a place that does not exist",
        "the parameter is left out",
        "left out",
        _nameless,
    ),
    *[
        RepairRule(
            *("parameter-without-schema", kind, ()),
            "a parameter or header without `schema`",
            "keywords of Swagger 2.0 next to it are its schema; without them, any text is accepted",
            "unchecked",
            _no_schema,
        )
        for kind in ("parameter", "header")
    ],
    *[
        RepairRule(
            *("empty-content", kind, ("content",)),
            "`content: {}` of a parameter or header",
            "any text is accepted",
            "unchecked",
            _empty_content,
        )
        for kind in ("parameter", "header")
    ],
    RepairRule(
        *("body-without-content", "request-body", ()),
        "a request body without `content`",
        "any body is accepted",
        "unchecked",
        _no_content,
    ),
    RepairRule(
        *("server-variable", "server", ()),
        "a variable of a server's address without a default",
        "the first of its `enum` is used, else its name",
        "read",
        _server_variable,
    ),
    *[
        RepairRule(
            *("bare-example", kind, ("examples",)),
            "`examples` of a media type, parameter or header as a list, or as bare values",
            "each is read as the `value` of an example",
            "read",
            _bare_example,
        )
        for kind in ("media-type", "parameter", "header")
    ],
    *[
        RepairRule(
            *("foreign-extension", kind, (field,)),
            "`x-examples` or `x-clauses` that another tool wrote",
            "it is ignored",
            "read",
            _foreign_extension,
        )
        for kind, field in (("operation", "x-examples"), ("operation", "x-clauses"), ("schema", "x-clauses"))
    ],
)

#: Applied when everything else is repaired: it needs all operationIds.
LAST_RULES: tuple[RepairRule, ...] = (
    RepairRule(
        *("link-to-nothing", "link", ()),
        "a link to an operation that does not exist",
        "the link is left out",
        "left out",
        _link,
    ),
)
