"""Resources of the control plane: knowledge bases, indexes, documents and indexings have the same form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

#: The stored value of a configured resource that was deleted.
DELETED = b""


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """A kind of resource: its name in messages, its `object`, and its parameter in paths.

    `unknown` is the part after the dot of the clause about an unknown id.
    """

    name: str
    object: str
    parameter: str
    unknown: str


KNOWLEDGE_BASE = ResourceKind("knowledge base", "knowledge_base", "knowledge_base_id", "base-unknown")
INDEX = ResourceKind("index", "index", "index_id", "index-unknown")
DOCUMENT = ResourceKind("document", "document", "document_id", "document-unknown")
INDEXING = ResourceKind("indexing", "indexing", "indexing_id", "indexing-unknown")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: `id` is a uuid in lower case, `fields` are the fields of the API except `id` and `object`.

    `hidden` are values that the mock keeps and the API does not show.
    """

    kind: ResourceKind
    id: str
    fields: Mapping[str, Any]
    hidden: Mapping[str, Any] = field(default_factory=dict)

    def setting(self, name: str, absent: Any = None) -> Any:
        """Return a field of the API; `absent` if it is null or missing."""
        value = self.fields.get(name)
        return absent if value is None else value

    def as_json(self, **more: Any) -> dict[str, Any]:
        """Return the resource as the API returns it, with `more` fields; those that are None are left out."""
        shown = {"id": self.id, "object": self.kind.object, **self.fields, **more}
        return {name: value for name, value in shown.items() if value is not None}

    def encode(self) -> bytes:
        """Return the stored value."""
        return orjson.dumps([dict(self.fields), dict(self.hidden)])


def decode_resource(kind: ResourceKind, id: str, stored: bytes) -> Resource | None:
    """Return the resource that `encode` wrote, None for a deleted one."""
    if stored == DELETED:
        return None
    fields, hidden = orjson.loads(stored)
    return Resource(kind, id, fields, hidden)
