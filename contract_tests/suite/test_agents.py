"""Agents: read, and with `--manage` created, changed and deleted."""

from __future__ import annotations

import json
import time

import pytest

from agent_contract.messages import JSON
from contract_tests.assertions import expect
from contract_tests.assertions.agents import an_agent, another_agent, create, created, fields_of
from contract_tests.assertions.clock import A_DAY, server_time, want_clock
from contract_tests.assertions.resources import changing, conforming, ids, listed, offered, readable
from contract_tests.assertions.sessions import created as session_created
from contract_tests.assertions.sessions import prompt
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.managed_objects import as_text
from contract_tests.deployment.payloads import NEXT, plain, turn
from contract_tests.verdict import failed, no_further_finding, not_supported, not_tested
from contract_tests.wire.exchange import Exchange

#: Statuses of a successful creation.
CREATED = (201, 200)
#: What a create is refused for, by the clause's name.
REFUSED: dict[str, dict[str, JSON]] = {
    "name-length": {"name": "n" * 257},
    "description-length": {"description": "d" * 513},
    "instructions-length": {"instructions": "i" * 32_769},
    "metadata-size": {"metadata": {f"key-{number}": "value" for number in range(17)}},
    "metadata-values": {"metadata": {"key": {"of": "another"}}},
    "session-max-ttl-bound": {"session_max_ttl": 0},
    "index-top-n-bound": {"index_top_n": 0},
    "index-id-format": {"index_id": "not-a-uuid"},
}
#: Each field at its bound.
AT_BOUNDS: dict[str, JSON] = {
    "description": "d" * 512,
    "instructions": "i" * 32_768,
    "metadata": {f"key-{number}": "value" for number in range(16)},
    "session_max_ttl": 1,
    "index_top_n": 1,
}
#: A value of a wrong type for each of these fields, which no server can read as one of the right type.
WRONG: dict[str, JSON] = {"name": ["a"], "description": {"a": "b"}, "metadata": "a", "session_max_ttl": "soon"}


@pytest.mark.clause("agents.get")
def test_an_agent_is_answered_under_its_id(deployment: Deployment) -> None:
    """The one under test: a chat with it is answered."""
    exchange = offered(deployment.ask("getAgent"))
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)


@pytest.mark.clause("agents.status")
def test_the_agent_is_available(deployment: Deployment) -> None:
    """The one under test: a chat with it is answered."""
    exchange = offered(deployment.ask("getAgent"))
    status = fields_of(exchange).get("status")
    if status is None:
        raise not_supported("the agent has no status")
    if status != "AVAILABLE":
        raise failed('status "AVAILABLE"', as_text(status), exchange)


@pytest.mark.clause("agents.get")
def test_a_created_agent_is_answered_as_it_was_created(deployment: Deployment) -> None:
    """Field by field, but for its status, which may change by itself."""
    made = created(an_agent(deployment))
    if not readable(deployment):
        raise no_further_finding("the server answers no agents")
    exchange = deployment.ask("getAgent", parameters={"agent_id": made["id"]})
    expect.status(exchange, expect.OK)
    differing = {name: value for name, value in made.items() if fields_of(exchange).get(name) != value}
    if found := differing.keys() - {"status", "status_errors"}:
        raise failed(f"the agent as it was created: {as_text(made)}", f"other {', '.join(sorted(found))}", exchange)


@pytest.mark.clause("chat.agent-unknown")
def test_an_agent_that_does_not_exist_is_not_answered(deployment: Deployment) -> None:
    """If agents can be read at all."""
    if not readable(deployment):
        raise no_further_finding("the server answers no agents")
    unknown_agent = {"agent_id": deployment.unknown_id("agent")}
    expect.status(deployment.ask("getAgent", parameters=unknown_agent), expect.NOT_FOUND)


@pytest.mark.clause("chat.agent-unknown")
@pytest.mark.parametrize("operation", ["updateAgent", "deleteAgent"])
def test_an_agent_that_does_not_exist_is_not_changed(deployment: Deployment, operation: str) -> None:
    """Neither is it created."""
    unknown_agent = {"agent_id": deployment.unknown_id("agent")}
    body: JSON = {"description": "?"} if operation == "updateAgent" else None
    exchange = deployment.ask(operation, body, parameters=unknown_agent)
    if exchange.status in (401, 403, 405, 501):
        raise no_further_finding(f"the server does not do that: {exchange.described()}")
    expect.status(exchange, expect.NOT_FOUND)


@pytest.mark.clause("agents.chat-twin")
def test_a_chat_under_agents_is_answered_as_under_assistants(deployment: Deployment) -> None:
    """A plain one, one of an unknown agent and one that breaks its schema."""
    unknown_agent = {"agent_id": deployment.unknown_id("agent")}
    exchange = deployment.ask("createAgentChatCompletion", plain())
    offered(exchange)
    for body, parameters in ((plain(), None), (plain(), unknown_agent), (plain(messages=[]), None)):
        alike = deployment.chat(body, parameters=parameters)
        exchange = deployment.ask("createAgentChatCompletion", body, parameters=parameters)
        expect.status(exchange, alike.status)
        if exchange.status == expect.OK:
            conforming(deployment, exchange)
            if lacking := _lacking(exchange) - _lacking(alike):
                raise failed("an answer as under /assistants", f"one without {' and '.join(sorted(lacking))}", exchange)


def _lacking(exchange: Exchange) -> set[str]:
    """Return what an answer does not have: content, if it ended by itself, and tokens in its usage."""
    messages = [choice.get("message") for choice in expect.choices(exchange) if choice.get("finish_reason") == "stop"]
    null = any(isinstance(one, dict) and expect.is_content(one) and one.get("content", "") is None for one in messages)
    counts = expect.answer(exchange).get("usage")
    counted = isinstance(counts, dict) and any(counts.values())
    return {*({"content"} if null else ()), *(() if counted else {"tokens"})}


@pytest.mark.clause("agents.create")
def test_an_agent_is_created(deployment: Deployment) -> None:
    """With a model, and what else is read back."""
    exchange = an_agent(deployment)
    expect.status(exchange, *CREATED)
    conforming(deployment, exchange, without="object")


@pytest.mark.clause("agents.create-status")
def test_a_create_is_answered_with_201(deployment: Deployment) -> None:
    """The published page does not document this."""
    expect.status(an_agent(deployment), CREATED[0])


@pytest.mark.clause("agents.conforms")
def test_a_created_agent_has_its_form(deployment: Deployment) -> None:
    """In the answer to the create."""
    exchange = an_agent(deployment)
    created(exchange)
    conforming(deployment, exchange)


@pytest.mark.clause("agents.created-fields")
def test_a_created_agent_has_what_was_sent(deployment: Deployment) -> None:
    """Each field as it was."""
    exchange = an_agent(deployment)
    made, sent = created(exchange), json.loads(exchange.request.body)
    wrong = {name: made.get(name) for name, value in sent.items() if made.get(name) != value}
    if wrong:
        raise failed(as_text({name: sent[name] for name in wrong}), as_text(wrong), exchange)


@pytest.mark.clause("agents.object")
def test_a_created_agent_has_its_object_type(deployment: Deployment) -> None:
    """In the answer to the create."""
    exchange = an_agent(deployment)
    if created(exchange).get("object") != "agent":
        raise failed('object "agent"', as_text(created(exchange).get("object")), exchange)


@pytest.mark.clause("agents.created-at")
def test_a_created_agent_has_its_time_of_creation(deployment: Deployment) -> None:
    """By the server's own clock if a reply has a `Date`; a clock that is wrong is a warning."""
    exchange = an_agent(deployment)
    moment, date = created(exchange).get("created_at"), server_time(exchange)
    now = time.time() if date is None else date
    if not isinstance(moment, int) or abs(now - moment) > A_DAY:
        raise failed(f"created_at near {int(now)}", as_text(moment), exchange)
    want_clock(exchange)


@pytest.mark.clause("agents.id-fresh")
def test_each_created_agent_has_an_id_of_its_own(deployment: Deployment) -> None:
    """Two were created."""
    one, other = an_agent(deployment), another_agent(deployment)
    if created(one)["id"] == created(other)["id"]:
        raise failed("two ids", f"{created(one)['id']} twice", one, other)


@pytest.mark.clause("agents.defaults")
def test_an_agent_of_a_name_and_a_model_alone_has_the_rest_filled_in(deployment: Deployment) -> None:
    """How long its sessions are kept, for example."""
    exchange = another_agent(deployment)
    expect.status(exchange, *CREATED)
    if created(exchange).get("session_max_length") is None and created(exchange).get("session_max_ttl") is None:
        raise failed("session_max_length or session_max_ttl", "neither", exchange)


@pytest.mark.clause("agents.created-listed")
def test_a_created_agent_is_listed(deployment: Deployment) -> None:
    """Among the newest, or the oldest if the server ignores the order."""
    made = created(an_agent(deployment))
    exchange = listed(deployment, order="desc")
    if made["id"] in [*ids(exchange), *ids(listed(deployment, order="asc"))]:
        return
    raise failed(f"a list with {made['id']}", f"one of {len(ids(exchange))} others", exchange)


@pytest.mark.clause("agents.model-required")
def test_a_create_without_a_model_is_refused(deployment: Deployment) -> None:
    """A name alone makes no agent."""
    exchange = changing(deployment.ask("createAgent", {"name": f"{deployment.agents.name}-no-model"}))
    expect.status(exchange, expect.UNPROCESSABLE)


@pytest.mark.parametrize(
    "fields",
    [pytest.param(fields, marks=pytest.mark.clause(f"agents.{name}"), id=name) for name, fields in REFUSED.items()],
)
def test_a_create_beyond_a_bound_is_refused(deployment: Deployment, fields: dict[str, JSON]) -> None:
    """The value is the nearest one beyond the bound."""
    expect.status(create(deployment, "-invalid", **fields), expect.UNPROCESSABLE)


@pytest.mark.clause("agents.field-types")
@pytest.mark.parametrize("name", WRONG)
def test_a_create_with_a_value_of_a_wrong_type_is_refused(deployment: Deployment, name: str) -> None:
    """The value can't be read as one of the right type."""
    expect.status(create(deployment, "-invalid", **{name: WRONG[name]}), expect.UNPROCESSABLE)


@pytest.mark.clause("agents.limits-accepted")
def test_a_create_with_all_at_their_bounds_is_accepted(deployment: Deployment) -> None:
    """The name too, filled up with dots."""
    name = f"{deployment.agents.name}-3".ljust(256, ".")
    expect.status(create(deployment, **{**AT_BOUNDS, "name": name}), *CREATED)


@pytest.mark.clause("agents.create-tools-empty")
def test_an_empty_list_of_tools_beside_an_index_does_no_harm(deployment: Deployment) -> None:
    """The index is unknown, and a server may refuse that."""
    fields: dict[str, JSON] = {"tools": [], "index_id": deployment.unknown_id("index")}
    expect.no_server_error(create(deployment, "-4", **fields))


@pytest.mark.clause("agents.update")
def test_an_update_changes_what_it_has_and_nothing_else(deployment: Deployment) -> None:
    """The description; looked at in the answer and once more."""
    made = created(another_agent(deployment))
    own = {"agent_id": made["id"]}
    changed = changing(deployment.ask("updateAgent", {"description": "It was changed."}, parameters=own))
    expect.status(changed, expect.OK)
    wanted = {**made, "description": "It was changed."}
    read = [deployment.ask("getAgent", parameters=own, again=1)] if readable(deployment) else []
    for exchange in (changed, *read):
        wrong = {name for name, value in wanted.items() if fields_of(exchange).get(name) != value}
        if wrong - {"status", "status_errors", "updated_at"}:
            raise failed(f"the agent with its new description, {as_text(wanted)}", as_text(exchange.json()), exchange)


@pytest.mark.clause("agents.update-null")
def test_an_update_to_null_unsets_a_field(deployment: Deployment) -> None:
    """The description, which was set before."""
    own = {"agent_id": created(another_agent(deployment))["id"]}
    before = changing(deployment.ask("updateAgent", {"description": "To be unset."}, parameters=own))
    if fields_of(before).get("description") != "To be unset.":
        raise not_tested(f"there is nothing to unset: {before.described()}")
    exchange = deployment.ask("updateAgent", {"description": None}, parameters=own)
    expect.status(exchange, expect.OK)
    if fields_of(exchange).get("description"):
        raise failed("no description", as_text(fields_of(exchange).get("description")), before, exchange)


@pytest.mark.clause("agents.update-invalid")
@pytest.mark.parametrize("name", ["name-length", "metadata-size", "session-max-ttl-bound", "index-id-format"])
def test_an_update_beyond_a_bound_is_refused(deployment: Deployment, name: str) -> None:
    """As the create is."""
    own = {"agent_id": created(another_agent(deployment))["id"]}
    expect.status(changing(deployment.ask("updateAgent", REFUSED[name], parameters=own)), expect.UNPROCESSABLE)


@pytest.mark.clause("agents.instructions-counted")
def test_instructions_count_in_the_prompt(deployment: Deployment) -> None:
    """Of two agents that differ in nothing else that is known."""
    with_some, without = created(an_agent(deployment)), created(another_agent(deployment))
    longer = deployment.chat(turn(), parameters={"agent_id": with_some["id"]})
    shorter = deployment.chat(turn(), parameters={"agent_id": without["id"]})
    if prompt(longer) <= prompt(shorter):
        expected = f"prompt_tokens over {prompt(shorter)}, what the agent without instructions counts"
        raise failed(expected, f"{prompt(longer)}", shorter, longer)


@pytest.mark.clause("chat.session-other-agent")
def test_a_session_of_another_agent_is_refused(deployment: Deployment) -> None:
    """The agent under test opened it."""
    other = created(an_agent(deployment))["id"]
    session = session_created(deployment)
    expect.refused(deployment.chat(turn(NEXT, session.id), parameters={"agent_id": other}))


@pytest.mark.clause("agents.delete")
def test_a_deletion_names_what_it_has_deleted(deployment: Deployment) -> None:
    """The agent was created for it."""
    id, exchange = _deleted(deployment)
    expect.status(exchange, expect.OK)
    wanted = {"id": id, "object": "agent.deleted", "deleted": True}
    found = {name: fields_of(exchange).get(name) for name in wanted}
    if found != wanted:
        raise failed(as_text(wanted), as_text(exchange.json()), exchange)


@pytest.mark.clause("agents.deleted-gone")
def test_a_deleted_agent_is_gone(deployment: Deployment) -> None:
    """Neither found nor listed."""
    id, exchange = _deleted(deployment)
    expect.status(deployment.ask("getAgent", parameters={"agent_id": id}), expect.NOT_FOUND)
    after = deployment.ask("listAgents", query={"order": "desc"}, again=1)
    if id in ids(after):
        raise failed(f"a list without {id}", "one with it", exchange, after)


@pytest.mark.clause("agents.deleted-chat")
def test_a_deleted_agent_does_not_chat(deployment: Deployment) -> None:
    """It did before it was deleted, or could have."""
    id, _ = _deleted(deployment)
    expect.status(deployment.chat(plain(), parameters={"agent_id": id}), expect.NOT_FOUND)


def _deleted(deployment: Deployment) -> tuple[str, Exchange]:
    """Return the id of an agent that was created to be deleted, and what its deletion got."""
    id = created(create(deployment, "-5"))["id"]
    exchange = changing(deployment.ask("deleteAgent", parameters={"agent_id": id}))
    if exchange.status not in range(200, 300):
        raise not_tested(f"the agent was not deleted: {exchange.described()}")
    return id, exchange
