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
#: The files that tests upload: what they find in the first is not in the others.
DOCUMENT = "lighthouses.txt"
CONTENT = b"Lighthouses warn ships at night. The keeper of the lighthouse lights the lamp at dusk."
OTHER = b"Visitors can climb a lighthouse on Sundays, with a guide."
THIRD = b"Fishing boats leave the harbour before the lighthouse goes out."
QUESTION = "When does the keeper light the lamp?"
#: The states of a document or an indexing that has ended.
ENDED = ("DONE", "FAILED", "CANCELLED")
#: Seconds before the second reading of a state, and between the last ones.
FIRST_PAUSE, LAST_PAUSE = 0.1, 8.0
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


def a_form(
    name: str, content: bytes, media_type: str = "text/plain", field: str = "file"
) -> tuple[bytes, dict[str, Any]]:
    """Return the body of an upload, and its variation: the header with the form's boundary."""
    boundary = "agent-contract-verify-form"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    body = f"{head}Content-Type: {media_type}\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, {"headers": {"content-type": f"multipart/form-data; boundary={boundary}"}}


def upload(deployment: Deployment, path: Mapping[str, str], name: str, content: bytes, **part: str) -> Exchange:
    """Upload a file to an index; return the exchange."""
    body, variation = a_form(name, content, **part)
    return changing(deployment.ask("uploadDocument", body, parameters=path, **variation))


def a_document(deployment: Deployment) -> Exchange:
    """Upload the document that tests read back and search for, to an index of its own; return the exchange."""
    return upload(deployment, path_of(an_index_of_documents(deployment)), DOCUMENT, CONTENT)


def an_index_of_documents(deployment: Deployment) -> dict[str, Any]:
    """Create the index that tests upload to, in a knowledge base of its own."""
    base = made(create_base(deployment, "-6"))
    return made(create_index(deployment, base["id"], "-6"), "index")


def indexed(deployment: Deployment) -> Exchange:
    """Upload a document and wait until it is indexed; return the last reading of it."""
    document = made(a_document(deployment), "document")
    second(deployment)
    return settled(deployment, "getDocument", {**path_of_document(document), "document_id": document["id"]})


def second(deployment: Deployment) -> dict[str, Any]:
    """Upload two more documents, so that a search can find more than two chunks; return the last one."""
    path = path_of(an_index_of_documents(deployment))
    upload(deployment, path, "visits.txt", OTHER)
    return made(upload(deployment, path, "boats.txt", THIRD), "document")


def path_of_document(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of a path that names the index of a document or an indexing."""
    return {name: str(document.get(name)) for name in ("knowledge_base_id", "index_id")}


def settled(deployment: Deployment, operation: str, path: Mapping[str, str]) -> Exchange:
    """Read a document or an indexing until it has ended, at most for half a minute; return the last reading."""
    pause, again = FIRST_PAUSE, 0
    while True:
        exchange = deployment.ask(operation, parameters=path, again=again)
        value = exchange.json()
        if exchange.status != 200 or not isinstance(value, dict) or value.get("state") in ENDED or pause > LAST_PAUSE:
            return exchange
        deployment.client.budget.limiter.pause(pause)
        pause, again = pause * 1.4, again + 1
