"""What can be wrong with agents that are read and created."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from agent_contract.messages import Reply, Request
from benchmarks.detection.field_mutators import retyped
from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.mutants.mutant import planting
from benchmarks.detection.registry import Registry
from benchmarks.detection.resources import CREATE
from server_defects.defect import MANAGED
from server_defects.replies import json_reply

agents = planting("agents", family="agents", options=MANAGED)
of_9_0 = planting("agents", family="agents", options=(*MANAGED, "--api-version", "9.0"))


class SameId(Registry):
    """Gives every agent that it creates one and the same id."""

    def new_id(self) -> str:  # noqa: D102
        return "0a7d9c52-1a4e-4a57-b6fb-4a3b3f8f9d10"


class KeepsNothing(Registry):
    """Answers a create, and keeps no agent."""

    def create(self, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return 201, self.made(self.new_id(), sent, 1700000000)


class ListsTheOldAlone(Registry):
    """Lists none of the agents that were created since it started."""

    def chosen(self, query: Mapping[str, Any]) -> list[dict[str, Any]]:  # noqa: D102
        old = list(self.agents)[:2]
        return [agent for agent in super().chosen(query) if agent["id"] in old]


class AnswersTheDefaults(Registry):
    """Answers an agent under its id without what it was created with."""

    def get(self, id: str) -> tuple[int, Any]:  # noqa: D102
        return 200, {**self.known(id), "description": None, "metadata": {}}


def unknown_under_agents(request: Request, body: bytes, number: int) -> Reply | None:
    """Answer 400 if the agent of a chat under `/agents` is unknown."""
    path = request.path
    wrong = path.endswith("/chat/completions") and "/agents/" in path and ServerHooks().agent_id not in path
    return json_reply({"detail": "No agent"}, 400) if wrong and b'"messages": []' not in body else None


MUTANTS = (
    agents("agent-get-defaults", "get", "Reads an agent without what it was given.", registry=AnswersTheDefaults),
    agents("create-same-id", "id-fresh", "Gives all new agents one id.", registry=SameId),
    agents("create-kept-nowhere", "created-listed", "Keeps no agent that it creates.", registry=KeepsNothing),
    agents("create-not-listed", "created-listed", "Lists no agent that it creates.", registry=ListsTheOldAlone),
    agents(
        "create-without-model",
        "model-required",
        "Creates agents without a model.",
        resource_fields=retyped(CREATE, model=(str | None, "mixtral-8x7b-instruct")),
    ),
    agents(
        "create-any-name",
        "name-length",
        "Accepts a name of any length.",
        resource_fields=retyped(CREATE, name=(str | None, None)),
    ),
    agents(
        "create-name-off-by-one",
        "name-length",
        "Accepts a name of 257 characters.",
        resource_fields=retyped(CREATE, name=(str | None, Field(None, max_length=257))),
    ),
    of_9_0(
        "create-any-description",
        "description-length",
        "Accepts a description of 513 characters.",
        resource_fields=retyped(CREATE, description=(str | None, Field(None, max_length=513))),
    ),
    agents(
        "create-any-instructions",
        "instructions-length",
        "Accepts instructions of any length.",
        resource_fields=retyped(CREATE, instructions=(str | None, None)),
    ),
    agents(
        "create-any-metadata",
        "metadata-size",
        "Accepts 17 pairs of metadata.",
        resource_fields=retyped(CREATE, metadata=(dict[str, str] | None, Field(None, max_length=17))),
    ),
    agents(
        "create-metadata-of-anything",
        "metadata-values",
        "Accepts metadata of any values.",
        resource_fields=retyped(CREATE, metadata=(dict[str, Any] | None, Field(None, max_length=16))),
    ),
    agents(
        "create-ttl-zero",
        "session-max-ttl-bound",
        "Accepts a `session_max_ttl` of 0.",
        resource_fields=retyped(CREATE, session_max_ttl=(Annotated[int, Field(ge=0)] | None, None)),
    ),
    agents(
        "create-top-n-zero",
        "index-top-n-bound",
        "Accepts an `index_top_n` of 0.",
        resource_fields=retyped(CREATE, index_top_n=(Annotated[int, Field(ge=0)] | None, None)),
    ),
    agents(
        "create-any-index",
        "index-id-format",
        "Accepts any text as an index.",
        resource_fields=retyped(CREATE, index_id=(str | None, None)),
    ),
    agents(
        "create-any-types",
        "field-types",
        "Accepts a name and a description of any type.",
        resource_fields=retyped(CREATE, name=(Any, None), description=(Any, None)),
    ),
    agents(
        "create-ttl-one-refused",
        "limits-accepted",
        "Refuses a `session_max_ttl` of 1.",
        resource_fields=retyped(CREATE, session_max_ttl=(Annotated[int, Field(gt=1)] | None, None)),
    ),
    agents(
        "agent-chat-unknown-400",
        "chat-twin",
        "Refuses an unknown agent under `/agents` with 400.",
        arrive=unknown_under_agents,
    ),
)
