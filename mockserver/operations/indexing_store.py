"""Indexings in the store: their states, which follow the clock, and the documents that they index.

An indexing takes some seconds. One runs, and one may wait for it. What ends later is stored with the time of its end,
so that nothing must run in the background.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mockserver.core import keys
from mockserver.core.context import Context, Settings
from mockserver.core.outcome import Write
from mockserver.core.transaction import Transaction
from mockserver.operations.resource_store import all_resources, saved
from mockserver.resources.resource import DOCUMENT, INDEXING, Resource

PENDING, DONE, FAILED, CANCELLED = "PENDING", "DONE", "FAILED", "CANCELLED"
#: The share of the time of an indexing that cancelling it takes.
_CANCELLING = 0.25


def all_indexings(settings: Settings, transaction: Transaction, index_id: str) -> list[Resource]:
    """Return every indexing of an index, oldest first."""
    return all_resources(settings, transaction, INDEXING, keys.indexings(index_id))


def all_documents(settings: Settings, transaction: Transaction, index_id: str) -> list[Resource]:
    """Return every document of an index, oldest first."""
    return all_resources(settings, transaction, DOCUMENT, keys.documents(index_id))


def state_of(indexing: Resource, now: float) -> str:
    """Return the state of an indexing at a time."""
    if now < indexing.hidden["ends"]:
        return PENDING
    if indexing.hidden.get("cancelled"):
        return CANCELLED
    return FAILED if indexing.hidden.get("failed") else DONE


def indexing_details(indexing: Resource, now: float) -> dict[str, Any]:
    """Return the fields of an indexing that depend on the time."""
    state = state_of(indexing, now)
    return {"state": state, "completed_at": None if state == PENDING else int(indexing.hidden["ends"])}


def document_state(document: Resource, indexings: Mapping[str, Resource], now: float) -> str:
    """Return the state of a document at a time: that of its indexing; a configured one is always indexed.

    A document whose indexing does not exist any more was indexed long ago.
    """
    waits = document.hidden.get("waits")
    if waits:
        return PENDING
    indexing = indexings.get(document.hidden.get("indexing", ""))
    state = state_of(indexing, now) if indexing else DONE
    if state in (PENDING, CANCELLED):
        return state
    return FAILED if document.hidden.get("failed") else DONE


def document_details(document: Resource, indexings: Mapping[str, Resource], now: float) -> dict[str, Any]:
    """Return the fields of a document that depend on the time."""
    state = document_state(document, indexings, now)
    indexing = indexings.get(document.hidden.get("indexing", ""))
    done = indexing is not None and state == DONE
    return {
        "state": state,
        "last_embedded_at": int(indexing.hidden["ends"]) if indexing and done else None,
        "last_indexed_by_id": indexing.id if indexing else None,
        "reindexing_needed": state in (FAILED, CANCELLED) or bool(document.hidden.get("waits")),
    }


def by_id(resources: Iterable[Resource]) -> dict[str, Resource]:
    """Return resources by their ids."""
    return {one.id: one for one in resources}


def unfinished(indexings: Sequence[Resource], now: float) -> list[Resource]:
    """Return the indexing that runs and the one that waits, if there are any, in this order."""
    return sorted((one for one in indexings if state_of(one, now) == PENDING), key=lambda one: one.hidden["ends"])


def begun(context: Context, id: str, base: str, index: str, running: Sequence[Resource], failed: bool) -> Resource:
    """Return a new indexing, which ends after those that are `running`."""
    now = context.fresh.now
    starts = max([now, *(one.hidden["ends"] for one in running)])
    fields = {"knowledge_base_id": base, "index_id": index, "created_at": int(now)}
    hidden = {"created": now, "ends": starts + context.settings.indexing.seconds, "failed": failed}
    return Resource(INDEXING, id, fields, hidden)


def cancelled(indexing: Resource, now: float, seconds: float, force: bool) -> Resource:
    """Return an indexing that is cancelled: at once with `force`, else a little later."""
    ends = now if force else min(indexing.hidden["ends"], now + seconds * _CANCELLING)
    return Resource(INDEXING, indexing.id, indexing.fields, {**indexing.hidden, "ends": ends, "cancelled": True})


def guard(context: Context, index_id: str, indexing: str) -> Write:
    """Return the write that makes concurrent changes of the indexings of an index conflict; it must be the first."""
    key = keys.newest_indexing(index_id)
    context.transaction.get(key)
    return Write(key, indexing.encode(), pinned=True)


def surplus(context: Context, indexings: Sequence[Resource], index_id: str) -> tuple[Write, ...]:
    """Return the writes that delete the oldest indexings that are done, if there are too many."""
    extra = len(indexings) + 1 - context.settings.limits.resources
    done = [one for one in indexings if state_of(one, context.fresh.now) == DONE]
    return tuple(Write(keys.control_resource(keys.indexings(index_id), one.id), None) for one in done[: max(0, extra)])


def saved_indexing(context: Context, indexing: Resource) -> Write:
    """Return the write that stores an indexing."""
    return saved(context, indexing, keys.indexings(str(indexing.fields["index_id"])))
