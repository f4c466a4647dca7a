"""What can be wrong with the list of agents."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from benchmarks.detection.field_mutators import retyped
from benchmarks.detection.mutants.mutant import planting
from benchmarks.detection.registry import Registry
from benchmarks.detection.resources import LIST

listing = planting("list of agents", family="agents")
#: The number, or 100 if it is not a number.
Lenient = Annotated[int, BeforeValidator(lambda value: int(value) if str(value).lstrip("-").isdecimal() else 100)]


class AfterIsIncluded(Registry):
    """Begins a page with its cursor."""

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        status, value = super().page({**query, "after": None})
        if query.get("after") is not None:
            place = self.cursor(value["data"], query["after"])
            value = {**value, "data": value["data"][place:], "first_id": query["after"]}
        return status, value


class AfterIsIgnored(Registry):
    """Begins every page with the first agent."""

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        if query.get("after") is not None:
            self.cursor(self.chosen(query), query["after"])
        return super().page({**query, "after": None})


class LimitIsIgnored(Registry):
    """Lists all agents whatever the limit."""

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().page({**query, "limit": 999})


class LimitIsOneMore(Registry):
    """Lists one agent too many."""

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().page({**query, "limit": query["limit"] + 1})


class CursorsAreIgnored(Registry):
    """Takes a cursor that it does not know for none."""

    def cursor(self, agents: Sequence[Mapping[str, Any]], id: str) -> int:  # noqa: D102
        known = [agent["id"] for agent in agents]
        return known.index(id) if id in known else -1


class OrderIsIgnored(Registry):
    """Lists the agents oldest first, always."""

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().page({**query, "order": "asc"})


class CountsThePage(Registry):
    """Counts the agents of the page in the place of all."""

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        status, value = super().page(query)
        return status, {**value, "num_objects": len(value["data"])} if value.get("num_objects") is not None else value


MUTANTS = (
    listing("list-after-included", "after", "Begins a page with its cursor.", registry=AfterIsIncluded),
    listing("list-after-ignored", "after", "Ignores the cursor of a page.", registry=AfterIsIgnored),
    listing("list-limit-ignored", "limit", "Lists all agents whatever the limit.", registry=LimitIsIgnored),
    listing("list-limit-one-more", "limit", "Lists one agent more than the limit.", registry=LimitIsOneMore),
    listing(
        "list-limit-one-refused",
        "limit-accepted",
        "Refuses a limit of 1.",
        resource_fields=retyped(LIST, limit=(int, Field(100, gt=1, lt=1000))),
    ),
    listing(
        "list-limit-999-refused",
        "limit-accepted",
        "Refuses a limit above 100.",
        resource_fields=retyped(LIST, limit=(int, Field(100, gt=0, le=100))),
    ),
    listing(
        "list-limit-zero",
        "limit-below-minimum",
        "Accepts a limit of 0.",
        resource_fields=retyped(LIST, limit=(int, Field(100, ge=0, lt=1000))),
    ),
    listing(
        "list-limit-thousand",
        "limit-above-maximum",
        "Accepts a limit of 1000.",
        resource_fields=retyped(LIST, limit=(int, Field(100, gt=0, le=1000))),
    ),
    listing(
        "list-limit-any-text",
        "limit-type",
        "Takes a limit that is not a number for the default.",
        resource_fields=retyped(LIST, limit=(Lenient, Field(100, gt=0, lt=1000))),
    ),
    listing(
        "list-offset-negative",
        "offset-below-minimum",
        "Accepts a negative offset.",
        resource_fields=retyped(LIST, offset=(int, Field(0, le=4294967296))),
    ),
    listing(
        "list-offset-huge",
        "offset-above-maximum",
        "Accepts any offset, however large.",
        resource_fields=retyped(LIST, offset=(int, Field(0, ge=0))),
    ),
    listing("list-order-ignored", "order", "Lists oldest first, whatever the order.", registry=OrderIsIgnored),
    listing(
        "list-order-any",
        "order-unknown",
        "Accepts any word as an order.",
        resource_fields=retyped(LIST, order=(str, "asc")),
    ),
    listing("list-counts-the-page", "num-objects", "Counts the page, not the agents.", registry=CountsThePage),
    listing("list-cursor-ignored", "cursor-invalid", "Ignores an invalid cursor.", registry=CursorsAreIgnored),
)
