"""The reference server's operations on knowledge bases, as routes of its application."""

from collections.abc import Callable, Mapping
from email import message_from_bytes
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response
from pydantic import BaseModel, Field, StrictFloat, StrictInt

from benchmarks.detection.hooks import Fields, ServerHooks
from benchmarks.detection.knowledge import Knowledge
from benchmarks.detection.resources import list_fields, model_of, replied

ROOT = "/api/v1/control/knowledge-bases"
BASE = f"{ROOT}/{{base}}"
INDEXES = f"{BASE}/indexes"
INDEX = f"{INDEXES}/{{index}}"
DOCUMENTS = f"{INDEX}/documents"
INDEXINGS = f"{INDEX}/indexings"
#: The kinds of request whose fields a deployment may change.
LIST_OBJECTS, CREATE_BASE, UPDATE_BASE, CREATE_INDEX, SEARCH = (
    "list-objects",
    "create-base",
    "update-base",
    "create-index",
    "search",
)
Text = str | None
#: Answers an operation, by its name and with its arguments.
Replying = Callable[..., Response]


class Policy(BaseModel):
    """When the indexes are refreshed."""

    policy_type: str


def base_fields() -> Fields:
    """Return the fields of a new knowledge base."""
    return {
        "name": (Text, Field(None, max_length=256)),
        "description": (Text, None),
        "index_refresh_policy": (Policy, ...),
        "data_origin_type": (Literal["DATA_SOURCES", "LOCAL_FILES"], ...),
    }


def index_fields() -> Fields:
    """Return the fields of a new index."""
    return {
        "name": (Text, Field(None, max_length=256)),
        "description": (Text, None),
        "embeddings_model_endpoint": (str, ...),
        "text_splitting": (str, ...),
        "chunk_size": (StrictInt, Field(ge=100)),
        "chunk_overlap": (StrictInt, Field(0, ge=0)),
    }


def search_fields() -> Fields:
    """Return the fields of a search."""
    return {
        "text": (str, ...),
        "top_k": (Annotated[StrictInt, Field(ge=1)] | None, None),
        "similarity_cutoff": (StrictFloat | None, None),
    }


def _optional(fields: Fields) -> Fields:
    return {name: (kind | None, None) for name, (kind, _) in fields.items()}


FIELDS: Mapping[str, Callable[[], Fields]] = {
    LIST_OBJECTS: lambda: {name: kind for name, kind in list_fields().items() if not name.endswith("_id")},
    CREATE_BASE: base_fields,
    UPDATE_BASE: lambda: _optional(base_fields()),
    CREATE_INDEX: index_fields,
    SEARCH: search_fields,
}


def add_knowledge(app: FastAPI, hooks: ServerHooks, knowledge: Knowledge) -> None:
    """Add the operations on knowledge bases to an application."""
    query, create, update, create_index, search = (model_of(hooks, kind, FIELDS) for kind in FIELDS)

    def reply(operation: str, *arguments: Any) -> Response:
        method = getattr(knowledge, operation.replace("-", "_"))
        return replied(hooks, operation, lambda: method(*arguments))

    add_bases(app, reply, query, create, update)
    add_indexes(app, reply, query, create_index, search)
    add_documents(app, reply, query)


def sent(model: Any) -> Any:
    """Return what a body had of a model's fields."""
    return model.model_dump(mode="json", exclude_unset=True)


def add_bases(app: FastAPI, reply: Replying, query: Any, create: Any, update: Any) -> None:
    """Add the operations on knowledge bases themselves to an application."""

    @app.get(ROOT)
    async def list_bases(asked: Annotated[query, Query()]) -> Response:
        return reply("list-bases", asked.model_dump(mode="json"))

    @app.post(ROOT)
    async def create_base(asked: create) -> Response:
        return reply("create-base", sent(asked))

    @app.get(BASE)
    async def get_base(base: str) -> Response:
        return reply("get-base", base)

    @app.post(BASE)
    async def update_base(base: str, asked: update) -> Response:
        return reply("update-base", base, sent(asked))

    @app.delete(BASE)
    async def delete_base(base: str) -> Response:
        return reply("delete-base", base)


def add_indexes(app: FastAPI, reply: Replying, query: Any, create_index: Any, search: Any) -> None:
    """Add the operations on indexes to an application."""

    @app.get(INDEXES)
    async def list_indexes(base: str, asked: Annotated[query, Query()]) -> Response:
        return reply("list-indexes", base, asked.model_dump(mode="json"))

    @app.post(INDEXES)
    async def new_index(base: str, asked: create_index) -> Response:
        return reply("create-index", base, sent(asked))

    @app.get(INDEX)
    async def get_index(base: str, index: str) -> Response:
        return reply("get-index", base, index)

    @app.post(f"{INDEX}/search")
    async def searched(base: str, index: str, asked: search) -> Response:
        return reply("search", base, index, sent(asked))


def file_in(content_type: str, body: bytes) -> tuple[str | None, str, bytes]:
    """Return name, media type and content of the part `file` of a form; the name is None without one."""
    form = message_from_bytes(f"content-type: {content_type}\r\n\r\n".encode() + body)
    for part in form.get_payload() if form.is_multipart() else ():
        if not isinstance(part, str) and part.get_param("name", header="content-disposition") == "file":
            content = part.get_payload(decode=True)
            return part.get_filename() or "", part.get_content_type(), content if isinstance(content, bytes) else b""
    return None, "", b""


def add_documents(app: FastAPI, reply: Replying, query: Any) -> None:
    """Add the operations on documents and indexings to an application."""

    @app.get(DOCUMENTS)
    async def list_documents(base: str, index: str, asked: Annotated[query, Query()]) -> Response:
        return reply("list-documents", base, index, asked.model_dump(mode="json"))

    @app.post(DOCUMENTS)
    async def upload(base: str, index: str, request: Request) -> Response:
        return reply("upload", base, index, *file_in(request.headers.get("content-type", ""), await request.body()))

    @app.get(f"{DOCUMENTS}/{{document}}")
    async def get_document(base: str, index: str, document: str) -> Response:
        return reply("get-document", base, index, document)

    @app.delete(f"{DOCUMENTS}/{{document}}")
    async def delete_document(base: str, index: str, document: str) -> Response:
        return reply("delete-document", base, index, document)

    @app.get(INDEXINGS)
    async def list_indexings(base: str, index: str, asked: Annotated[query, Query()]) -> Response:
        return reply("list-indexings", base, index, asked.model_dump(mode="json"))

    @app.post(INDEXINGS)
    async def create_indexing(base: str, index: str) -> Response:
        return reply("create-indexing", base, index)

    @app.get(f"{INDEXINGS}/{{indexing}}")
    async def get_indexing(base: str, index: str, indexing: str) -> Response:
        return reply("get-indexing", base, index, indexing)

    @app.post(f"{INDEXINGS}/{{indexing}}/cancel")
    async def cancel(base: str, index: str, indexing: str) -> Response:
        return reply("cancel", base, index, indexing)

    @app.get(f"{INDEX}/active-indexing")
    async def active(base: str, index: str) -> Response:
        return reply("active", base, index)
