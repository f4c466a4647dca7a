"""What can be wrong with agents that are read and created."""

from agent_contract.messages import Reply, Request
from server_defects.defect import MANAGED, planting
from server_defects.replies import json_reply
from server_defects.resource_mutators import always, answering, intercepting, without

agents = planting("agents", family="agents", options=MANAGED)


def ids_of_agents(request: Request, body: bytes, number: int) -> Reply | None:
    """Answer 500 to a chat with an agent under `/agents`."""
    path = request.path
    wrong = "/agents/" in path and path.endswith("/chat/completions")
    return json_reply({"detail": "Internal Server Error"}, 500) if wrong else None


#: As FastAPI refuses a name.
TOO_LONG = {"detail": [{"type": "string_too_long", "loc": ["body", "name"], "msg": "String should be shorter"}]}


DEFECTS = (
    agents(
        "agent-get-other-form", "get", "Wraps an agent that is read.", resource=answering("get", lambda v: {"agent": v})
    ),
    agents("agent-chat-fails", "chat-twin", "Fails on a chat under `/agents`.", arrive=ids_of_agents),
    agents(
        "create-fails",
        "create",
        "Fails on every create.",
        resource=always("create", 500, "Internal Server Error"),
    ),
    agents(
        "create-bare-id",
        "create",
        "Answers a create with the new id alone.",
        resource=answering("create", lambda value: {"id": value["id"]}),
    ),
    agents(
        "create-forgets-the-name",
        "created-fields",
        "Creates agents without their names.",
        resource=answering("create", without("name")),
    ),
    agents(
        "create-forgets-the-metadata",
        "created-fields",
        "Creates agents with empty metadata.",
        resource=answering("create", lambda value: {**value, "metadata": {}}),
    ),
    agents(
        "create-in-milliseconds",
        "created-at",
        "Sends the time of an agent's creation in milliseconds.",
        resource=answering("create", lambda value: {**value, "created_at": value["created_at"] * 1000}),
    ),
    agents(
        "create-at-zero",
        "created-at",
        "Sends a time in 1970 as each new agent's creation.",
        resource=answering("create", lambda value: {**value, "created_at": 0}),
    ),
    agents(
        "create-without-model-200",
        "model-required",
        "Creates nothing without a model, and answers 200.",
        arrive=intercepting("POST", "/agents", 200, {"error": "no model"}, lambda body: b'"model"' not in body),
    ),
    agents(
        "create-bounds-refused",
        "limits-accepted",
        "Refuses a name at its bound.",
        arrive=intercepting("POST", "/agents", 422, TOO_LONG, lambda body: b"." * 100 in body),
    ),
    agents(
        "delete-answers-the-agent",
        "delete",
        "Answers a deletion with `deleted` false.",
        resource=answering("delete", lambda value: {**value, "deleted": False}),
    ),
    agents(
        "delete-answers-nothing",
        "delete",
        "Answers a deletion with an empty object.",
        resource=answering("delete", lambda value: {}),
    ),
)
