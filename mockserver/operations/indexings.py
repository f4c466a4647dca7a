"""Operations that start, list, read and cancel indexings."""

from __future__ import annotations

from mockserver.core import keys
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection
from mockserver.operations.index_store import find_index
from mockserver.operations.indexing_store import (
    DONE,
    PENDING,
    all_documents,
    all_indexings,
    begun,
    by_id,
    cancelled,
    document_state,
    guard,
    indexing_details,
    saved_indexing,
    state_of,
    surplus,
    unfinished,
)
from mockserver.operations.resource_store import find_resource, json_reply, list_resources, saved
from mockserver.resources.resource import INDEXING, Resource

#: The states of documents that another indexing does not index.
_KEPT = (DONE, PENDING)


def create_indexing(context: Context) -> Outcome:
    """Start an indexing, which waits for the one that runs; raises `Rejection` if one waits already.

    It indexes all documents that are not indexed, also those whose indexing failed or was cancelled.
    """
    base, index = find_index(context)
    settings, transaction, now = context.settings, context.transaction, context.fresh.now
    indexings = all_indexings(settings, transaction, index.id)
    running = unfinished(indexings, now)
    if len(running) > 1:
        why = f"The indexing {running[1].id} is waiting already. Wait until the running one ends."
        raise Rejection(409, "indexing-waiting", why, ("path", "index_id"), 1, 2)
    known = by_id(indexings)
    documents = all_documents(settings, transaction, index.id)
    again = [one for one in documents if one.hidden.get("waits") or document_state(one, known, now) not in _KEPT]
    failed = any(one.hidden.get("failed") for one in again)
    indexing = begun(context, context.fresh.id, base.id, index.id, running, failed)
    writes = [
        guard(context, index.id, indexing.id),
        saved_indexing(context, indexing),
        *surplus(context, indexings, index.id),
    ]
    for one in again:
        hidden = {**one.hidden, "indexing": indexing.id, "waits": False}
        writes.append(saved(context, Resource(one.kind, one.id, one.fields, hidden), keys.documents(index.id)))
    return Outcome(json_reply(201, indexing.as_json(**indexing_details(indexing, now))), tuple(writes))


def list_indexings(context: Context) -> Outcome:
    """Return a page of the indexings of an index."""
    _, index = find_index(context)
    found = all_indexings(context.settings, context.transaction, index.id)
    return list_resources(context, found, INDEXING, lambda one: indexing_details(one, context.fresh.now))


def get_indexing(context: Context) -> Outcome:
    """Return the indexing with its state."""
    _, index = find_index(context)
    indexing = find_resource(context, INDEXING, keys.indexings(index.id))
    return Outcome(json_reply(200, indexing.as_json(**indexing_details(indexing, context.fresh.now))))


def get_active_indexing(context: Context) -> Outcome:
    """Return the indexing that runs; raises `Rejection` if none does."""
    _, index = find_index(context)
    running = unfinished(all_indexings(context.settings, context.transaction, index.id), context.fresh.now)
    if not running:
        raise Rejection(404, "active-none", "No indexing is active.", ("path", "index_id"))
    return Outcome(json_reply(200, running[0].as_json(**indexing_details(running[0], context.fresh.now))))


def cancel_indexing(context: Context) -> Outcome:
    """Cancel the indexing, which ends a little later; one that has ended stays as it is."""
    _, index = find_index(context)
    indexing = find_resource(context, INDEXING, keys.indexings(index.id))
    settings, now = context.settings, context.fresh.now
    if state_of(indexing, now) != PENDING:
        return Outcome(json_reply(200, indexing.as_json(**indexing_details(indexing, now))))
    force = bool(context.call.parameters.get("force"))
    changed = cancelled(indexing, now, settings.indexing.seconds, force)
    return Outcome(
        json_reply(200, changed.as_json(**indexing_details(changed, now))), (saved_indexing(context, changed),)
    )
