"""One question to an agent, and the reasons to refuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from agent_contract import Budget, Call
from mockserver.core.behaviour import Refused, Setting, View
from mockserver.resources.agents import OPENAI_ROLES, Agent, each, find_agent
from mockserver.resources.sessions import Session


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the checks see it; `session` is None if the named one does not exist.

    `budget` is what the work for it may still cost.
    """

    agent: Agent
    body: dict[str, Any]
    setting: Setting
    session: Session | None
    budget: Budget = field(default_factory=Budget)

    def number(self, name: str, absent: int) -> int:
        """Return an integer of the body, which may be spelled 1.0; `absent` for null and for none."""
        value = self.body.get(name)
        return absent if value is None else int(value)


#: What OpenAI's clients say of tools by a field of its own, which the document leaves out: it is heeded all the same.
_WITH_TOOLS = {"parallel_tool_calls"}
Check: TypeAlias = Callable[[Asked], Refused | None]


def body_of(call: Call) -> dict[str, Any]:
    """Return the body of a call whose schema asks for an object, without the fields that it doesn't list."""
    body: dict[str, Any] = call.body  # type: ignore[assignment]  # checked by the schema
    listed = call.operation.request_fields
    if "tools" in listed:
        listed |= _WITH_TOOLS
    return {name: value for name, value in body.items() if name in listed} if listed else body


def first_refusal(asked: Asked, checks: Iterable[Check]) -> Refused | None:
    """Return what the first of `checks` that refuses the request says, None where none does."""
    return next((found for check in checks if (found := check(asked))), None)


def agent_unknown(setting: Setting, view: View, address: str) -> Refused:
    """Return the refusal of an address that no agent has."""
    known = each(setting.agents)[:10]  # those that clients made would have to be read one and all
    there = short(", ".join(one.name for one in known if find_agent(setting.agents, view, one.id)))
    why = f'No agent found with the specified ID "{short(address)}". There are: {there}.'
    return Refused(404, "agent-unknown", why, ("path", "agent_id"), there, address)


def model_expected(asked: Asked) -> Refused | None:
    """Refuse a model that is not the agent's."""
    model, agent = asked.body.get("model"), asked.agent
    if not model or agent.any_model or model == agent.model:
        return None
    kind = "chat completions" if "messages" in asked.body else "completions"
    why = f'Unexpected model "{short(model)}" in {kind} message: the agent {agent.name} uses {short(agent.model)}.'
    return Refused(400, "model-unexpected", why, ("body", "model"), agent.model, model)


def roles_supported(asked: Asked) -> Refused | None:
    """Refuse a message of a role that the agent does not accept."""
    for place, message in enumerate(asked.body["messages"]):
        role = message["role"]
        if role not in asked.agent.roles:
            roles = ", ".join(sorted(asked.agent.roles))
            why = f'Unsupported role "{short(role)}" in message {place}: {asked.agent.name} accepts {roles}.'
            clause = "role-system" if role in OPENAI_ROLES else "role-unknown"
            return Refused(400, clause, why, ("body", "messages", place, "role"), roles, role)
    return None


def content_supported(asked: Asked) -> Refused | None:
    """Refuse a part of a message that is no text."""
    for place, message in enumerate(asked.body["messages"]):
        content = message.get("content")
        for number, part in enumerate(content if isinstance(content, list) else ()):
            if part["type"] != "text":
                why = f'The part {number} of message {place} is "{short(part["type"])}"; this server reads texts.'
                return Refused(400, "", why, ("body", "messages", place, "content", number), "text", part["type"])
    return None


def session_known(asked: Asked) -> Refused | None:
    """Refuse a session that is not there."""
    if asked.session is not None:
        return None
    named = asked.body["store_in_session"]
    why = f'No session found with the specified ID "{named}" for the agent {asked.agent.name}.'
    return Refused(404, "session-unknown-status", why, ("body", "store_in_session"), None, named)


def choices_bounded(asked: Asked) -> Refused | None:
    """Refuse more choices than the mock gives."""
    n, most = asked.number("n", 1), asked.setting.limits.choices
    if n <= most:
        return None
    asked_for = str(n) if n < 10**18 else "far more"
    why = f"This server gives at most {most} choices, not {asked_for}: send a smaller n."
    return Refused(400, "n-bound", why, ("body", "n"), most, asked_for)


def stops_bounded(asked: Asked) -> Refused | None:
    """Refuse more stop sequences than the mock looks for."""
    count, most = len(asked.body.get("stop") or ()), asked.setting.limits.stops
    if count <= most:
        return None
    why = f"This server looks for at most {most} stop sequences, not {count}: send fewer."
    return Refused(400, "", why, ("body", "stop"), most, count)


def short(text: str) -> str:
    """Return a text for an error's message: no more than its first hundred characters."""
    return text if len(text) <= 100 else text[:100] + "…"
