"""Finds the resources that the paths of a document imply: `/pets` is a collection, `/pets/{id}` one of its items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from agent_contract import Contract, Operation
from agent_contract.compiler.routes import without_query
from agent_contract.document.json_pointer import Place
from agent_contract.validation.check import is_json

_ITEM = re.compile(r"(?P<collection>.*)/\{(?P<name>[^{}/]+)\}")


class Action(Enum):
    """What an operation does with a resource."""

    LIST = "list"
    CREATE = "create"
    READ = "read"
    REPLACE = "replace"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Role:
    """What an operation does: its action, and the template of the collection.

    `id_parameter` names the parameter of the path that has the id, empty if the path has none. A resource without a
    collection, such as `/settings`, is the only item of a collection with its own path. `put_creates` is whether PUT is
    how items are created.
    """

    action: Action
    collection: str
    id_parameter: str = ""
    alone: bool = False
    put_creates: bool = False


_ON_ITEM: Mapping[str, Action] = {
    "GET": Action.READ,
    "PUT": Action.REPLACE,
    "PATCH": Action.CHANGE,
    "POST": Action.CHANGE,
    "DELETE": Action.DELETE,
}
_ON_COLLECTION: Mapping[str, Action] = {"GET": Action.LIST, "POST": Action.CREATE, "PUT": Action.REPLACE}
_ALONE: Mapping[str, Action] = {
    "GET": Action.READ,
    "PUT": Action.REPLACE,
    "PATCH": Action.CHANGE,
    "DELETE": Action.DELETE,
}


def roles_of(contract: Contract) -> Mapping[str, Role]:
    """Return the roles of operations by id; operations that imply no resource have none.

    A collection is one only if its items can be created, and a resource without a collection only if it can be changed.
    """
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in contract.operations.values():
        path = without_query(operation.path)[0].rstrip("/")
        by_path.setdefault(path, {}).setdefault(operation.method, operation)
    roles: dict[str, Role] = {}
    for path, item in by_path.items():
        found = _ITEM.fullmatch(path)
        if not found:
            continue
        collection, name = found["collection"], found["name"]
        others = by_path.get(collection, {})
        if "POST" not in others and "PUT" not in item:
            continue
        roles.update(
            (one.id, Role(_ON_ITEM[method], collection, name, put_creates="POST" not in others))
            for method, one in item.items()
            if method in _ON_ITEM
        )
        roles.update(
            (one.id, Role(_ON_COLLECTION[method], collection))
            for method, one in others.items()
            if method in _ON_COLLECTION
        )
        for search in _searches(contract, by_path, collection, item.get("GET")):
            roles.setdefault(search.id, Role(Action.LIST, collection))
    for path, methods in by_path.items():
        free = {method: one for method, one in methods.items() if one.id not in roles}
        if "GET" in free and ("PUT" in free or "PATCH" in free) and "POST" not in methods:
            roles.update(
                (one.id, Role(_ALONE[method], path, alone=True)) for method, one in free.items() if method in _ALONE
            )
    return roles


def _searches(
    contract: Contract, by_path: Mapping[str, Mapping[str, Operation]], collection: str, read: Operation | None
) -> Iterator[Operation]:
    """Yield the operations below a collection that answer with an array of its items, such as `/pets/findByStatus`."""
    item = _schema(read)
    if read is None or item is None:
        return
    target = contract.schemas.document.follow(item)
    for path, methods in by_path.items():
        below = path.removeprefix(collection + "/")
        found = _schema(methods.get("GET"))
        if below == path or "/" in below or "{" in below or found is None:
            continue
        place = contract.schemas.document.follow(found)
        schema: Any = contract.schemas.at(place)
        has_items = isinstance(schema, dict) and isinstance(schema.get("items"), dict)
        if has_items and contract.schemas.document.follow(place.child("items")) == target:
            yield methods["GET"]


def _schema(operation: Operation | None) -> Place | None:
    """Return the schema of the JSON of an operation's first success."""
    for status, response in sorted(operation.responses.items()) if operation else ():
        for name, media in response.content.items():
            if status.startswith("2") and is_json(name):
                return media.schema
    return None
