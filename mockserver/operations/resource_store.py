"""Resources of the control plane in the store: lookup, lists and writes.

A configured resource is in the store only after a client changed or deleted it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from agent_contract.messages import JSON_TYPE, Reply
from agent_contract.printable import shorten
from mockserver.core import keys
from mockserver.core.context import Context, Settings
from mockserver.core.outcome import Outcome, Rejection, Write
from mockserver.core.transaction import Transaction
from mockserver.operations.pages import page_of
from mockserver.operations.request_body import body_of
from mockserver.resources.resource import DELETED, Resource, ResourceKind, decode_resource
from mockserver.stores.base import all_items


def find_resource(context: Context, kind: ResourceKind, prefix: str) -> Resource:
    """Return the resource that the path names; raises `Rejection` if it does not exist."""
    id = str(context.call.parameters[kind.parameter])
    found = look_up(context.settings, context.transaction, kind, prefix, id)
    if found is None:
        raise unknown(kind, id)
    return found


def unknown(kind: ResourceKind, id: str) -> Rejection:
    """Return the rejection of an id in the path that names nothing."""
    why = f'No {kind.name} found with the ID "{shorten(id)}". The list contains the known ones.'
    return Rejection(404, kind.unknown, why, ("path", kind.parameter), f"the id of a {kind.name}", id)


def look_up(settings: Settings, transaction: Transaction, kind: ResourceKind, prefix: str, id: str) -> Resource | None:
    """Return the resource with this id, or None; the case of an id does not matter."""
    id = id.lower()
    stored = transaction.get(keys.control_resource(prefix, id))
    if stored is None:
        return settings.configured.get(prefix, {}).get(id)
    return decode_resource(kind, id, stored)


def all_resources(settings: Settings, transaction: Transaction, kind: ResourceKind, prefix: str) -> list[Resource]:
    """Return every resource of a list, oldest first."""
    found = dict(settings.configured.get(prefix, {}))
    for key, value in all_items(transaction.items, prefix):
        id = key.removeprefix(prefix)
        decoded = decode_resource(kind, id, value)
        if decoded:
            found[id] = decoded
        else:
            found.pop(id, None)
    return sorted(found.values(), key=lambda one: (one.hidden.get("created", 0), one.id))


def check_room(context: Context, known: int, noun: str) -> None:
    """Raise `Rejection` if a list of the control plane is full."""
    most = context.settings.limits.resources
    if known >= most:
        why = f"This server stores at most {most} {noun} (limits.resources). Delete one that you no longer need."
        raise Rejection(400, "create-bound", why, ("body",), most, most)


def list_resources(
    context: Context,
    resources: list[Resource],
    kind: ResourceKind,
    details: Callable[[Resource], dict[str, Any]] | None = None,
    named: str = "name",
) -> Outcome:
    """Return a page of resources with the name of the query, if it has one; `details` are further fields of each.

    `named` is the field that contains the name.
    """
    name = context.call.parameters.get("name")

    def show(one: Resource) -> dict[str, Any]:
        return one.as_json(**(details(one) if details else {}))

    def chosen(some: Any) -> Any:
        return some if name is None else [one for one in some if one.setting(named) == name]

    return page_of(context, resources, chosen, show, kind.name)


def given_fields(context: Context, names: tuple[str, ...]) -> dict[str, Any]:
    """Return those of the fields that the body has, in this order; null for a field that is unset.

    Raises `Rejection` if they can't be stored.
    """
    body = body_of(context.call)
    given = {name: body[name] for name in names if name in body}
    try:
        orjson.dumps(given)
    except TypeError:  # deeper than 254 levels
        raise Rejection(400, "", "The body is nested too deeply for this server.", ("body",)) from None
    return given


def saved(context: Context, resource: Resource, prefix: str) -> Write:
    """Return the write that stores a resource."""
    return Write(_read(context, prefix, resource.id), resource.encode(), pinned=True)


def removed(context: Context, prefix: str, id: str) -> Write:
    """Return the write that deletes a resource; a configured one needs an entry, or it would exist again."""
    configured = id in context.settings.configured.get(prefix, {})
    return Write(_read(context, prefix, id), DELETED if configured else None, pinned=True)


def _read(context: Context, prefix: str, id: str) -> str:
    """Return the key of a resource, whose version is known: a list reads values without their versions."""
    key = keys.control_resource(prefix, id)
    if key not in context.transaction.touched:
        context.transaction.get(key)
    return key


def json_reply(status: int, value: dict[str, Any]) -> Reply:
    """Return a reply with a value as JSON."""
    return Reply(status, JSON_TYPE, orjson.dumps(value))


def deletion_reply(resource: Resource) -> Reply:
    """Return the reply to the deletion of a resource."""
    return json_reply(200, {"id": resource.id, "object": f"{resource.kind.object}.deleted", "deleted": True})
