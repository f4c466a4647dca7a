"""Operations that upload, list, read and delete the documents of an index."""

from __future__ import annotations

import hashlib
import re
from fnmatch import fnmatchcase

from agent_contract.validation.form_body import FormFile, form_file
from mockserver.core import keys
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection, Write
from mockserver.generation.extraction import ExtractionError, media_type_of, text_of_file
from mockserver.operations.index_store import all_indexes, find_index, indexes_of
from mockserver.operations.indexing_store import (
    all_documents,
    all_indexings,
    begun,
    by_id,
    document_details,
    guard,
    saved_indexing,
    surplus,
    unfinished,
)
from mockserver.operations.resource_store import (
    check_room,
    deletion_reply,
    find_resource,
    json_reply,
    list_resources,
    removed,
    saved,
)
from mockserver.resources.resource import DOCUMENT, Resource

_WORD = re.compile(r"\w")
#: Characters of a file's name that a document keeps.
_LONGEST_NAME = 256


def upload_document(context: Context) -> Outcome:
    """Return the new document with 201, and index it; raises `Rejection` if it can't be stored or read."""
    base, index = find_index(context)
    if base.fields["data_origin_type"] != "LOCAL_FILES":
        why = "The documents of this knowledge base come from data sources (data_origin_type). Files can't be uploaded."
        raise Rejection(400, "upload-origin", why, ("path", "knowledge_base_id"), "LOCAL_FILES", "DATA_SOURCES")
    file = _file(context)
    settings, transaction, fresh = context.settings, context.transaction, context.fresh
    documents = all_documents(settings, transaction, index.id)
    check_room(context, len(documents), "documents in an index")
    _check_name(context, file.name, base.id)
    media_type = media_type_of(file.name, file.media_type)
    try:
        text = text_of_file(media_type, file.content)
    except ExtractionError as error:
        raise Rejection(422, "unprocessable", str(error), ("body", "file"), None, file.name) from None
    failed = not _WORD.search(text) or any(fnmatchcase(file.name, name) for name in settings.indexing.failing)
    fields = {
        "origin_name": file.name,
        "origin_ref": file.name,
        "media_type": media_type,
        "knowledge_base_id": base.id,
        "index_id": index.id,
        "created_at": int(fresh.now),
        "size_bytes": len(file.content),
        "hash_sha256": hashlib.sha256(file.content).hexdigest(),
    }
    indexings = all_indexings(settings, transaction, index.id)
    writes: tuple[Write, ...] = (guard(context, index.id, fresh.id),)
    if settings.indexing.on_upload:
        running = unfinished(indexings, fresh.now)
        joined = running[1] if len(running) > 1 else None
        indexing = joined or begun(context, fresh.session_id, base.id, index.id, running, failed)
        if joined and failed:
            indexing = Resource(joined.kind, joined.id, joined.fields, {**joined.hidden, "failed": True})
        writes += (saved_indexing(context, indexing), *surplus(context, indexings, index.id))
        indexings = [*indexings, indexing]
        hidden = {"created": fresh.now, "indexing": indexing.id, "failed": failed}
    else:
        hidden = {"created": fresh.now, "waits": True, "failed": failed}
    document = Resource(DOCUMENT, fresh.id, fields, hidden)
    stored = Write(keys.document_text(index.id, document.id), text.encode("utf-8", "surrogatepass"), pinned=True)
    details = document_details(document, by_id(indexings), fresh.now)
    reply = json_reply(201, document.as_json(**details))
    return Outcome(reply, (*writes, saved(context, document, keys.documents(index.id)), stored))


def list_documents(context: Context) -> Outcome:
    """Return a page of the documents of an index; `name` is the name of a file."""
    _, index = find_index(context)
    documents = all_documents(context.settings, context.transaction, index.id)
    indexings = by_id(all_indexings(context.settings, context.transaction, index.id))
    now = context.fresh.now
    return list_resources(
        context, documents, DOCUMENT, lambda one: document_details(one, indexings, now), named="origin_name"
    )


def get_document(context: Context) -> Outcome:
    """Return the document with its state."""
    _, index = find_index(context)
    document = find_resource(context, DOCUMENT, keys.documents(index.id))
    indexings = by_id(all_indexings(context.settings, context.transaction, index.id))
    return Outcome(json_reply(200, document.as_json(**document_details(document, indexings, context.fresh.now))))


def delete_document(context: Context) -> Outcome:
    """Delete the document; it is not found any more."""
    _, index = find_index(context)
    document = find_resource(context, DOCUMENT, keys.documents(index.id))
    text = Write(keys.document_text(index.id, document.id), None)
    return Outcome(deletion_reply(document), (removed(context, keys.documents(index.id), document.id), text))


def _file(context: Context) -> FormFile:
    """Return the uploaded file; raises `Rejection` if it is missing, empty or too large."""
    request, location = context.call.request, ("body", "file")
    file = form_file(request.headers.get("content-type", ""), request.body, "file")
    if file is None or not file.name:
        raise Rejection(422, "file-required", "The form has no file under the name file.", location)
    most = context.settings.limits.upload
    if len(file.content) > most:
        why = f"The file has {len(file.content)} bytes, more than the limit of {most / 2**20:.2f} MiB."
        raise Rejection(413, "file-too-large", why, location, most, len(file.content))
    if not file.content:
        raise Rejection(422, "file-empty", "The file is empty.", location)
    return FormFile(file.name[-_LONGEST_NAME:], file.media_type, file.content)


def _check_name(context: Context, name: str, base: str) -> None:
    """Raise `Rejection` if the knowledge base has a document of this name already."""
    for index in indexes_of(all_indexes(context), base):
        for document in all_documents(context.settings, context.transaction, index.id):
            if document.setting("origin_name") == name:
                why = f'The knowledge base has a document "{name}" already, {document.id}. Delete it first.'
                raise Rejection(409, "duplicate-name", why, ("body", "file"), None, name)
