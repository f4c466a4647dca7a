"""The list of agents: its form, its bounds, its pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_contract.printable import shorten
from contract_tests.assertions import expect
from contract_tests.assertions.agents import an_agent, another_agent
from contract_tests.assertions.resources import conforming, ids, items, listed, page
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.managed_objects import as_text
from contract_tests.verdict import NotPassed, failed, no_further_finding, not_supported, not_tested
from contract_tests.wire.exchange import Exchange

#: What a query is refused for, by the clause's name.
REFUSED = {
    "limit-below-minimum": {"limit": "0"},
    "limit-above-maximum": {"limit": "1000"},
    "limit-type": {"limit": "ten"},
    "offset-below-minimum": {"offset": "-1"},
    "offset-above-maximum": {"offset": "4294967297"},
    "order-unknown": {"order": "sideways"},
}


@pytest.mark.parametrize(
    "query",
    [pytest.param(query, marks=pytest.mark.clause(f"agents.{name}"), id=name) for name, query in REFUSED.items()],
)
def test_a_query_beyond_its_bounds_is_refused(deployment: Deployment, query: dict[str, str]) -> None:
    """The value is the nearest one beyond the bound."""
    expect.status(listed(deployment, **query), expect.UNPROCESSABLE)


@pytest.mark.clause("agents.limit-accepted")
@pytest.mark.parametrize("limit", ["1", "999"])
def test_a_limit_at_its_bound_is_accepted(deployment: Deployment, limit: str) -> None:
    """Both are within the published range."""
    expect.status(listed(deployment, limit=limit), expect.OK)


@pytest.mark.clause("agents.cursor-invalid")
@pytest.mark.parametrize("name", ["after", "before"])
def test_an_invalid_cursor_is_refused(deployment: Deployment, name: str) -> None:
    """No server gives such an id."""
    expect.status(listed(deployment, **{name: "no id, surely"}), expect.BAD_REQUEST)


@pytest.mark.clause("agents.after-unknown")
def test_a_cursor_that_names_no_agent_is_refused(deployment: Deployment) -> None:
    """The id is a fresh uuid."""
    expect.status(listed(deployment, after=deployment.unknown_id("cursor")), expect.BAD_REQUEST)


@pytest.mark.clause("agents.list")
def test_a_list_has_its_form(deployment: Deployment) -> None:
    """Its agents have a clause of their own."""
    exchange = listed(deployment)
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange, without="data/")


@pytest.mark.clause("agents.list-object")
def test_a_list_has_its_object_type(deployment: Deployment) -> None:
    """Whatever it contains."""
    exchange = listed(deployment)
    if page(exchange).get("object") != "list":
        raise failed('object "list"', json.dumps(page(exchange).get("object")), exchange)


@pytest.mark.clause("agents.conforms")
def test_each_agent_in_a_list_has_its_form(deployment: Deployment) -> None:
    """All that exist, also those of others."""
    exchange = listed(deployment)
    if not items(exchange):
        raise no_further_finding("the list is empty")
    conforming(deployment, exchange, within="data/")


@pytest.mark.clause("agents.object")
def test_each_agent_in_a_list_has_its_object_type(deployment: Deployment) -> None:
    """All that exist, also those of others."""
    exchange = listed(deployment)
    if not items(exchange):
        raise no_further_finding("the list is empty")
    for item in items(exchange):
        if item.get("object") != "agent":
            raise failed('object "agent"', json.dumps(item.get("object")), exchange)


@pytest.mark.clause("agents.list-ends")
def test_a_list_names_its_first_and_its_last_agent(deployment: Deployment) -> None:
    """A server need not name them; if it does, they are these."""
    exchange = listed(deployment)
    value, found = page(exchange), ids(exchange)
    named = {name: value.get(name) for name in ("first_id", "last_id")}
    if not found or None in named.values():
        raise not_supported("the list names no ends") if found else not_tested("the list is empty")
    if [named["first_id"], named["last_id"]] != [found[0], found[-1]]:
        raise failed(f"first_id {found[0]}, last_id {found[-1]}", json.dumps(named), exchange)


@pytest.mark.clause("agents.limit")
def test_a_list_has_at_most_as_many_agents_as_its_limit(deployment: Deployment) -> None:
    """The limit is 1."""
    several(deployment)
    exchange = listed(deployment, limit="1")
    data = page(exchange).get("data")
    if not isinstance(data, list):
        raise failed("a list of one agent in `data`", as_text(data), exchange)
    if len(data) != 1:
        raise failed("one agent", f"{len(data)} agents" if data else "none", exchange)


@pytest.mark.clause("agents.has-more")
def test_a_list_reports_whether_more_follow(deployment: Deployment) -> None:
    """More follow if one of several is listed, and none after the last."""
    whole = several(deployment)
    exchange = listed(deployment, limit="1")
    if page(exchange).get("has_more") is not True:
        raise failed("has_more true", json.dumps(page(exchange).get("has_more")), exchange)
    last = listed(deployment, after=ids(whole)[-1])
    if last.status == expect.OK and not ids(last) and page(last).get("has_more") is not False:
        raise failed("has_more false after the last agent", json.dumps(page(last).get("has_more")), last)
    if len(ids(whole)) < 100 and page(whole).get("has_more") is not False and not ids(last):
        raise failed("has_more false", json.dumps(page(whole).get("has_more")), whole)


@pytest.mark.clause("agents.order")
def test_a_list_can_be_in_reverse_order(deployment: Deployment) -> None:
    """Agents of the same second may be in any order."""
    there, back = several(deployment, limit="999"), listed(deployment, limit="999", order="desc")
    expect.status(back, expect.OK)
    if sorted(ids(there)) != sorted(ids(back)):
        raise not_tested("the agents have changed meanwhile, or are too many for one list")
    moments = [item.get("created_at") for item in items(there)]
    if all(moment == moments[0] for moment in moments):
        raise not_tested("all agents were created in one and the same second")
    turned = [item.get("created_at") for item in items(back)][::-1]
    if turned != moments:
        raise failed(f"the agents of {shortened(moments)} in reverse order", shortened(turned[::-1]), there, back)


@pytest.mark.clause("agents.after")
def test_a_list_continues_after_its_cursor(deployment: Deployment) -> None:
    """The cursor is the first agent's id."""
    whole = several(deployment)
    first, second = ids(whole)[:2]
    exchange = listed(deployment, after=first)
    expect.status(exchange, expect.OK)
    if first in ids(exchange) or second not in ids(exchange)[:1]:
        raise failed(
            f"a list that begins with {second}", f"one that begins with {shortened(ids(exchange)[:2])}", whole, exchange
        )


@pytest.mark.clause("agents.before")
def test_a_list_ends_before_its_cursor(deployment: Deployment) -> None:
    """The cursor is the second agent's id."""
    whole = several(deployment)
    first, second = ids(whole)[:2]
    exchange = listed(deployment, before=second)
    expect.status(exchange, expect.OK)
    if ids(exchange) != [first]:
        raise failed(f"a list of {first} alone", shortened(ids(exchange)), whole, exchange)


@pytest.mark.clause("agents.offset")
def test_a_list_leaves_out_as_many_agents_as_its_offset(deployment: Deployment) -> None:
    """The offset is 1."""
    whole = several(deployment)
    exchange = listed(deployment, offset="1")
    expect.status(exchange, expect.OK)
    if ids(exchange)[:1] != ids(whole)[1:2]:
        raise failed(f"a list that begins with {ids(whole)[1]}", shortened(ids(exchange)[:1]), whole, exchange)


@pytest.mark.clause("agents.num-objects")
def test_a_list_counts_its_agents_when_asked_to(deployment: Deployment) -> None:
    """All that there are, whatever the limit."""
    whole = several(deployment)
    exchange = listed(deployment, set_num_objects="true", limit="1")
    number, fewest = page(exchange).get("num_objects"), len(ids(whole))
    wanted = f"num_objects of {'at least ' if page(whole).get('has_more') else ''}{fewest}"
    if not isinstance(number, int) or number < fewest:
        raise failed(wanted, json.dumps(number), whole, exchange)
    now = deployment.ask("listAgents", again=1000)
    if number > fewest and not page(whole).get("has_more") and len(ids(now)) == fewest:
        raise failed(wanted, json.dumps(number), whole, exchange)


@pytest.mark.clause("agents.filter-name")
def test_a_list_can_be_had_of_one_name(deployment: Deployment) -> None:
    """The name is that of an agent in the list."""
    named = [str(item["name"]) for item in items(several(deployment)) if item.get("name")]
    if not named:
        raise not_tested("no agent has a name")
    exchange = listed(deployment, name=named[-1])
    found = [item.get("name") for item in items(exchange)]
    if not found or any(name != named[-1] for name in found):
        raise failed(f"agents of the name {named[-1]}", shortened(found), exchange)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("index_id", marks=pytest.mark.clause("agents.filter-index")),
        pytest.param("knowledge_base_id", marks=pytest.mark.clause("agents.filter-knowledge-base")),
    ],
)
def test_a_list_of_an_unknown_index_is_empty(deployment: Deployment, name: str) -> None:
    """No agent answers from it."""
    several(deployment)
    exchange = listed(deployment, **{name: deployment.unknown_id("unknown index")})
    if ids(exchange):
        raise failed("an empty list", f"{len(ids(exchange))} agents", exchange)


@pytest.mark.clause("agents.twins")
def test_assistants_are_the_agents(deployment: Deployment) -> None:
    """What is there before and after is there under the other path too; others may come and go meanwhile."""
    before, assistants = listed(deployment), listed(deployment, "listAssistants")
    expect.status(assistants, expect.OK)
    if ids(before) == ids(assistants):
        return
    after = deployment.ask("listAgents", again=1)
    lasting = [id for id in ids(before) if id in ids(after)]
    if missing := set(lasting) - set(ids(assistants)):
        raise failed(
            f"the agents {shortened(lasting)}", f"a list without {shortened(sorted(missing))}", before, assistants
        )
    strange = set(ids(assistants)) - set(ids(before)) - set(ids(after))
    if strange and ids(before) == ids(after):
        raise failed(
            f"the agents {shortened(lasting)}", f"a list with {shortened(sorted(strange))}", before, assistants
        )


def several(deployment: Deployment, **query: str) -> Exchange:
    """Return a list of at least two agents; the run's own are among them, if it may create some."""
    try:
        an_agent(deployment), another_agent(deployment)
    except NotPassed as judged:
        if judged.finding.word == "failed":
            raise not_tested("the agent to list could not be created") from None
    exchange = listed(deployment, **{"order": "asc", **query})
    if len(ids(exchange)) < 2:
        raise not_tested("there are fewer than two agents; --manage creates some")
    return exchange


def shortened(value: Any) -> str:
    """Return a list as JSON, shortened."""
    return shorten(json.dumps(value), 200)
