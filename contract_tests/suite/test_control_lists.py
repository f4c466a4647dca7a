"""The lists of the control plane: their form, their bounds, their pages, shown on knowledge bases."""

from __future__ import annotations

import json

import pytest

from contract_tests.assertions import expect
from contract_tests.assertions.knowledge import BASES, a_base, another_base
from contract_tests.assertions.resources import conforming, ids, items, listed, page
from contract_tests.deployment.deployment import Deployment
from contract_tests.verdict import NotPassed, failed, not_tested
from contract_tests.wire.exchange import Exchange

#: What a query is refused for, with the clause's name.
REFUSED = (
    ("limit-bounds", {"limit": "0"}),
    ("limit-bounds", {"limit": "1000"}),
    ("limit-bounds", {"limit": "ten"}),
    ("offset-bounds", {"offset": "-1"}),
    ("offset-bounds", {"offset": "4294967297"}),
    ("order-unknown", {"order": "sideways"}),
)


@pytest.mark.parametrize(
    "query", [pytest.param(query, marks=pytest.mark.clause(f"control.{name}")) for name, query in REFUSED]
)
def test_a_query_beyond_its_bounds_is_refused(deployment: Deployment, query: dict[str, str]) -> None:
    """The value is the nearest one beyond the bound."""
    expect.status(listed(deployment, BASES, **query), expect.UNPROCESSABLE)


@pytest.mark.clause("control.cursor-invalid")
@pytest.mark.parametrize("name", ["after", "before"])
def test_an_invalid_cursor_is_refused(deployment: Deployment, name: str) -> None:
    """No server gives such an id."""
    expect.status(listed(deployment, BASES, **{name: "no id, surely"}), expect.BAD_REQUEST)


@pytest.mark.clause("control.list")
def test_a_list_has_its_form(deployment: Deployment) -> None:
    """Its objects have clauses of their own."""
    exchange = listed(deployment, BASES)
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange, without="data/")


@pytest.mark.clause("control.list-object")
def test_a_list_has_its_object_type(deployment: Deployment) -> None:
    """A server may leave it out."""
    exchange = listed(deployment, BASES)
    if page(exchange).get("object", "list") != "list":
        raise failed('object "list"', json.dumps(page(exchange).get("object")), exchange)


@pytest.mark.clause("control.list-ends")
def test_a_list_names_its_first_and_its_last_object(deployment: Deployment) -> None:
    """They are cursors."""
    exchange = several(deployment)
    found = [page(exchange).get("first_id"), page(exchange).get("last_id")]
    wanted = [ids(exchange)[0], ids(exchange)[-1]]
    if found != wanted:
        raise failed(json.dumps(wanted), json.dumps(found), exchange)


@pytest.mark.clause("control.limit")
def test_a_list_has_no_more_objects_than_its_limit(deployment: Deployment) -> None:
    """The limit is 1."""
    several(deployment)
    exchange = listed(deployment, BASES, limit="1")
    if len(ids(exchange)) != 1:
        raise failed("one object", f"{len(ids(exchange))} objects", exchange)


@pytest.mark.clause("control.has-more")
def test_a_list_reports_whether_more_follow(deployment: Deployment) -> None:
    """More follow if one of several is listed."""
    several(deployment)
    exchange = listed(deployment, BASES, limit="1")
    if page(exchange).get("has_more", True) is not True:
        raise failed("has_more true", json.dumps(page(exchange).get("has_more")), exchange)


@pytest.mark.clause("control.order")
def test_a_list_can_be_in_reverse_order(deployment: Deployment) -> None:
    """Objects of the same second may be in any order."""
    there, back = several(deployment), listed(deployment, BASES, limit="999", order="desc")
    expect.status(back, expect.OK)
    if sorted(ids(there)) != sorted(ids(back)):
        raise not_tested("the objects have changed meanwhile, or are too many for one list")
    moments = [item.get("created_at") for item in items(there)]
    if all(moment == moments[0] for moment in moments):
        raise not_tested("all objects were created in one and the same second")
    turned = [item.get("created_at") for item in items(back)][::-1]
    if turned != moments:
        raise failed(f"{json.dumps(moments)} in reverse order", json.dumps(turned[::-1]), there, back)


@pytest.mark.clause("control.after")
def test_a_list_continues_after_its_cursor(deployment: Deployment) -> None:
    """The cursor is the first object's id."""
    whole = several(deployment)
    first, second = ids(whole)[:2]
    exchange = listed(deployment, BASES, after=first)
    expect.status(exchange, expect.OK)
    if ids(exchange)[:1] != [second]:
        raise failed(f"a list that begins with {second}", json.dumps(ids(exchange)[:2]), whole, exchange)


@pytest.mark.clause("control.before")
def test_a_list_ends_before_its_cursor(deployment: Deployment) -> None:
    """The cursor is the second object's id."""
    whole = several(deployment)
    first, second = ids(whole)[:2]
    exchange = listed(deployment, BASES, before=second)
    expect.status(exchange, expect.OK)
    if ids(exchange) != [first]:
        raise failed(f"a list of {first} alone", json.dumps(ids(exchange)), whole, exchange)


@pytest.mark.clause("control.offset")
def test_a_list_leaves_out_as_many_objects_as_its_offset(deployment: Deployment) -> None:
    """The offset is 1."""
    whole = several(deployment)
    exchange = listed(deployment, BASES, offset="1")
    expect.status(exchange, expect.OK)
    if ids(exchange)[:1] != ids(whole)[1:2]:
        raise failed(f"a list that begins with {ids(whole)[1]}", json.dumps(ids(exchange)[:1]), whole, exchange)


@pytest.mark.clause("control.num-objects")
def test_a_list_counts_its_objects_when_asked_to(deployment: Deployment) -> None:
    """All that there are, whatever the limit."""
    whole = several(deployment)
    exchange = listed(deployment, BASES, set_num_objects="true", limit="1")
    number, fewest = page(exchange).get("num_objects"), len(ids(whole))
    if not isinstance(number, int) or number < fewest:
        raise failed(f"num_objects of at least {fewest}", json.dumps(number), whole, exchange)


@pytest.mark.clause("control.filter-name")
def test_a_list_can_be_had_of_one_name(deployment: Deployment) -> None:
    """The name is that of an object in the list."""
    named = [str(item["name"]) for item in items(several(deployment)) if item.get("name")]
    if not named:
        raise not_tested("no object has a name")
    exchange = listed(deployment, BASES, name=named[-1])
    found = [item.get("name") for item in items(exchange)]
    if not found or any(name != named[-1] for name in found):
        raise failed(f"objects of the name {named[-1]}", json.dumps(found), exchange)


def several(deployment: Deployment) -> Exchange:
    """Return a list of at least two knowledge bases; the run's own are among them, if it may create some."""
    try:
        a_base(deployment), another_base(deployment)
    except NotPassed as judged:
        if judged.finding.word == "failed":
            raise not_tested("the knowledge base to list could not be created") from None
    exchange = listed(deployment, BASES, order="asc", limit="999")
    if len(ids(exchange)) < 2:
        raise not_tested("there are fewer than two knowledge bases; --manage creates some")
    return exchange
