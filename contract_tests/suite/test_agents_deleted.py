"""Deletion of the run's own agents: the reply, and what remains."""

from __future__ import annotations

import pytest

from contract_tests.assertions import expect
from contract_tests.assertions.agents import create, created, fields_of
from contract_tests.assertions.resources import changing, ids
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.managed_agents import as_text
from contract_tests.deployment.payloads import plain
from contract_tests.verdict import failed, not_tested
from contract_tests.wire.exchange import Exchange


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
