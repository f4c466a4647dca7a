"""The knowledge bases that a run with `--manage` creates for its tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract_tests.assertions.agents import create as create_agent
from contract_tests.assertions.agents import created as agent_created
from contract_tests.assertions.resources import a_model, changing, items, listed
from contract_tests.verdict import not_tested

if TYPE_CHECKING:
    from agent_contract.messages import JSON
    from contract_tests.deployment.deployment import Deployment
    from contract_tests.wire.exchange import Exchange

BASES = "listKnowledgeBases"
DESCRIPTION = "For contract tests; may be deleted."
#: The policy of a knowledge base if the deployment has none to copy one from; policies are not published.
POLICY: dict[str, JSON] = {"policy_type": "MANUAL"}


def base_body(deployment: Deployment, label: str, **fields: JSON) -> dict[str, JSON]:
    """Return the body of a create: a recognizable name, and what the deployment accepts for the rest."""
    known = (item.get("index_refresh_policy") for item in items(listed(deployment, BASES)))
    policy = next((policy for policy in known if isinstance(policy, dict)), POLICY)
    body = {"name": f"{deployment.name}{label}", "data_origin_type": "LOCAL_FILES", "index_refresh_policy": policy}
    return {**body, **fields}


def create_base(deployment: Deployment, label: str = "", /, **fields: JSON) -> Exchange:
    """Create a knowledge base of uploaded documents; return the exchange."""
    return changing(deployment.ask("createKnowledgeBase", base_body(deployment, label, **fields)))


def a_base(deployment: Deployment) -> Exchange:
    """Create a knowledge base with all fields that tests read back; return the exchange."""
    return create_base(deployment, "-1", description=DESCRIPTION)


def another_base(deployment: Deployment) -> Exchange:
    """Create another knowledge base; return the exchange."""
    return create_base(deployment, "-2")


def made(exchange: Exchange, noun: str = "knowledge base") -> dict[str, Any]:
    """Return what a create has made; raises `not tested` without one."""
    value = exchange.json()
    if exchange.status not in (200, 201, 202) or not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise not_tested(f"no {noun} was created: {exchange.described()}")
    return value


def refused_body(deployment: Deployment, **fields: JSON) -> dict[str, JSON]:
    """Return the body of a create that must be refused, after one that was accepted; null leaves a field out."""
    made(a_base(deployment))
    body = {**base_body(deployment, "-invalid"), **fields}
    return {name: value for name, value in body.items() if value is not None}


def index_body(deployment: Deployment, label: str, **fields: JSON) -> dict[str, JSON]:
    """Return the body of a create of an index: a recognizable name, the smallest chunks, and a model that embeds."""
    model = a_model(deployment, "EMBEDDINGS")
    body: dict[str, JSON] = {"name": f"{deployment.name}{label}", "embeddings_model_endpoint": model}
    return {**body, "text_splitting": "SENTENCE", "chunk_size": 100, **fields}


def create_index(deployment: Deployment, base: str, label: str = "", /, **fields: JSON) -> Exchange:
    """Create an index of a knowledge base; null leaves a field out. Return the exchange."""
    given = index_body(deployment, label, **fields)
    body: JSON = {name: value for name, value in given.items() if value is not None}
    return changing(deployment.ask("createIndex", body, parameters={"knowledge_base_id": base}))


def an_index(deployment: Deployment) -> Exchange:
    """Create an index with all fields that tests read back, in the first knowledge base; return the exchange."""
    return create_index(deployment, made(a_base(deployment))["id"], "-1", description=DESCRIPTION, chunk_overlap=0)


def path_of(index: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of a path that names an index."""
    return {"knowledge_base_id": str(index.get("knowledge_base_id")), "index_id": str(index.get("id"))}


def a_base_in_use(deployment: Deployment) -> tuple[dict[str, Any], dict[str, Any]]:
    """Create a knowledge base with an index that an agent uses; return both."""
    base = made(create_base(deployment, "-5"))
    index = made(create_index(deployment, base["id"], "-5"), "index")
    agent_created(create_agent(deployment, "-5", index_id=index["id"]))
    return base, index
