"""What the tests expect of an answer: each function returns, or raises the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract_tests.verdict import failed, not_supported, not_tested
from contract_tests.wire.exchange import status_line

if TYPE_CHECKING:
    from contract_tests.wire.exchange import Exchange

OK = 200
BAD_REQUEST = 400
NOT_FOUND = 404
UNPROCESSABLE = 422
NOT_IMPLEMENTED = 501


def status(exchange: Exchange, *wanted: int, after: Sequence[Exchange] = ()) -> None:
    """Require one of these statuses; `after` are the exchanges that led to this one."""
    if exchange.status not in wanted:
        raise failed(" or ".join(map(status_line, wanted)), exchange.described(), *after, exchange)


def offered(exchange: Exchange, what: str) -> None:
    """Raise `not supported` if the request is refused, because a server may lack the feature, which `what` names."""
    if exchange.status in range(400, 500) or exchange.status == NOT_IMPLEMENTED:
        raise not_supported(f"{what} is refused: {exchange.described()}")


def refused(exchange: Exchange) -> None:
    """Require any 4xx."""
    if exchange.status not in range(400, 500):
        raise failed("a 4xx", exchange.described(), exchange)


def no_server_error(exchange: Exchange) -> None:
    """Require another status than a 5xx, except 501, which means that the server lacks the feature."""
    if exchange.status not in (*range(100, 500), NOT_IMPLEMENTED):
        raise failed("no server error", exchange.described(), exchange)


def answer(exchange: Exchange) -> Mapping[str, Any]:
    """Return the JSON object of a plain answer; raises `not tested` without one."""
    value = exchange.json()
    if exchange.status != OK or not isinstance(value, dict):
        raise not_tested(f"no answer to look at: {exchange.described()}")
    return value


def choices(exchange: Exchange) -> list[Mapping[str, Any]]:
    """Return the choices of a plain answer that are objects; raises `not tested` without any."""
    found = answer(exchange).get("choices")
    listed = found if isinstance(found, list) else []
    objects: list[Mapping[str, Any]] = [choice for choice in listed if isinstance(choice, dict)]
    if not objects:
        raise not_tested(f"no choices to look at: {exchange.described()}")
    return objects


def content(choice: Mapping[str, Any]) -> str:
    """Return the content of a choice; null counts as empty."""
    message = choice.get("message")
    said = message.get("content") if isinstance(message, dict) else None
    return said if isinstance(said, str) else ""


def is_content(message: object) -> bool:
    """Return whether the content is what a message says: not a tool call, not a refusal."""
    return isinstance(message, dict) and not message.get("tool_calls") and not message.get("refusal")


def usage(exchange: Exchange) -> Mapping[str, Any]:
    """Return the usage of a plain answer; raises `not tested` without one."""
    found = answer(exchange).get("usage")
    if not isinstance(found, dict):
        raise not_tested(f"no usage to look at: {exchange.described()}")
    return found


def tokens(exchange: Exchange, name: str) -> int:
    """Return one of the usage's counts; raises the verdict `not tested` if it is not a number."""
    value = usage(exchange).get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise not_tested(f"{name} is not a number: {exchange.described()}")
    return value


def details(exchange: Exchange) -> list[Any]:
    """Return the items of a 422's `detail`; raises `not tested` without any."""
    value = exchange.json()
    found = value.get("detail") if isinstance(value, dict) else None
    if exchange.status != UNPROCESSABLE or not isinstance(found, list):
        raise not_tested(f"no list of faults to look at: {exchange.described()}")
    return found


def locations(exchange: Exchange) -> Iterator[tuple[object, ...]]:
    """Yield the `loc` of each item of a 422's `detail`."""
    for item in details(exchange):
        loc = item.get("loc") if isinstance(item, dict) else None
        yield tuple(loc) if isinstance(loc, list) else ()
