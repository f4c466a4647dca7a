"""Variants of accepted and refused input that the contract allows."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from agent_contract.messages import Reply, Request
from benchmarks.detection.conforming_variants.variant import Variant
from benchmarks.detection.field_mutators import typed
from benchmarks.detection.hooks import Asgi, Fields, ServerHooks
from benchmarks.detection.reference_server import ChatMessage, WholeNumber
from server_defects.hooks import CheckedAgent, Payload, Refusal, choices_bounded, model_matches, roles_accepted
from server_defects.mutators import json_of, refusing
from server_defects.replies import json_reply

PLAIN = ServerHooks()


class TextMessage(BaseModel):
    """A message whose content is a string and nothing else."""

    role: str
    content: str


class ClosedMessage(ChatMessage):
    """A message without other fields than the page shows."""

    model_config = ConfigDict(extra="forbid")


def without_null(fields: Fields) -> Fields:
    """Return the fields with the null taken from their types; they stay optional."""

    def narrowed(kind: Any) -> Any:
        parts = [part for part in get_args(kind) if part is not type(None)]
        return parts[0] if get_origin(kind) in (Union, UnionType) and len(parts) == 1 else kind

    # A default of null is not validated: an absent field stays absent.
    return {name: (narrowed(kind), default) for name, (kind, default) in fields.items()}


def worded_with_codes(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return a fault with a code and the refused value in it."""
    try:
        value = json.loads(json.dumps(error["input"], allow_nan=False))
    except (TypeError, ValueError):
        value = str(error["input"])
    kept = {key: error[key] for key in ("type", "loc", "msg")}
    return {**kept, "error_code": "VALIDATION_ERROR", "value": value}


def agent_first(request: Request, body: bytes, number: int) -> Reply | None:
    """Answer 404 for an unknown agent before the body is looked at."""
    if request.method == "POST" and PLAIN.agent_id not in request.path:
        return json_reply({"detail": "No agent found with the specified ID"}, 404)
    return None


def agent_as_uuid(request: Request, body: bytes, number: int) -> Reply | None:
    """Answer 422 for an agent id that is not a uuid."""
    *_, twin, agent_id = request.path.removesuffix("/chat/completions").split("/")
    agent_id = agent_id if twin in ("agents", "assistants") else PLAIN.agent_id
    try:
        uuid.UUID(agent_id)
    except ValueError:
        fault = {"type": "uuid_parsing", "loc": ["path", "agent_id"], "msg": "Input should be a valid UUID"}
        return json_reply({"detail": [fault]}, 422)
    return None


def two_agents(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse an agent that is neither of the two; they share their sessions."""
    if agent_id not in (served.agent_id, "5f0e1a52-6c55-4b8e-9a57-0d2f6f7b9c12"):
        raise Refusal("agent", 404, "No agent found with the specified ID")


def any_content_type(app: Asgi) -> Asgi:
    """Return an application that takes a body without a content type as JSON."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        headers = scope.get("headers", [])
        if not any(name == b"content-type" for name, _ in headers):
            scope = {**scope, "headers": [*headers, (b"content-type", b"application/json")]}
        await app(scope, receive, send)

    return wrapped


def first_fault(refusal: Refusal) -> Refusal:
    """Return a refusal that names the first fault alone."""
    return replace(refusal, detail=refusal.detail[:1]) if refusal.kind == "shape" else refusal


def no_twin_keys(request: Request, body: bytes, number: int) -> Reply | None:
    """Refuse a body in which a key stands twice."""

    def strict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise KeyError
        return dict(pairs)

    if json_of(body) is None:
        return None
    try:
        json.loads(body, object_pairs_hook=strict)
    except KeyError:
        fault = {"type": "json_invalid", "loc": ["body"], "msg": "A key stands twice"}
        return json_reply({"detail": [fault]}, 422)
    return None


def chat_sessions_400(refusal: Refusal) -> Refusal | Reply:
    """Return a chat's refusal for an unknown session with 400; for a prompt's the 404 is published."""
    if refusal.kind == "session" and "prompt" in refusal.payload:
        return refusal
    return refusing("session", 400)(refusal)


VARIANTS = (
    Variant("plain", "As in the document, with strict types: 1.0 is an integer, null is absence.", PLAIN),
    Variant(
        "lax-coercion",
        'Takes the text "1" for a number and "true" for a boolean, as pydantic\'s lax mode does.',
        replace(
            PLAIN,
            fields=typed(
                seed=(int | None, None),
                temperature=(float | None, Field(0, ge=0, le=2)),
                n=(int | None, Field(1, ge=1)),
                max_tokens=(int | None, Field(None, ge=1)),
                stream=(bool | None, None),
                create_session=(bool | None, None),
            ),
        ),
    ),
    Variant(
        "integral-floats-refused",
        "Takes 1.0 for no integer, as pydantic's strict mode does.",
        replace(
            PLAIN,
            fields=typed(
                seed=(StrictInt | None, None),
                n=(StrictInt | None, Field(1, ge=1)),
                max_tokens=(StrictInt | None, Field(None, ge=1)),
                max_completion_tokens=(StrictInt | None, Field(None, ge=1)),
            ),
        ),
    ),
    Variant(
        "unlisted-refused",
        "Refuses fields that are not listed, in the body and in messages.",
        replace(PLAIN, extra="forbid", fields=typed(messages=(list[ClosedMessage], Field(min_length=1)))),
    ),
    Variant("unlisted-kept", "Takes fields that are not listed along.", replace(PLAIN, extra="allow")),
    Variant("null-refused", "Refuses null for optional fields.", replace(PLAIN, fields=without_null)),
    Variant(
        "details-with-codes",
        "Adds `error_code` and `value` to each fault.",
        replace(PLAIN, describe=worded_with_codes),
    ),
    Variant(
        "details-in-full",
        "Gives each fault as pydantic words it, the input in it, and so fails on NaN as stock FastAPI does.",
        replace(PLAIN, describe=jsonable_encoder),
    ),
    Variant("first-fault-alone", "Names the first fault of several.", replace(PLAIN, refuse=first_fault)),
    Variant(
        "system-accepted",
        "Accepts OpenAI's roles, `system` and `developer` among them.",
        replace(PLAIN, roles=frozenset({"user", "assistant", "tool", "function", "system", "developer"})),
    ),
    Variant(
        "content-as-text-alone",
        "Refuses content that is a list of parts, or null.",
        replace(PLAIN, fields=typed(messages=(list[TextMessage], Field(min_length=1)))),
    ),
    Variant(
        "session-unknown-400",
        "Refuses a chat in an unknown session with 400.",
        replace(PLAIN, refuse=chat_sessions_400),
    ),
    Variant(
        "foreign-sessions",
        "Serves two agents that use each other's sessions.",
        replace(PLAIN, checks=(two_agents, model_matches, roles_accepted, choices_bounded)),
    ),
    Variant(
        "agent-before-body", "Looks for the agent before it looks at the body.", replace(PLAIN, arrive=agent_first)
    ),
    Variant("agent-id-a-uuid", "Refuses an agent id other than a uuid with 422.", replace(PLAIN, arrive=agent_as_uuid)),
    Variant("agent-id-a-name", "Its agents have names in place of uuids.", replace(PLAIN, agent_id="support-desk")),
    Variant(
        "content-type-guessed", "Takes a body without a content type as JSON.", replace(PLAIN, wrap=any_content_type)
    ),
    Variant("twin-keys-refused", "Refuses a body in which a key stands twice.", replace(PLAIN, arrive=no_twin_keys)),
    Variant(
        "n-bounded-422",
        "Refuses a huge `n` with 422.",
        replace(PLAIN, fields=typed(n=(Annotated[WholeNumber, Field(ge=1, le=16)] | None, 1))),
    ),
)
