"""What the tests want of an answer: each function returns, or raises the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract_tests.verdict import failed, not_supported, not_tested
from contract_tests.wire.exchange import status_line

if TYPE_CHECKING:
    from contract_tests.wire.exchange import Asked

OK = 200
BAD_REQUEST = 400
NOT_FOUND = 404
UNPROCESSABLE = 422
NOT_IMPLEMENTED = 501


def status(asked: Asked, *wanted: int, after: Sequence[Asked] = ()) -> None:
    """Want one of these statuses; `after` are the exchanges that led to this one."""
    if asked.status not in wanted:
        raise failed(" or ".join(map(status_line, wanted)), asked.described(), *after, asked)


def offered(asked: Asked, what: str) -> None:
    """Want no refusal: a server that refuses what was asked for, called `what`, may not have it to offer."""
    if asked.status in range(400, 500) or asked.status == NOT_IMPLEMENTED:
        raise not_supported(f"{what} is refused: {asked.described()}")


def refused(asked: Asked) -> None:
    """Want any 4xx."""
    if asked.status not in range(400, 500):
        raise failed("a 4xx", asked.described(), asked)


def no_server_error(asked: Asked) -> None:
    """Want a reply without a 5xx, except 501, which means that the server lacks what was asked for."""
    if asked.status not in (*range(100, 500), NOT_IMPLEMENTED):
        raise failed("no server error", asked.described(), asked)


def answer(asked: Asked) -> Mapping[str, Any]:
    """Return the JSON object of a plain answer; without one there is nothing to look at."""
    value = asked.json()
    if asked.status != OK or not isinstance(value, dict):
        raise not_tested(f"no answer to look at: {asked.described()}")
    return value


def choices(asked: Asked) -> list[Mapping[str, Any]]:
    """Return the choices of a plain answer that are objects; without any there is nothing to look at."""
    found = answer(asked).get("choices")
    listed = found if isinstance(found, list) else []
    objects: list[Mapping[str, Any]] = [choice for choice in listed if isinstance(choice, dict)]
    if not objects:
        raise not_tested(f"no choices to look at: {asked.described()}")
    return objects


def content(choice: Mapping[str, Any]) -> str:
    """Return the content of a choice; null counts as empty."""
    message = choice.get("message")
    said = message.get("content") if isinstance(message, dict) else None
    return said if isinstance(said, str) else ""


def usage(asked: Asked) -> Mapping[str, Any]:
    """Return the usage of a plain answer; without one there is nothing to look at."""
    found = answer(asked).get("usage")
    if not isinstance(found, dict):
        raise not_tested(f"no usage to look at: {asked.described()}")
    return found


def tokens(asked: Asked, name: str) -> int:
    """Return one of the usage's counts; raises the verdict `not tested` if it is not a number."""
    value = usage(asked).get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise not_tested(f"{name} is not a number: {asked.described()}")
    return value


def details(asked: Asked) -> list[Any]:
    """Return the items of a 422's `detail`; without them there is nothing to look at."""
    value = asked.json()
    found = value.get("detail") if isinstance(value, dict) else None
    if asked.status != UNPROCESSABLE or not isinstance(found, list):
        raise not_tested(f"no list of faults to look at: {asked.described()}")
    return found


def locations(asked: Asked) -> Iterator[tuple[object, ...]]:
    """Yield the `loc` of each item of a 422's `detail`."""
    for item in details(asked):
        loc = item.get("loc") if isinstance(item, dict) else None
        yield tuple(loc) if isinstance(loc, list) else ()
