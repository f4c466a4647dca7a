"""Variants of agents and models that the contract allows."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent_contract.messages import Reply, Request
from benchmarks.detection.conforming_variants.variant import Variant
from benchmarks.detection.field_mutators import retyped
from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.registry import DEFAULTS, EMBEDDER, Registry
from benchmarks.detection.resources import CREATE, EMBED
from server_defects.defect import MANAGED
from server_defects.hooks import Refusal
from server_defects.replies import json_reply
from server_defects.resource_mutators import each, with_status

PLAIN = ServerHooks()
ROOT = "/api/v1/compatibility/openai/v1"
#: FastAPI's answer if an agent has no value for a field.
NOTHING = dict.fromkeys(
    (
        *("description", "instructions", "metadata", "index_id", "index_top_n", "index_similarity_cutoff", "tools"),
        *("index_reference_format", "index_reference_delimiter", "agent_type", "status_errors"),
        *("session_summarization_strategy", "chat_system_instruction_mode"),
    )
)


def lacking(status: int) -> Callable[[Request, bytes, int], Reply | None]:
    """Return an arrival that knows the chat of an assistant alone; all else is answered so."""

    def arrive(request: Request, body: bytes, number: int) -> Reply | None:
        path = request.path
        own = path.startswith(f"{ROOT}/assistants/") and path.endswith("/chat/completions")
        return None if own else json_reply({"detail": "Not here"}, status, {"Allow": "HEAD"})

    return arrive


def forbidden(*methods: str) -> Callable[[Request, bytes, int], Reply | None]:
    """Return an arrival that forbids these methods under agents and assistants, but for chats and completions."""

    def arrive(request: Request, body: bytes, number: int) -> Reply | None:
        path = request.path
        theirs = path.startswith((f"{ROOT}/agents", f"{ROOT}/assistants")) and not path.endswith("/completions")
        return json_reply({"detail": "Forbidden"}, 403) if theirs and request.method in methods else None

    return arrive


def unread(request: Request, body: bytes, number: int) -> Reply | None:
    """Answer 404 to requests for a single agent."""
    single = request.path.removeprefix(ROOT).count("/") == 2
    return json_reply({"detail": "Not Found"}, 404) if single and request.method == "GET" else None


class OtherIds(Registry):
    """Its agents have ids that are not uuids."""

    def new_id(self) -> str:  # noqa: D102
        return f"asst_{secrets.token_hex(12)}"


class WithNulls(Registry):
    """Answers null wherever an agent has no value."""

    def made(self, id: str, sent: Mapping[str, Any], now: int) -> dict[str, Any]:  # noqa: D102
        return {**NOTHING, **super().made(id, sent, now)}

    def update(self, id: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        self.agents[id] = {**NOTHING, **super().update(id, sent)[1]}
        return 200, self.agents[id]

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        status, value = super().page(query)
        return status, {"first_id": None, "last_id": None, "num_objects": None, **value}


class WithoutDefaults(Registry):
    """Fills nothing in that a create leaves out."""

    def made(self, id: str, sent: Mapping[str, Any], now: int) -> dict[str, Any]:  # noqa: D102
        agent = super().made(id, sent, now)
        return {name: value for name, value in agent.items() if name not in DEFAULTS or name in sent}


class Busy(Registry):
    """Others create an agent at each look, and delete the one before."""

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        for id in [id for id, agent in self.agents.items() if agent.get("name") == "theirs"][:-1]:
            del self.agents[id]
        id = self.new_id()
        self.agents[id] = self.made(id, {"model": self.model, "name": "theirs"}, int(time.time()))
        return super().page(query)


class Growing(Registry):
    """Others create an agent at each look."""

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        id = self.new_id()
        self.agents[id] = self.made(id, {"model": self.model, "name": "theirs"}, int(time.time()))
        return super().page(query)


class Capped(Registry):
    """Lists two agents at most, whatever the limit."""

    def page(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().page({**query, "limit": min(query["limit"], 2)})


class Old(Registry):
    """Has been there for long, and is used by many."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for number in range(250):
            id = self.new_id()
            self.agents[id] = self.made(id, {"model": self.model, "name": f"agent {number}"}, 1_700_000_000 + number)


@dataclass
class LinkedAtFirst(Registry):
    """Refuses the first deletion of each agent with 409."""

    linked: set[str] = field(default_factory=set)

    def delete(self, id: str) -> tuple[int, Any]:  # noqa: D102
        self.known(id)
        if id not in self.linked:
            self.linked.add(id)
            raise Refusal("linked", 409, "Something is still linked to the agent")
        return super().delete(id)


class Starting(Registry):
    """Its agents are not ready when they are created, and have been changed when they are updated."""

    def create(self, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        status, agent = super().create(sent)
        return status, {**agent, "status": "creating"}

    def update(self, id: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        status, agent = super().update(id, sent)
        self.agents[id] = {**agent, "updated_at": time.time_ns()}
        return status, self.agents[id]


class OtherEngine(Registry):
    """Its models run on an engine that its clients don't know yet."""

    def models(self) -> tuple[int, Any]:  # noqa: D102
        status, value = super().models()
        return status, {**value, "data": [{**model, "model_engine": "SGLANG"} for model in value["data"]]}


class NoEmbeddings(Registry):
    """Has no model for embeddings."""

    def models(self) -> tuple[int, Any]:  # noqa: D102
        status, value = super().models()
        return status, {**value, "data": value["data"][:1]}

    def of_kind(self, model: str, wanted: str) -> None:  # noqa: D102
        super().of_kind("nobody" if EMBEDDER in (model, wanted) else model, wanted)


def refuse_kind(name: str, status: int, value: Any) -> tuple[int, Any]:
    """Refuse a model of another kind with 422."""
    wrong = name in ("embed", "model-chat-kind") and status == 400
    detail = [{"loc": ["body", "model"], "msg": "The model is of another kind", "type": "value_error"}]
    return (422, {"detail": detail}) if wrong else (status, value)


def rich(name: str, status: int, value: Any) -> tuple[int, Any]:
    """Send more fields of agents and models than the document lists."""
    more = {"owner": "owner", "links": []}
    if name in ("list", "models") and status == 200:
        return status, each(lambda item: {**item, **more})(value)
    return status, {**value, **more} if name in ("create", "get", "update") else value


def variant(name: str, sentence: str, *, options: tuple[str, ...] = MANAGED, **changes: Any) -> Variant:
    """Return a variant that the judge may create agents on."""
    return Variant(name, sentence, replace(PLAIN, **changes), options)


VARIANTS = (
    variant("plain-managed", "As in the document; agents may be created.", seed=1),
    variant("around-401", "Opens the chat alone to the token; all else answers 401.", arrive=lacking(401)),
    variant("around-403", "Opens the chat alone to the token; all else answers 403.", arrive=lacking(403)),
    variant("around-404", "Has the chat alone; all else is not found.", arrive=lacking(404)),
    variant("around-405", "Has the chat alone; every other method is refused.", arrive=lacking(405)),
    variant("around-501", "Has the chat alone; all else is not implemented.", arrive=lacking(501)),
    variant("agents-read-only", "Forbids all changes of agents.", arrive=forbidden("POST", "DELETE", "PUT")),
    variant("agents-hidden", "Forbids all access to agents.", arrive=forbidden("GET", "POST", "DELETE", "PUT")),
    variant("agents-unread", "Lists agents, and answers none under its id.", arrive=unread),
    variant("agents-kept", "Forbids the deletion of agents.", arrive=forbidden("DELETE")),
    variant("create-200", "Answers a create with 200.", resource=with_status("create", 201, 200)),
    variant(
        "agents-rich",
        "Sends more fields of agents and models than the document lists.",
        resource=rich,
    ),
    variant("agents-other-ids", "Its agents have ids that are not uuids.", registry=OtherIds),
    variant(
        "agents-named",
        "Neither its own agent nor new ones have uuids.",
        registry=OtherIds,
        agent_id="asst_4f1d2c3b5a69788796a5b4c3",
    ),
    variant("agents-with-nulls", "Answers null wherever an agent has no value.", registry=WithNulls),
    variant("agents-without-defaults", "Fills nothing in that a create leaves out.", registry=WithoutDefaults),
    variant("agents-busy", "Others create and delete agents meanwhile.", registry=Busy),
    variant("agents-growing", "Others create agents meanwhile.", registry=Growing),
    variant("agents-capped", "Lists two agents at most, whatever the limit.", registry=Capped),
    variant("agents-many", "Has 250 agents of others.", registry=Old),
    variant("agents-many-unmanaged", "Has 250 agents of others, and takes none.", options=(), registry=Old),
    variant("agents-starting", "Its new agents are not ready at once, and changes leave a date.", registry=Starting),
    variant("agents-linked", "Refuses each deletion once with 409.", registry=LinkedAtFirst),
    variant("models-other-engine", "Its models run on an engine of another name.", registry=OtherEngine),
    variant(
        "agents-described-at-length",
        "Takes descriptions of any length, as from 9.1.",
        resource_fields=retyped(CREATE, description=(str | None, None)),
    ),
    variant("embeddings-none", "Has no model for embeddings.", registry=NoEmbeddings),
    variant("embeddings-kind-422", "Refuses a model of another kind with 422.", resource=refuse_kind),
    variant(
        "embeddings-one-by-one",
        "Embeds one text at a time.",
        resource_fields=retyped(EMBED, input=(str, ...)),
    ),
)
