"""What a deployment refuses, and with which status: agents, models, roles, streams."""

import json
from dataclasses import replace
from typing import Any

from agent_contract.messages import Reply
from server_defects.defect import planting
from server_defects.hooks import (
    CHECKS,
    CheckedAgent,
    Payload,
    Refusal,
    agent_exists,
    frames_of,
    model_matches,
    refuse_other_roles,
    roles_accepted,
)
from server_defects.mutators import json_of, refusing
from server_defects.replies import json_reply, stream_reply, text_reply

plant = planting("refusals")


def without(check: Any) -> Any:
    """Return the checks but one."""
    return tuple(kept for kept in CHECKS if kept is not check)


def instead(check: Any, other: Any) -> Any:
    """Return the checks with another in the place of one."""
    return tuple(other if kept is check else kept for kept in CHECKS)


def model_begins(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse a model that does not begin as the agent's."""
    named = payload.get("model") or served.model
    model_matches(served, agent_id, {"model": served.model if named.startswith(served.model) else named})


def model_by_its_other_name(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse the model by the name that the answers give it."""
    if payload.get("model") not in (None, "", "served-model-0"):
        raise Refusal("model", 400, "Unexpected model in chat completions message")


def model_not_empty(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse an empty model too."""
    if payload.get("model") == "":
        raise Refusal("model", 400, "Unexpected model in chat completions message")
    model_matches(served, agent_id, payload)


def model_required(status: int) -> Any:
    """Return a check that refuses a payload without a model."""

    def check(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
        if payload.get("model") is None:
            raise Refusal("model", status, [{"type": "missing", "loc": ["body", "model"], "msg": "Field required"}])
        model_matches(served, agent_id, payload)

    return check


def roles_of(which: Any) -> Any:
    """Return a check of the roles of some of the messages."""
    return lambda served, agent_id, payload: roles_accepted(
        served, agent_id, {**payload, "messages": which(payload["messages"])}
    )


def user_first(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse a conversation in which two roles take turns: each message must be a user's."""
    refuse_other_roles(frozenset({"user"}), payload)


def in_the_stream(kind: str) -> Any:
    """Return an edit that answers streamed requests with 200, and sends one kind of refusal in the stream."""

    def edit(refusal: Refusal) -> Refusal | Reply:
        if refusal.kind != kind or not isinstance(refusal.payload, dict) or not refusal.payload.get("stream"):
            return refusal
        frames = frames_of([{"error": {"message": refusal.detail, "code": refusal.status}}])
        return stream_reply(frames)

    return edit


def streamed_as(status: int, *kinds: str) -> Any:
    """Return an edit that gives refusals of streamed requests another status."""

    def edit(refusal: Refusal) -> Refusal:
        streams = isinstance(refusal.payload, dict) and refusal.payload.get("stream")
        return replace(refusal, status=status) if streams and refusal.kind in kinds else refusal

    return edit


def as_answer(kind: str) -> Any:
    """Return an edit that answers one kind of refusal with 200 and the error in the body."""
    return lambda refusal: json_reply({"detail": refusal.detail}) if refusal.kind == kind else refusal


def as_traceback(kind: str) -> Any:
    """Return an edit that answers one kind of refusal with a traceback."""
    text = "Traceback (most recent call last):\n  File \"/app/main.py\", line 88, in chat\nKeyError: 'agent'"
    return lambda refusal: text_reply(text, 500) if refusal.kind == kind else refusal


AGENTS = (
    plant(
        "agent-any-answers", "agent-unknown", "Answers for an agent that does not exist.", checks=without(agent_exists)
    ),
    plant("agent-unknown-400", "agent-unknown", "Refuses an unknown agent with 400.", refuse=refusing("agent", 400)),
    plant(
        "agent-unknown-422",
        "agent-unknown",
        "Refuses an unknown agent with 422.",
        refuse=refusing("agent", 422, [{"type": "value_error", "loc": ["path", "agent_id"], "msg": "No such agent"}]),
    ),
    plant("agent-unknown-403", "agent-unknown", "Refuses an unknown agent with 403.", refuse=refusing("agent", 403)),
    plant(
        "agent-unknown-200",
        "agent-unknown",
        "Answers for an unknown agent with 200 and an error in it.",
        refuse=as_answer("agent"),
    ),
    plant(
        "agent-unknown-traceback",
        "agent-unknown",
        "Answers for an unknown agent with a traceback.",
        refuse=as_traceback("agent"),
    ),
)
MODELS = (
    plant("model-any-answers", "model-unexpected", "Ignores which model is named.", checks=without(model_matches)),
    plant(
        "model-prefix-answers",
        "model-unexpected",
        "Takes every model whose name begins as the agent's.",
        checks=instead(model_matches, model_begins),
    ),
    plant("model-unexpected-404", "model-unexpected", "Refuses another model with 404.", refuse=refusing("model", 404)),
    plant(
        "model-unexpected-422",
        "model-unexpected",
        "Refuses another model with 422.",
        refuse=refusing("model", 422, [{"type": "value_error", "loc": ["body", "model"], "msg": "No such model"}]),
    ),
    plant(
        "model-unexpected-200",
        "model-unexpected",
        "Answers another model with 200 and an error in it.",
        refuse=as_answer("model"),
    ),
    plant("model-unexpected-crash", "model-unexpected", "Crashes on another model.", refuse=as_traceback("model")),
    plant(
        "model-own-refused",
        "model-own",
        "Refuses the model by the name that it gives it.",
        checks=instead(model_matches, model_by_its_other_name),
    ),
    plant(
        "model-empty-refused",
        "model-empty",
        "Refuses an empty model with 400.",
        checks=instead(model_matches, model_not_empty),
    ),
    plant(
        "model-empty-crash",
        "model-empty",
        "Crashes on an empty model.",
        arrive=lambda request, body, number: json_reply({"detail": "?"}, 500) if has_empty_model(body) else None,
    ),
    plant(
        "model-required-400",
        "model-unset",
        "Refuses a request without a model with 400.",
        checks=instead(model_matches, model_required(400)),
    ),
    plant(
        "model-required-422",
        "model-unset",
        "Refuses a request without a model with 422.",
        checks=instead(model_matches, model_required(422)),
    ),
)
ROLES = (
    plant("role-any-accepted", "role-unknown", "Accepts every role.", checks=without(roles_accepted)),
    plant(
        "role-of-the-last-alone",
        "role-unknown",
        "Looks at the role of the last message alone.",
        checks=instead(roles_accepted, roles_of(lambda messages: messages[-1:])),
    ),
    plant(
        "role-of-the-first-alone",
        "role-unknown",
        "Looks at the role of the first message alone.",
        checks=instead(roles_accepted, roles_of(lambda messages: messages[:1])),
    ),
    plant(
        "role-unknown-422",
        "role-unknown",
        "Refuses an unknown role with 422.",
        refuse=refusing(
            "role", 422, [{"type": "enum", "loc": ["body", "messages", 0, "role"], "msg": "Input should be 'user'"}]
        ),
    ),
    plant("role-unknown-crash", "role-unknown", "Crashes on an unknown role.", refuse=as_traceback("role")),
    plant(
        "role-unknown-200",
        "role-unknown",
        "Answers an unknown role with 200 and an error in it.",
        refuse=as_answer("role"),
    ),
    plant(
        "role-user-refused",
        "role-user",
        "Refuses the role `user`, and takes `human` for it.",
        roles=frozenset({"human", "assistant", "tool"}),
    ),
    plant(
        "role-assistant-refused", "role-assistant", "Refuses the role `assistant`.", roles=frozenset({"user", "tool"})
    ),
    plant(
        "role-assistant-crash",
        "role-assistant",
        "Crashes on an assistant's turn.",
        arrive=lambda request, body, number: json_reply({"detail": "?"}, 500) if has_assistant(body) else None,
    ),
    plant(
        "conversation-refused",
        "role-assistant",
        "Refuses a conversation that is not a list of a user's messages with 422.",
        checks=instead(roles_accepted, user_first),
        refuse=refusing(
            "role", 422, [{"type": "literal_error", "loc": ["body", "messages"], "msg": "Input should be 'user'"}]
        ),
    ),
)
STREAMS = (
    plant(
        "stream-agent-unknown-in-stream",
        "stream-refused",
        "Opens the stream before it looks for the agent.",
        refuse=in_the_stream("agent"),
    ),
    plant(
        "stream-model-unexpected-in-stream",
        "stream-refused",
        "Opens the stream before it looks at the model.",
        refuse=in_the_stream("model"),
    ),
    plant(
        "stream-role-unknown-in-stream",
        "stream-refused",
        "Opens the stream before it looks at the roles.",
        refuse=in_the_stream("role"),
    ),
    plant(
        "stream-refused-500",
        "stream-refused",
        "Crashes if a streamed request is refused.",
        refuse=streamed_as(500, "agent", "model", "role"),
    ),
    plant(
        "stream-agent-unknown-400",
        "stream-refused",
        "Refuses a streamed request to an unknown agent with 400.",
        refuse=streamed_as(400, "agent"),
    ),
)
DEFECTS = (*AGENTS, *MODELS, *ROLES, *STREAMS)


def has_empty_model(body: bytes) -> bool:
    """Whether a body names an empty model."""
    sent = json_of(body)
    return isinstance(sent, dict) and sent.get("model") == ""


def has_assistant(body: bytes) -> bool:
    """Whether a body has an assistant's turn."""
    sent = json_of(body)
    return isinstance(sent, dict) and '"assistant"' in json.dumps(sent.get("messages"))
