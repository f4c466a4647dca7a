"""The behaviour of the chat operation: who is asked, what must be refused, and what the agent says."""

from __future__ import annotations

import hashlib
from typing import Any

from agent_contract import BudgetError, Call
from mockserver.core.behaviour import Outcome, Refused, Setting, Turn, View, Write
from mockserver.generation.completion import CHAT, Choice, Completion, Form, asks_for_usage, cut, plain, stream
from mockserver.generation.replies import compose
from mockserver.generation.retrieval import Found, SearchIndex, referred, search_all
from mockserver.generation.tokenizer import count_tokens
from mockserver.operations.chat_request import (
    Asked,
    Check,
    agent_unknown,
    body_of,
    choices_bounded,
    content_supported,
    first_refusal,
    model_expected,
    roles_supported,
    session_known,
    stops_bounded,
)
from mockserver.operations.response_format import format_known, structured_contents, tokens_of_format
from mockserver.operations.session_store import find_session, keep_session
from mockserver.operations.tool_calls import (
    Unanswerable,
    as_choice,
    call,
    called,
    result_told,
    tokens_of_tools,
    tool_choice_known,
    tools_usable,
)
from mockserver.resources.agents import Agent, find_agent
from mockserver.resources.sessions import EMPTY, Session, digest, extend, last_said, tokens_of

#: How many passages an answer rests on, and how they stand in the prompt, where the agent does not say.
TOP_N = 2
REFERENCE = {"index_reference_format": "{text}", "index_reference_delimiter": "\n"}
#: In the order in which they are asked; the first reason counts.
CHECKS: tuple[Check, ...] = (
    model_expected,
    roles_supported,
    content_supported,
    session_known,
    choices_bounded,
    stops_bounded,
    tools_usable,
    tool_choice_known,
    format_known,
)


def answer_chat(call: Call, setting: Setting, turn: Turn, view: View) -> Outcome | Refused:
    """Return the agent's answer and the session that it leaves, or the first reason to refuse the request."""
    address = str(call.parameters["agent_id"])
    agent = find_agent(setting.agents, view, address)
    if agent is None:
        return agent_unknown(setting, view, address)
    return answer_as(agent, body_of(call), setting, turn, view)


def answer_as(agent: Agent, body: dict[str, Any], setting: Setting, turn: Turn, view: View) -> Outcome | Refused:
    """Return what `agent` answers to a chat's body and the session that it leaves, or the first reason to refuse it."""
    asked = Asked(agent, body, setting, find_session(agent, body, turn, view))
    try:
        return first_refusal(asked, CHECKS) or _answer(asked, turn)
    except Unanswerable as error:
        return error.refused


def _answer(asked: Asked, turn: Turn) -> Outcome | Refused:
    completion, seed = complete(asked, turn)
    spoken = completion.choices[0].message(completion.role)
    return outcome(asked, completion, seed, [*asked.body["messages"], spoken], turn.now)


def outcome(
    asked: Asked,
    completion: Completion,
    seed: bytes,
    turns: list[dict[str, Any]],
    now: float,
    form: Form = CHAT,
) -> Outcome | Refused:
    """Return an answer in its form, and the session that keeps `turns` at `now`, or why it can't keep them."""
    body, setting = asked.body, asked.setting
    writes: tuple[Write, ...] = ()
    if completion.session_id:
        left = extend(asked.session or EMPTY, turns, now)
        write = keep_session(asked.agent, completion.session_id, left, setting.limits.session)
        if isinstance(write, Refused):
            return write
        writes = (write,)
    if body.get("stream"):
        return Outcome(stream(completion, asks_for_usage(body), setting.pace, seed, form), writes)
    return Outcome(plain(completion, setting.pace, seed, form), writes)


def _session_id(body: dict[str, Any], turn: Turn) -> str | None:
    """Return the session that a request extends: the one that it names, a fresh one where it asks for one."""
    return body.get("store_in_session") or (turn.session_id if body.get("create_session") else None)


def complete(asked: Asked, turn: Turn) -> tuple[Completion, bytes]:
    """Return what the agent answers, and the seed that its texts and its pace come from; may raise Unanswerable."""
    agent, messages = asked.agent, asked.body["messages"]
    session = asked.session or EMPTY
    seed = _seed(asked, session, turn)
    said = last_said(session.messages, messages)
    indexes = _indexes(asked)
    found = search_all(indexes, said, agent.setting("index_top_n", TOP_N), agent.setting("index_similarity_cutoff", 0))
    evidence = result_told(asked) or (f"I found this in my documents: {found[0].document.text}" if found else "")
    try:
        asked.budget.spend("characters", sum(len(one.document.text) for one in found))
        completion = Completion(
            id=turn.id,
            created=int(turn.now),
            model=asked.body.get("model") or agent.model,
            choices=_choices(asked, turn, said, evidence, seed),
            prompt_tokens=_prompt_tokens(asked, session, found),
            session_id=_session_id(asked.body, turn),
            context=[_context(one) for one in found] if indexes else None,
            role=agent.setting("completion_role", "assistant"),
        )
    except BudgetError as error:
        why = f"This request can't be answered: {error}. Ask for fewer choices, or for fewer or shorter passages."
        raise Unanswerable(Refused(400, "", why, ("body",))) from None
    return completion, seed


def _indexes(asked: Asked) -> list[SearchIndex]:
    """Return what the agent knows: documents of its own, the index that it names, and those that it is linked to."""
    agent, known = asked.agent, asked.setting.indexes
    links = [link["tool_id"] for link in agent.setting("tools", ())]
    ids = dict.fromkeys(str(id).lower() for id in (agent.id, agent.setting("index_id", ""), *links))
    return [known[id] for id in ids if id in known]


def _seed(asked: Asked, session: Session, turn: Turn) -> bytes:
    """Return what decides the texts: the conversation, and where an answer may vary something new each time."""
    before = b"\0".join((asked.setting.seed, asked.agent.id.encode(), session.digest.encode()))
    wanted = asked.body.get("seed")
    if wanted is not None:
        before += b"\0%x" % int(wanted)
    elif asked.body.get("temperature"):
        before += b"\0" + turn.nonce
    return digest(before, asked.body["messages"])


def _prompt_tokens(asked: Asked, session: Session, found: list[Found]) -> int:
    """Return what the model is given to read, in tokens; the passages that were found stand in it as the agent says."""
    form, delimiter = (asked.agent.setting(name, usual) for name, usual in REFERENCE.items())
    passages = count_tokens(referred(found, form, delimiter, asked.budget))
    own = count_tokens(asked.agent.instructions) + session.tokens + tokens_of(asked.body["messages"])
    return own + passages + tokens_of_tools(asked) + tokens_of_format(asked)


def _choices(asked: Asked, turn: Turn, said: str, evidence: str, seed: bytes) -> tuple[Choice, ...]:
    """Return as many answers as are asked for; where tools are called, all make the same calls."""
    numbers = range(asked.number("n", 1))
    limits = [int(limit) for name in ("max_tokens", "max_completion_tokens") if (limit := asked.body.get(name))]
    limit, stops = min(limits, default=None), asked.body.get("stop") or ()
    functions = called(asked, said)
    if functions:
        calls = call(asked, functions, said, seed)
        made = (as_choice(calls, turn.id, index, limit) for index in numbers)
    else:
        digests = [hashlib.blake2b(seed + index.to_bytes(4, "big"), digest_size=32).digest() for index in numbers]
        formed = structured_contents(asked, said, seed, digests)
        contents = (compose(said, evidence, own) for own in digests) if formed is None else iter(formed)
        made = (cut(content, stops, limit) for content in contents)
    return tuple(_counted(asked, choice) for choice in made)


def _counted(asked: Asked, choice: Choice) -> Choice:
    """Return a choice, its pieces counted as tokens of the answer."""
    asked.budget.spend("tokens", len(choice.pieces) + sum(1 + len(one.pieces) for one in choice.calls))
    return choice


def _context(found: Found) -> dict[str, Any]:
    document = found.document
    metadata = {
        "document_id": document.id,
        "score": round(found.score, 4),
        "origin_name": document.origin_name,
        "media_type": document.media_type,
        "origin_ref": document.origin_ref,
    }
    return {"text": document.text, "metadata": {name: value for name, value in metadata.items() if value is not None}}
