"""The agents that a run with `--manage` creates for its tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.assertions.resources import changing, own_model
from contract_tests.deployment.managed_objects import NAME
from contract_tests.verdict import not_tested

if TYPE_CHECKING:
    from agent_contract.messages import JSON
    from contract_tests.deployment.deployment import Deployment
    from contract_tests.wire.exchange import Exchange

FIRST = "-1"
INSTRUCTIONS = "Answer in one word. " * 4
METADATA: dict[str, JSON] = {"made-by": NAME, "purpose": "contract tests; may be deleted"}


def create(deployment: Deployment, label: str = "", /, **fields: JSON) -> Exchange:
    """Create an agent with the model of the agent under test and a recognizable name; return the exchange."""
    if label != FIRST:
        changing(an_agent(deployment))  # a server that does not allow creation gets no further requests
    body: dict[str, JSON] = {"model": own_model(deployment), "name": f"{deployment.agents.name}{label}", **fields}
    return changing(deployment.ask("createAgent", body))


def created(exchange: Exchange) -> dict[str, Any]:
    """Return the created agent; raises `not tested` without one."""
    value = exchange.json()
    if exchange.status not in (200, 201) or not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise not_tested(f"no agent was created: {exchange.described()}")
    return value


def an_agent(deployment: Deployment) -> Exchange:
    """Create an agent with all fields that tests read back; return the exchange."""
    return create(deployment, FIRST, description="For a test.", instructions=INSTRUCTIONS, metadata=METADATA)


def another_agent(deployment: Deployment) -> Exchange:
    """Create an agent with only a name and a model; return the exchange."""
    return create(deployment, "-2")


def fields_of(exchange: Exchange) -> dict[str, Any]:
    """Return the JSON object of an answer, empty if it has none."""
    value = exchange.json()
    return value if isinstance(value, dict) else {}
