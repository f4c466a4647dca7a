"""What can be wrong with indexes and with searching them."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StrictInt

from benchmarks.detection.field_mutators import retyped
from benchmarks.detection.knowledge import Knowledge, Object
from benchmarks.detection.knowledge_routes import CREATE_INDEX, SEARCH
from benchmarks.detection.mutants.mutant import planting
from server_defects.defect import MANAGED
from server_defects.resource_mutators import always, answering, with_status, without

indexes = planting("indexes", family="indexes", options=MANAGED)


class ListsNoIndex(Knowledge):
    """Lists no index."""

    def list_indexes(self, base: str, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return self.page([], query)


class AnswersAnyIndex(Knowledge):
    """Takes an unknown index for the first one."""

    def of_index(self, base: str, index: str) -> Object:  # noqa: D102
        return self.indexes.get(index) or next(iter(self.indexes.values()), {"id": index})


class OverlapsByDefault(Knowledge):
    """Lets chunks overlap if the request has no overlap."""

    def create_index(self, base: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().create_index(base, {"chunk_overlap": 20, **sent})


class TakesAnyModel(Knowledge):
    """Creates an index of a model that does not exist."""

    def create_index(self, base: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().create_index(base, {**sent, "embeddings_model_endpoint": "bge-small-en"})


MUTANTS = (
    indexes("index-create-fails", "create", "Fails on a create.", resource=always("create-index", 500, "Error")),
    indexes(
        "index-202",
        "create-status",
        "Answers a create of an index with 200.",
        resource=with_status("create-index", 201, 200),
    ),
    indexes(
        "index-chunk-size-in-words",
        "conforms",
        "Sends the size of chunks as text.",
        resource=answering("create-index", lambda value: {**value, "chunk_size": "100"}),
    ),
    indexes(
        "index-forgets-the-base",
        "created-fields",
        "Creates an index with another knowledge base.",
        resource=answering("create-index", lambda value: {**value, "description": "An index."}),
    ),
    indexes(
        "index-object",
        "object",
        "Calls an index `kb_index`.",
        resource=answering("create-index", lambda value: {**value, "object": "kb_index"}),
    ),
    indexes(
        "index-small-refused",
        "limits-accepted",
        "Refuses chunks of 100 tokens.",
        resource_fields=retyped(CREATE_INDEX, chunk_size=(StrictInt, Field(gt=100))),
    ),
    indexes("index-overlaps", "overlap-default", "Lets chunks overlap by default.", knowledge=OverlapsByDefault),
    indexes(
        "index-no-model",
        "endpoint-required",
        "Creates an index without a model.",
        resource_fields=retyped(CREATE_INDEX, embeddings_model_endpoint=(str, "bge-small-en")),
    ),
    indexes(
        "index-no-splitting",
        "splitting-required",
        "Creates an index without a way of splitting.",
        resource_fields=retyped(CREATE_INDEX, text_splitting=(str, "SENTENCE")),
    ),
    indexes(
        "index-no-chunk-size",
        "chunk-size-required",
        "Creates an index without a chunk size.",
        resource_fields=retyped(CREATE_INDEX, chunk_size=(Annotated[StrictInt, Field(ge=100)], 100)),
    ),
    indexes(
        "index-tiny-chunks",
        "chunk-size-bound",
        "Accepts chunks of 99 tokens.",
        resource_fields=retyped(CREATE_INDEX, chunk_size=(StrictInt, Field(ge=1))),
    ),
    indexes(
        "index-negative-overlap",
        "overlap-bound",
        "Accepts a negative overlap.",
        resource_fields=retyped(CREATE_INDEX, chunk_overlap=(StrictInt, 0)),
    ),
    indexes(
        "index-any-name",
        "name-length",
        "Accepts a name of any length for an index.",
        resource_fields=retyped(CREATE_INDEX, name=(str | None, None)),
    ),
    indexes("index-any-model", "endpoint-unknown", "Accepts any model.", knowledge=TakesAnyModel),
    indexes("index-not-listed", "created-listed", "Lists no created index.", knowledge=ListsNoIndex),
    indexes("index-get-bare", "get", "Reads an index bare.", resource=answering("get-index", without("chunk_size"))),
    indexes(
        "index-counts-wrong",
        "num-documents",
        "Counts a document in an empty index.",
        resource=answering("get-index", lambda value: {**value, "num_documents": 1}),
    ),
    indexes(
        "index-ready",
        "status",
        "Sends the status READY of an index.",
        resource=answering("get-index", lambda value: {**value, "status": "READY"}),
    ),
    indexes("index-any", "index-unknown", "Answers an unknown index with another.", knowledge=AnswersAnyIndex),
    indexes("search-bare", "search", "Answers a bare array.", resource=answering("search", lambda v: v["chunks"])),
    indexes(
        "search-without-text",
        "search-text-required",
        "Answers a search that has no query.",
        resource_fields=retyped(SEARCH, text=(str, "")),
    ),
)
