"""What can be wrong with documents, with finding them, and with indexings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import StrictFloat

from benchmarks.detection.field_mutators import retyped
from benchmarks.detection.knowledge import Knowledge, Object
from benchmarks.detection.knowledge_routes import SEARCH
from benchmarks.detection.mutants.mutant import planting
from server_defects.defect import MANAGED
from server_defects.hooks import Refusal
from server_defects.resource_mutators import always, answering, each, with_status, without

documents = planting("documents", family="documents", options=MANAGED)
indexings = planting("indexings", family="indexings", options=MANAGED)
searches = planting("searches", family="indexes", options=MANAGED)


class FindsTooMany(Knowledge):
    """Finds all chunks, whatever their number."""

    def search(self, base: str, index: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().search(base, index, {**sent, "top_k": 100})


class FindsFiveByDefault(Knowledge):
    """Finds five chunks by default."""

    def search(self, base: str, index: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().search(base, index, {"top_k": 5, **sent})


class IgnoresTheCutoff(Knowledge):
    """Finds chunks whatever their scores."""

    def search(self, base: str, index: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().search(base, index, {**sent, "similarity_cutoff": None})


class FindsNoDocument(Knowledge):
    """Finds nothing that was uploaded."""

    def search(self, base: str, index: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        self.of_index(base, index)
        return 200, {"chunks": []}


class CitesNothing(Knowledge):
    """Finds nothing for a chat."""

    def context(self, agent: str, text: str) -> list[Object] | None:  # noqa: D102
        return None if super().context(agent, text) is None else []


class ListsNoDocument(Knowledge):
    """Lists no document."""

    def list_documents(self, base: str, index: str, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return self.page([], query)


class AnswersAnyDocument(Knowledge):
    """Takes an unknown document for another."""

    def of_document(self, base: str, index: str, document: str) -> Object:  # noqa: D102
        return self.documents.get(document) or {"id": document, "last_indexed_by_id": ""}

    def shown_document(self, document: Object) -> Object:  # noqa: D102
        return super().shown_document(document) if document["last_indexed_by_id"] else document


@dataclass
class Accepting(Knowledge):
    """Accepts an upload that one of its checks refuses."""

    accepted: str = ""

    def upload(self, base: str, index: str, name: str | None, media_type: str, content: bytes) -> tuple[int, Any]:  # noqa: D102
        try:
            return super().upload(base, index, name, media_type, content)
        except Refusal as refusal:
            if refusal.kind != self.accepted:
                raise
            return 201, {**self.first_of(base, index), "origin_name": name or "unnamed"}

    def first_of(self, base: str, index: str) -> Object:
        """Return a document that was accepted before, or something like one."""
        known = next(iter(self.documents.values()), None)
        return self.shown_document(known) if known else {"id": index, "state": "DONE"}


def accepting(kind: Literal["origin", "size", "empty", "duplicate", "file"]) -> Any:
    """Return the knowledge bases of a deployment that leaves out one check of an upload."""
    return lambda registry: Accepting(registry, accepted=kind)


class KeepsTheDeleted(Knowledge):
    """Answers a deletion, and keeps the document."""

    def delete_document(self, base: str, index: str, document: str) -> tuple[int, Any]:  # noqa: D102
        self.of_document(base, index, document)
        return 200, {"id": document, "object": "document", "deleted": True}


class StartsNoIndexing(Knowledge):
    """Lists no indexing."""

    def list_indexings(self, base: str, index: str, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return self.page([], query)


class QueuesManyIndexings(Knowledge):
    """Lets any number of indexings wait."""

    def create_indexing(self, base: str, index: str) -> tuple[int, Any]:  # noqa: D102
        self.of_index(base, index)
        return 201, self.shown_indexing(self.begin(base, index))


class AnswersAnyIndexing(Knowledge):
    """Takes an unknown indexing for another."""

    def of_indexing(self, base: str, index: str, indexing: str) -> Object:  # noqa: D102
        return self.indexings.get(indexing) or next(iter(self.indexings.values()))


class NamesAnotherActive(Knowledge):
    """Answers the oldest indexing as the active one."""

    def active(self, base: str, index: str) -> tuple[int, Any]:  # noqa: D102
        status, value = super().active(base, index)
        return status, {**value, "id": base}


MUTANTS = (
    searches("search-finds-all", "search-top-k", "Finds all chunks.", knowledge=FindsTooMany),
    searches("search-finds-five", "search-top-k-default", "Finds five by default.", knowledge=FindsFiveByDefault),
    searches("search-any-score", "search-cutoff", "Ignores the cutoff.", knowledge=IgnoresTheCutoff),
    searches(
        "search-without-scores",
        "search-form",
        "Finds chunks without their documents.",
        resource=answering(
            "search", lambda value: {"chunks": [without("document_id")(chunk) for chunk in value["chunks"]]}
        ),
    ),
    searches(
        "search-refuses-strangers",
        "search-unknown-keys",
        "Refuses an unknown key.",
        resource_fields=retyped(SEARCH, top_n=(StrictFloat | None, None), query=(int | None, None)),
    ),
    documents("upload-fails", "upload", "Fails on an upload.", resource=always("upload", 500, "Error")),
    documents("upload-200", "upload-status", "Answers an upload with 200.", resource=with_status("upload", 201, 200)),
    documents(
        "upload-without-state",
        "conforms",
        "Sends a document without a state.",
        resource=answering("upload", without("state")),
    ),
    documents(
        "upload-wrong-size",
        "created-fields",
        "Counts one byte more.",
        resource=answering("upload", lambda value: {**value, "size_bytes": value["size_bytes"] + 1}),
    ),
    documents(
        "upload-object",
        "object",
        "Calls a document `file`.",
        resource=answering("upload", lambda value: {**value, "object": "file"}),
    ),
    documents(
        "documents-without-state",
        "list",
        "Lists documents without their states.",
        resource=answering("list-documents", each(without("state"))),
    ),
    documents("documents-not-listed", "uploaded-listed", "Lists no document.", knowledge=ListsNoDocument),
    documents(
        "document-get-bare",
        "get",
        "Reads a document without its name.",
        resource=answering("get-document", without("origin_name")),
    ),
    documents(
        "document-ready",
        "state",
        "Sends the state FAILED.",
        resource=answering("get-document", lambda value: {**value, "state": "FAILED"}),
    ),
    documents("document-not-found", "searched", "Finds no document.", knowledge=FindsNoDocument),
    documents("document-not-cited", "cited", "Cites no document.", knowledge=CitesNothing),
    documents("document-any", "document-unknown", "Answers any document.", knowledge=AnswersAnyDocument),
    documents("upload-twice", "duplicate-name", "Accepts a name twice.", knowledge=accepting("duplicate")),
    documents("upload-without-file", "file-required", "Accepts a form without a file.", knowledge=accepting("file")),
    documents("upload-empty", "file-empty", "Accepts an empty file.", knowledge=accepting("empty")),
    documents("upload-large", "file-too-large", "Accepts a file of any size.", knowledge=accepting("size")),
    documents("upload-origin", "upload-origin", "Accepts it for data sources.", knowledge=accepting("origin")),
    documents("document-kept", "delete", "Deletes no document.", knowledge=KeepsTheDeleted),
    indexings("indexing-none", "upload-starts", "Starts no indexing.", knowledge=StartsNoIndexing),
    indexings("indexing-fails", "create", "Fails on it.", resource=always("create-indexing", 500, "Error")),
    indexings(
        "indexing-bare",
        "conforms",
        "Sends an indexing without a state.",
        resource=answering("create-indexing", without("state")),
    ),
    indexings(
        "indexing-object",
        "object",
        "Calls an indexing `job`.",
        resource=answering("create-indexing", lambda value: {**value, "object": "job"}),
    ),
    indexings("indexing-queue", "indexing-waiting", "Lets many wait.", knowledge=QueuesManyIndexings),
    indexings(
        "indexing-get-other",
        "get",
        "Reads another indexing.",
        resource=answering("get-indexing", lambda value: {**value, "id": value["index_id"]}),
    ),
    indexings(
        "indexing-running",
        "state",
        "Sends the state RUNNING.",
        resource=answering("create-indexing", lambda value: {**value, "state": "RUNNING"}),
    ),
    indexings("indexing-any", "indexing-unknown", "Answers any indexing.", knowledge=AnswersAnyIndexing),
    indexings("indexing-other-active", "active", "Names another as active.", knowledge=NamesAnotherActive),
    indexings(
        "indexing-active-empty",
        "active-none",
        "Answers null if none is active.",
        resource=with_status("active", 404, 200),
    ),
    indexings("indexing-not-cancelled", "cancel", "Refuses a cancel.", resource=always("cancel", 409, "No")),
    indexings(
        "indexing-fails-on-cancel",
        "cancelled",
        "Ends as failed when it is cancelled.",
        resource=answering("get-indexing", lambda value: {**value, "state": "FAILED"}),
    ),
)
