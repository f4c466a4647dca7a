"""The behaviour of the chat operation: who is asked, what must be refused, and what the agent says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent_contract import Call
from mockserver.agents import OPENAI_ROLES, Agent, each, find_agent
from mockserver.behaviour import Outcome, Refused, Setting, Turn, View, Write
from mockserver.completion import Choice, Completion, cut, plain, stream
from mockserver.conversation import EMPTY, Session, decode, digest, extend, last_said, tokens_of
from mockserver.knowledge import Document, find_documents
from mockserver.text import compose
from mockserver.tokens import count_tokens


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request as the checks see it; `session` is None where the named one is not there."""

    agent: Agent
    body: dict[str, Any]
    setting: Setting
    session: Session | None

    def number(self, name: str, absent: int) -> int:
        """Return an integer of the body, which may be spelled 1.0; `absent` for null and for none."""
        value = self.body.get(name)
        return absent if value is None else int(value)


def answer_chat(call: Call, setting: Setting, turn: Turn, view: View) -> Outcome | Refused:
    """Return the agent's answer and the session that it leaves, or the first reason to refuse the request."""
    address = str(call.parameters["agent_id"])
    agent = find_agent(setting.agents, view, address)
    if agent is None:
        there = ", ".join(one.name for one in each(setting.agents))
        why = f'No agent found with the specified ID "{_short(address)}". There are: {there}.'
        return Refused(404, "agent-unknown", why, ("path", "agent_id"), there, address)
    asked = _Asked(agent, _body(call), setting, _session(agent, _body(call), turn, view))
    refused = next((found for check in CHECKS if (found := check(asked))), None)
    return refused or _answer(asked, turn)


def _body(call: Call) -> dict[str, Any]:
    return call.body  # type: ignore[return-value]  # checked: the schema asks for an object


def _key(agent: Agent, session_id: str) -> str:
    return f"session/{agent.id}/{session_id.lower()}"


def _session(agent: Agent, body: dict[str, Any], turn: Turn, view: View) -> Session | None:
    named = body.get("store_in_session")
    if not named:
        return EMPTY
    stored = view.get(_key(agent, named))
    session = decode(stored) if stored else None
    ttl = agent.setting("session_max_ttl")
    if session and ttl is not None and turn.now - session.written > ttl:
        return None
    return session


def _model_expected(asked: _Asked) -> Refused | None:
    model, agent = asked.body.get("model"), asked.agent
    if not model or agent.any_model or model == agent.model:
        return None
    why = f'Unexpected model "{_short(model)}" in chat completions message: the agent {agent.name} uses {agent.model}.'
    return Refused(400, "model-unexpected", why, ("body", "model"), agent.model, model)


def _roles_supported(asked: _Asked) -> Refused | None:
    for place, message in enumerate(asked.body["messages"]):
        role = message["role"]
        if role not in asked.agent.roles:
            roles = ", ".join(sorted(asked.agent.roles))
            why = f'Unsupported role "{_short(role)}" in message {place}: the agent {asked.agent.name} accepts {roles}.'
            clause = "role-system" if role in OPENAI_ROLES else "role-unknown"
            return Refused(400, clause, why, ("body", "messages", place, "role"), roles, role)
    return None


def _session_known(asked: _Asked) -> Refused | None:
    if asked.session is not None:
        return None
    named = asked.body["store_in_session"]
    why = f'No session found with the specified ID "{named}" for the agent {asked.agent.name}.'
    return Refused(404, "session-unknown-status", why, ("body", "store_in_session"), None, named)


def _choices_bounded(asked: _Asked) -> Refused | None:
    n, most = asked.number("n", 1), asked.setting.limits.choices
    if n <= most:
        return None
    asked_for = str(n) if n < 10**18 else "far more"
    why = f"This server gives at most {most} choices, not {asked_for}: send a smaller n."
    return Refused(400, "n-bound", why, ("body", "n"), most, asked_for)


def _stops_bounded(asked: _Asked) -> Refused | None:
    count, most = len(asked.body.get("stop") or ()), asked.setting.limits.stops
    if count <= most:
        return None
    why = f"This server looks for at most {most} stop sequences, not {count}: send fewer."
    return Refused(400, "", why, ("body", "stop"), most, count)


#: In the order in which they are asked; the first reason counts.
CHECKS: tuple[Callable[[_Asked], Refused | None], ...] = (
    _model_expected,
    _roles_supported,
    _session_known,
    _choices_bounded,
    _stops_bounded,
)


def _answer(asked: _Asked, turn: Turn) -> Outcome | Refused:
    body, setting = asked.body, asked.setting
    session = asked.session or EMPTY
    named = body.get("store_in_session")
    session_id = named or (turn.session_id if body.get("create_session") else None)
    seed = _seed(asked, session, turn)
    completion = _completion(asked, session, turn, seed, session_id)
    write = None
    if session_id:
        spoken = {"role": "assistant", "content": completion.choices[0].content}
        left = extend(session, [*body["messages"], spoken], turn.now)
        write = _write(asked, left, session_id)
    if isinstance(write, Refused):
        return write
    writes = (write,) if write else ()
    if body.get("stream"):
        with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        return Outcome(stream(completion, with_usage, setting.pace, seed), writes)
    return Outcome(plain(completion, setting.pace, seed), writes)


def _completion(asked: _Asked, session: Session, turn: Turn, seed: bytes, session_id: str | None) -> Completion:
    agent, messages = asked.agent, asked.body["messages"]
    said = last_said(messages)
    found = find_documents(agent.documents, said, agent.setting("index_top_n", 2)) if agent.documents else []
    passage = found[0][0].text if found else ""
    return Completion(
        id=turn.id,
        created=int(turn.now),
        model=asked.body.get("model") or agent.model,
        choices=tuple(_choice(asked, said, passage, seed, index) for index in range(asked.number("n", 1))),
        prompt_tokens=count_tokens(agent.instructions) + session.tokens + tokens_of(messages),
        session_id=session_id,
        context=[_context(document, score) for document, score in found] if agent.documents else None,
    )


def _write(asked: _Asked, session: Session, session_id: str) -> Write | Refused:
    where, most = ("body", "messages"), asked.setting.limits.session
    try:
        value = session.encode()
    except RecursionError:
        return Refused(400, "", "A message that is kept in a session may not be nested this deep.", where)
    if len(value) > most:
        why = f"This server keeps at most {most} bytes of a session; with this request there are {len(value)}."
        return Refused(400, "", why, where, most, len(value))
    ttl = asked.agent.setting("session_max_ttl")
    return Write(_key(asked.agent, session_id), value, None if ttl is None else session.written + ttl)


def _seed(asked: _Asked, session: Session, turn: Turn) -> bytes:
    """Return what decides the texts: the conversation, and where an answer may vary something new each time."""
    before = b"\0".join((asked.setting.seed, asked.agent.id.encode(), session.digest.encode()))
    wanted = asked.body.get("seed")
    if wanted is not None:
        before += b"\0%x" % int(wanted)
    elif asked.body.get("temperature"):
        before += b"\0" + turn.nonce
    return digest(before, asked.body["messages"])


def _choice(asked: _Asked, said: str, passage: str, seed: bytes, index: int) -> Choice:
    own = hashlib.blake2b(seed + index.to_bytes(4, "big"), digest_size=32).digest()
    limits = [int(limit) for name in ("max_tokens", "max_completion_tokens") if (limit := asked.body.get(name))]
    return cut(compose(said, passage, own), asked.body.get("stop") or (), min(limits, default=None))


def _context(document: Document, score: float) -> dict[str, Any]:
    metadata = {
        "document_id": document.id,
        "score": round(score, 4),
        "origin_name": document.origin_name,
        "media_type": document.media_type,
        "origin_ref": document.origin_ref,
    }
    return {"text": document.text, "metadata": {name: value for name, value in metadata.items() if value is not None}}


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:100] + "…"
