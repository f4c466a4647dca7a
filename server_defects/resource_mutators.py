"""Small changes of the operations around the chat, as their hooks take them."""

from collections.abc import Callable
from typing import Any, TypeAlias

from agent_contract.messages import Reply, Request
from server_defects.replies import json_reply

Resource: TypeAlias = Callable[[str, int, Any], tuple[int, Any]]
Arrival: TypeAlias = Callable[[Request, bytes, int], Reply | None]


def answering(operation: str, edit: Callable[[Any], Any]) -> Resource:
    """Return an edit of the answers of one operation that succeed."""
    return lambda name, status, value: (status, edit(value) if name == operation and status < 300 else value)


def each(edit: Callable[[dict[str, Any]], Any]) -> Callable[[Any], Any]:
    """Return an edit of every agent in a list."""
    return lambda value: {**value, "data": [edit(agent) for agent in value["data"]]}


def with_status(operation: str, wanted: int, instead: int) -> Resource:
    """Return an edit that answers an operation with another status."""
    return lambda name, status, value: (instead if (name, status) == (operation, wanted) else status, value)


def without(*names: str) -> Callable[[Any], Any]:
    """Return an edit that takes fields out of an answer."""
    return lambda value: {name: field for name, field in value.items() if name not in names}


def always(operation: str, status: int, detail: Any) -> Resource:
    """Return an edit that answers an operation with a status and a detail, whatever was asked."""
    return lambda name, was, value: (status, {"detail": detail}) if name == operation else (was, value)


def intercepting(
    method: str, ending: str, status: int, body: Any, when: Callable[[bytes], bool] = lambda body: True
) -> Arrival:
    """Return an arrival that answers the requests of a method whose path ends so, and whose body is such."""

    def arrive(request: Request, sent: bytes, number: int) -> Reply | None:
        if request.method == method and request.path.endswith(ending) and when(sent):
            return json_reply(body, status)
        return None

    return arrive
