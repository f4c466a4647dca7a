"""Schemathesis's checks that are made: by name, each with the clause that it is about."""

from __future__ import annotations

from collections.abc import Mapping

CHECKS: Mapping[str, str] = {
    "not_a_server_error": "chat.no-server-error",
    "status_code_conformance": "chat.status-documented",
    "content_type_conformance": "chat.reply-content-type",
    "response_schema_conformance": "chat.reply-conforms",
}
