"""The versions of OpenAPI and the schema dialects that are read."""

from __future__ import annotations

#: What `jsonSchemaDialect` may name. Source: OpenAPI 3.1.1, section 4.8.24.5.
DIALECTS = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://spec.openapis.org/oas/3.1/dialect/base",
    "https://spec.openapis.org/oas/3.2/dialect/2025-09-17",
)
READ_VERSIONS = ("3.0.", "3.1.", "3.2.")
