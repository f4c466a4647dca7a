"""Deployments that conform, and differ in what they do with knowledge bases."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent_contract.messages import Reply, Request
from benchmarks.detection.conforming_variants.variant import Variant
from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.knowledge import Knowledge, Object
from server_defects.defect import MANAGED
from server_defects.hooks import Refusal
from server_defects.replies import json_reply

PLAIN = ServerHooks()
CONTROL = "/api/v1/control/"


def without_control(request: Request, body: bytes, number: int) -> Reply | None:
    """Answer 404 to everything of the control plane."""
    return json_reply({"detail": "Not Found"}, 404) if request.path.startswith(CONTROL) else None


def reading_alone(request: Request, body: bytes, number: int) -> Reply | None:
    """Forbid all changes of the control plane."""
    wrong = request.path.startswith(CONTROL) and request.method != "GET"
    return json_reply({"detail": "Forbidden"}, 403) if wrong else None


def bare(name: str, status: int, value: Any) -> tuple[int, Any]:
    """Leave out what may be left out, and answer other successes."""
    if name.startswith("list-") and status == 200:
        kept = ("data", "num_objects", "first_id", "last_id")
        return status, {field: value[field] for field in kept}
    if name == "create-index" and status == 201:
        return 200, value
    if name == "upload" and status == 201:
        return 202, {field: value[field] for field in ("id", "state", "knowledge_base_id", "index_id", "origin_name")}
    return status, value


class Embedding(Knowledge):
    """Finds every chunk, as a search of embeddings does; scores may be negative."""

    def found(self, index: str, text: str) -> list[Object]:  # noqa: D102
        known = super().found(index, text)
        names = {one["document_id"] for one in known}
        rest = [
            {
                **{name: document[name] for name in ("origin_name", "origin_ref", "media_type")},
                "document_id": document["id"],
                "score": -0.25,
                "text": self.texts[document["id"]],
            }
            for document in self.documents.values()
            if document["index_id"] == index and document["id"] not in names and self.state_of(document) == "DONE"
        ]
        return [*known, *rest]


class UploadsAlone(Knowledge):
    """Starts indexings of uploaded files by itself alone, and has policies of its own."""

    def create_indexing(self, base: str, index: str) -> tuple[int, Any]:  # noqa: D102
        self.of_index(base, index)
        raise Refusal("origin", 400, "An indexing of uploaded files can't be started.")

    def create_base(self, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        status, value = super().create_base(sent)
        return status, {**value, "next_index_refresh_at": None}


def variant(name: str, sentence: str, **changes: Any) -> Variant:
    """Return a variant that the judge may create knowledge bases on."""
    return Variant(name, sentence, replace(PLAIN, **changes), MANAGED)


VARIANTS = (
    variant("knowledge-none", "Has no control plane.", arrive=without_control),
    variant("knowledge-read-only", "Forbids all changes of the control plane.", arrive=reading_alone),
    variant("knowledge-bare", "Leaves out what is optional, and answers 200 and 202.", resource=bare),
    variant("knowledge-embedding", "Finds every chunk, with scores from -1 to 1.", knowledge=Embedding),
    variant("knowledge-uploads-alone", "Starts indexings by itself alone.", knowledge=UploadsAlone),
)
