"""Small documents, each with one fault or one feature, in a short form that `document_of` writes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "small"


@dataclass(frozen=True, slots=True)
class SmallDocument:
    """One document: its text, the names of the rules that repair it, and the request that is sent to it.

    `status` is the status of the reply, `reply` its JSON, `ANY` for any. `files` are the other files that it refers to.
    """

    name: str
    text: str
    rules: tuple[str, ...]
    request: dict[str, Any]
    status: int
    reply: Any
    files: dict[str, str]


#: The reply of a document for which any valid one is right.
ANY: Any = object()


def read_small_documents() -> Iterator[SmallDocument]:
    """Yield the small documents, in the order of their files."""
    for file in sorted(FOLDER.glob("*.yaml")):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8")):
            yield SmallDocument(
                name=f"{file.stem}: {entry['name']}",
                text=entry["text"] if "text" in entry else yaml.safe_dump(document_of(entry), sort_keys=False),
                rules=tuple(entry.get("rules", ())),
                request={"method": "GET", "path": "/things", **entry.get("request", {})},
                status=entry.get("status", 200),
                reply=entry.get("reply", ANY),
                files=entry.get("files", {}),
            )


def document_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the document of an entry: `document` as it is, or what is around a part.

    A `schema` is that of a reply, `parameter` and `operation` are parts of `GET /things`, `paths` are all paths, and
    `top` are fields of the document.
    """
    if "document" in entry:
        return dict(entry["document"])
    content = {"application/json": {"schema": entry["schema"]}} if "schema" in entry else entry.get("content")
    response = {"description": "ok", **({"content": content} if content else {})}
    operation: dict[str, Any] = {"operationId": "list", "responses": {"200": response}}
    if "parameter" in entry:
        operation["parameters"] = [entry["parameter"]]
    operation |= entry.get("operation", {})
    return {
        "openapi": entry.get("version", "3.1.0"),
        "info": {"title": "Small", "version": "1"},
        "paths": entry.get("paths", {"/things": {"get": operation}}),
        **({"components": entry["components"]} if "components" in entry else {}),
        **entry.get("top", {}),
    }
