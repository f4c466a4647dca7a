"""What a defect changes of a server: functions, each with the one that keeps the contract.

They take and return values of `agent_contract.messages`, so that any server can play them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from agent_contract.messages import Request

Message: TypeAlias = dict[str, Any]
ToolCall: TypeAlias = dict[str, Any]
Memory: TypeAlias = dict[str, list[Message]]
Payload: TypeAlias = Mapping[str, Any]

#: More choices than this are refused: two thousand million of them would be an outage.
MOST_CHOICES = 64


@dataclass(frozen=True, slots=True)
class ChatCall:
    """One request that passed validation, as the hooks see it; `number` counts the requests of a server."""

    payload: Payload
    number: int
    context: Sequence[Message]
    session: str | None
    created_session: bool
    calls: Sequence[ToolCall] = ()

    @property
    def streams(self) -> bool:
        """Whether the answer is a stream."""
        return bool(self.payload.get("stream"))

    @property
    def choices(self) -> int:
        """How many choices were asked for."""
        return int(self.payload.get("n") or 1)

    @property
    def limit(self) -> int | None:
        """How many tokens each choice may have at most."""
        return self.payload.get("max_completion_tokens") or self.payload.get("max_tokens")


@dataclass
class Refusal(Exception):
    """An answer that refuses: `kind` names the reason, so that a defect can change just one.

    The kinds: shape, agent, model, role, bound, tool, form, session, token. `payload` is the body as far as it was
    read, `clauses` are those that require the refusal, if the server knows them.
    """

    kind: str
    status: int
    detail: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    payload: Any = None
    clauses: tuple[str, ...] = ()


class CheckedAgent(Protocol):
    """What the checks of a payload know of the server."""

    @property
    def agent_id(self) -> str:
        """The agent that exists."""

    @property
    def model(self) -> str:
        """The agent's model."""

    @property
    def roles(self) -> frozenset[str]:
        """The roles that the agent accepts."""


Check: TypeAlias = Callable[[CheckedAgent, str, Payload], None]
ROLES = frozenset({"user", "assistant", "tool"})


def admit(request: Request, token: str) -> None:
    """Refuse a request that does not carry the token."""
    if request.headers.get("authorization") != f"Bearer {token}":
        raise Refusal("token", 401, "Not authenticated", {"WWW-Authenticate": "Bearer"})


def agent_exists(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse an unknown agent."""
    if agent_id != served.agent_id:
        raise Refusal("agent", 404, "No agent found with the specified ID")


def model_matches(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse a model that is not the agent's."""
    if payload.get("model") not in (None, "", served.model):
        raise Refusal("model", 400, "Unexpected model in chat completions message")


def roles_accepted(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse a role that the agent does not accept."""
    refuse_other_roles(served.roles, payload)


def refuse_other_roles(roles: frozenset[str], payload: Payload) -> None:
    """Refuse a message whose role is not one of `roles`."""
    for message in payload["messages"]:
        if message["role"] not in roles:
            raise Refusal("role", 400, f"Unsupported role {message['role']!r} in chat completions message")


def choices_bounded(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse more choices than can be made."""
    if (payload.get("n") or 1) > MOST_CHOICES:
        raise Refusal("bound", 400, f"n may be {MOST_CHOICES} at most")


def tools_known(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse a choice of an undeclared tool, and a required call without tools."""
    names = [tool["function"]["name"] for tool in payload.get("tools") or ()]
    choice = payload.get("tool_choice")
    wanted = choice["function"]["name"] if isinstance(choice, dict) else None
    if (wanted is not None and wanted not in names) or (choice == "required" and not names):
        raise Refusal("tool", 400, "tool_choice names no tool that was declared")


def form_known(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse an unknown format of content."""
    if (payload.get("response_format") or {}).get("type", "text") not in ("text", "json_object", "json_schema"):
        raise Refusal("form", 400, "Unknown response_format")


CHECKS: tuple[Check, ...] = (
    agent_exists,
    model_matches,
    roles_accepted,
    choices_bounded,
    tools_known,
    form_known,
)


def remember(memory: Memory, session: str, turn: list[Message], call: ChatCall) -> None:
    """Append a turn to a session."""
    memory.setdefault(session, []).extend(turn)


def recall(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return the context of a known session, and none without a session; refuse an unknown one with 404."""
    if session is None:
        return []
    if session not in memory:
        raise Refusal("session", 404, "No session found with the specified ID")
    return list(memory[session])


def new_session(payload: Payload) -> str:
    """Return a fresh session id."""
    return str(uuid.uuid4())


def finish(pieces: list[str], call: ChatCall, index: int) -> tuple[list[str], str | None]:
    """Return the pieces that `stop` and `max_tokens` leave, and why the answer ended."""
    for at in range(len(pieces)):
        joined = "".join(pieces[: at + 1])
        ends = [joined.index(stop) for stop in call.payload.get("stop") or () if stop in joined]
        if ends:
            kept = joined[: min(ends)]
            return ([kept] if kept else []), "stop"
        if call.limit is not None and at + 1 >= call.limit:
            return pieces[: at + 1], "length" if at + 1 < len(pieces) else "stop"
    return pieces, "stop"


def frames_of(chunks: Sequence[Any]) -> list[bytes]:
    """Return the chunks as events on the wire, `[DONE]` at the end."""
    return [*(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n"]
