"""OpenAPI's object types as tables: their fields, the required ones, and the type of object that each field holds.

Source: OpenAPI 3.0.4, section 4.7; OpenAPI 3.1.1, section 4.8; OpenAPI 3.2.0, section 4; JSON Schema 2020-12.
"""

from __future__ import annotations

from collections.abc import Mapping

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")

#: Schema keywords that hold one schema.
_ONE_SCHEMA = (
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
)

#: kind -> field -> (how the field holds them: one, list or map; the kind held). "*" is every field but extensions.
CHILDREN: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "openapi": {
        "info": ("one", "info"),
        "servers": ("list", "server"),
        "paths": ("one", "paths"),
        "webhooks": ("map", "path-item"),
        "components": ("one", "components"),
        "tags": ("list", "tag"),
    },
    "info": {},
    "server": {},
    "tag": {},
    "paths": {"*": ("one", "path-item")},
    "components": {
        "schemas": ("map", "schema"),
        "responses": ("map", "response"),
        "parameters": ("map", "parameter"),
        "examples": ("map", "example"),
        "requestBodies": ("map", "request-body"),
        "headers": ("map", "header"),
        "securitySchemes": ("map", "security-scheme"),
        "links": ("map", "link"),
        "callbacks": ("map", "callback"),
        "pathItems": ("map", "path-item"),
        "mediaTypes": ("map", "media-type"),
    },
    "path-item": {
        "servers": ("list", "server"),
        "parameters": ("list", "parameter"),
        **dict.fromkeys(METHODS, ("one", "operation")),
    },
    "operation": {
        "parameters": ("list", "parameter"),
        "requestBody": ("one", "request-body"),
        "responses": ("one", "responses"),
        "callbacks": ("map", "callback"),
        "servers": ("list", "server"),
        "x-examples": ("map", "example"),
    },
    "responses": {"*": ("one", "response")},
    "callback": {"*": ("one", "path-item")},
    "parameter": {
        "schema": ("one", "schema"),
        "content": ("map", "media-type"),
        "examples": ("map", "example"),
    },
    "header": {
        "schema": ("one", "schema"),
        "content": ("map", "media-type"),
        "examples": ("map", "example"),
    },
    "request-body": {"content": ("map", "media-type")},
    "response": {
        "headers": ("map", "header"),
        "content": ("map", "media-type"),
        "links": ("map", "link"),
    },
    "media-type": {
        "schema": ("one", "schema"),
        "itemSchema": ("one", "schema"),
        "examples": ("map", "example"),
        "encoding": ("map", "encoding"),
    },
    "encoding": {"headers": ("map", "header")},
    "example": {},
    "link": {},
    "security-scheme": {},
    "schema": {
        "$defs": ("map", "schema"),
        "properties": ("map", "schema"),
        "patternProperties": ("map", "schema"),
        "dependentSchemas": ("map", "schema"),
        "allOf": ("list", "schema"),
        "anyOf": ("list", "schema"),
        "oneOf": ("list", "schema"),
        "prefixItems": ("list", "schema"),
        **dict.fromkeys(_ONE_SCHEMA, ("one", "schema")),
    },
}

#: kind -> the fields without which nothing can be compiled.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "openapi": ("openapi",),
    "parameter": ("name", "in"),
    "request-body": ("content",),
    "security-scheme": ("type",),
}

#: kind -> the fields that the specification requires besides, without which the contract can still be read.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "openapi": ("info",),
    "info": ("title", "version"),
    "server": ("url",),
    "tag": ("name",),
    "operation": ("responses",),
    "response": ("description",),
}

#: kind -> the fields that hold plain values.
PLAIN: Mapping[str, frozenset[str]] = {
    kind: frozenset(fields.split())
    for kind, fields in {
        "openapi": "openapi jsonSchemaDialect security externalDocs",
        "info": "title summary description termsOfService contact license version",
        "server": "url name description variables",
        "tag": "name summary description externalDocs parent kind",
        "paths": "",
        "components": "",
        "path-item": "$ref summary description",
        "operation": "tags summary description externalDocs operationId deprecated security",
        "responses": "",
        "callback": "",
        "parameter": "name in description required deprecated allowEmptyValue style explode allowReserved example",
        "header": "description required deprecated allowEmptyValue style explode allowReserved example",
        "request-body": "description required",
        "response": "summary description",
        "media-type": "example",
        "encoding": "contentType style explode allowReserved",
        "example": "summary description value externalValue",
        "link": "operationRef operationId parameters requestBody description server",
        "security-scheme": "type description name in scheme bearerFormat flows openIdConnectUrl",
        "schema": "$ref $id $schema $anchor $dynamicRef $dynamicAnchor $comment $vocabulary type enum const multipleOf "
        "maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems "
        "maxContains minContains maxProperties minProperties required dependentRequired format contentEncoding "
        "contentMediaType title description default deprecated readOnly writeOnly examples example discriminator xml "
        "externalDocs nullable",
    }.items()
}

#: Schema keywords that apply to the same value as the schema that holds them.
IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
