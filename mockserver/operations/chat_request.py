"""A chat request, and the checks that may refuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeAlias

from agent_contract import Call, WorkBudget
from agent_contract.printable import shorten
from agent_contract.value_class import value_class
from mockserver.core.context import FreshValues, Settings
from mockserver.core.outcome import Rejection
from mockserver.generation.retrieval import KnowledgeSearch
from mockserver.resources.agents import OPENAI_ROLES, Agent
from mockserver.resources.sessions import Message, Session


def _no_messages() -> Iterator[Message]:
    return iter(())


@value_class(frozen=True, slots=True)
class ChatRequest:
    """A request to an agent; `session` is None if the named one does not exist.

    `recent` yields the latest messages of the session, the latest first. `searches` are those of the agent's knowledge.
    `budget` limits the work for the request; `hints` are for its sender.
    """

    agent: Agent
    body: dict[str, Any]
    session: Session | None
    settings: Settings
    fresh: FreshValues
    recent: Callable[[], Iterator[Message]] = _no_messages
    searches: Sequence[KnowledgeSearch] = ()
    budget: WorkBudget = field(default_factory=WorkBudget)
    hints: tuple[str, ...] = ()

    def integer(self, name: str, default: int) -> int:
        """Return an integer of the body, which may be written as 1.0; `default` if it is null or absent."""
        value = self.body.get(name)
        return default if value is None else int(value)


#: Headers that some clients use for a session's id, although the API does not define one.
_SESSION_HEADERS = ("session-id", "session_id", "x-session-id")
#: Raises `Rejection` to refuse the request.
Check: TypeAlias = Callable[[ChatRequest], None]


def run_checks(request: ChatRequest, checks: Iterable[Check], field_checks: Mapping[str, Check]) -> None:
    """Run the checks in order, then those of the fields that the body has; the first one that refuses it raises."""
    for check in checks:
        check(request)
    for name, check in field_checks.items():
        if name in request.body:
            check(request)


def hints_of(call: Call) -> tuple[str, ...]:
    """Return a hint if the request has a `session_id`, which some guides mention but the API does not define."""
    body = call.body if isinstance(call.body, dict) else {}
    places = ["the body"] if "session_id" in body else []
    places += (
        ["the query"] if call.request.query and any(name == "session_id" for name, _ in call.request.query) else []
    )
    places += ["the header " + name for name in _SESSION_HEADERS if name in call.request.headers]
    if not places:
        return ()
    return (f"session_id in {' and '.join(places)} is ignored. To use a session, send its id as store_in_session.",)


def check_model(request: ChatRequest) -> None:
    """Refuse a model that is not the agent's."""
    model, agent = request.body.get("model"), request.agent
    if not model or agent.any_model or model == agent.model:
        return
    kind = "chat completions" if "messages" in request.body else "completions"
    why = f'Unexpected model "{shorten(model)}" in {kind} message: the agent {agent.name} uses {shorten(agent.model)}.'
    raise Rejection(400, "model-unexpected", why, ("body", "model"), agent.model, model)


def check_roles(request: ChatRequest) -> None:
    """Refuse a message with a role that the agent does not accept."""
    for index, message in enumerate(request.body["messages"]):
        role = message["role"]
        if role not in request.agent.roles:
            roles = ", ".join(sorted(request.agent.roles))
            why = f'Unsupported role "{shorten(role)}" in message {index}: {request.agent.name} accepts {roles}.'
            clause = "role-system" if role in OPENAI_ROLES else "role-unknown"
            raise Rejection(400, clause, why, ("body", "messages", index, "role"), roles, role)


def check_content(request: ChatRequest) -> None:
    """Refuse a content part that is not text."""
    for index, message in enumerate(request.body["messages"]):
        content = message.get("content")
        for number, part in enumerate(content if isinstance(content, list) else ()):
            if part["type"] != "text":
                why = (
                    f'Content part {number} of message {index} has the type "{shorten(part["type"])}". '
                    "This mock reads text parts only."
                )
                raise Rejection(
                    400, "content-media", why, ("body", "messages", index, "content", number), "text", part["type"]
                )


def check_session(request: ChatRequest, clause: str = "session-unknown-status") -> None:
    """Refuse a session that does not exist."""
    if request.session is None:
        named = request.body["store_in_session"]
        why = f'No session found with the specified ID "{named}" for the agent {request.agent.name}.'
        raise Rejection(404, clause, why, ("body", "store_in_session"), None, named)


def check_choices(request: ChatRequest) -> None:
    """Refuse more choices than the limit."""
    n, most = request.integer("n", 1), request.settings.limits.choices
    if n > most:
        got = str(n) if n < 10**18 else "more than 10^18"
        why = f"n is {got}, but this server returns at most {most} choices. Send a smaller n."
        raise Rejection(400, "n-bound", why, ("body", "n"), most, got)


def check_stops(request: ChatRequest) -> None:
    """Refuse more stop sequences than the limit."""
    count, most = len(request.body.get("stop") or ()), request.settings.limits.stops
    if count > most:
        why = f"The request has {count} stop sequences, but the limit is {most}. Send fewer."
        raise Rejection(400, "", why, ("body", "stop"), most, count)
