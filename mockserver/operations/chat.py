"""The chat operation: checks the request, composes the answer and extends the session."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from agent_contract import WorkBudgetError
from mockserver.core import keys
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection, Write
from mockserver.generation.completion import (
    CHAT,
    Choice,
    Completion,
    CompletionFormat,
    asks_for_usage,
    choice_of_parts,
    choice_of_pieces,
    choice_of_text,
    stream_reply,
    whole_reply,
)
from mockserver.generation.recall import recall
from mockserver.generation.replies import compose, compose_parts
from mockserver.generation.retrieval import SearchHit, search_all
from mockserver.generation.tokenizer import count_tokens, pieces_before
from mockserver.operations.agent_knowledge import searches_of
from mockserver.operations.agent_store import find_agent
from mockserver.operations.chat_request import (
    ChatRequest,
    Check,
    check_choices,
    check_content,
    check_model,
    check_roles,
    check_session,
    check_stops,
    hints_of,
    run_checks,
)
from mockserver.operations.request_body import body_of
from mockserver.operations.response_format import check_response_format, structured_contents, wanted_schema_json
from mockserver.operations.scripted import paced, scripted_answer, scripted_reply
from mockserver.operations.session_store import find_session, recent_messages, save_session
from mockserver.operations.tool_calls import (
    calls_for,
    check_tool_choice,
    check_tools,
    choice_of_calls,
    declared_functions_json,
    functions_to_call,
    tool_results,
)
from mockserver.resources.agents import Agent
from mockserver.resources.sessions import EMPTY, Message, Session, digest, text_of, texts_of, user_texts
from mockserver.scenarios.answering import completed, scripted_choice
from mockserver.scenarios.rule import Answer

#: Maximum length of instructions whose token count is cached, in characters.
_SHORT = 2000
#: They run in this order; the first one that refuses the request decides.
CHECKS: tuple[Check, ...] = (check_model, check_roles, check_content, check_session)
#: Then those of the fields that a request has, in this order.
FIELD_CHECKS: Mapping[str, Check] = {
    "n": check_choices,
    "stop": check_stops,
    "tools": check_tools,
    "tool_choice": check_tool_choice,
    "response_format": check_response_format,
}


def answer_chat(context: Context) -> Outcome:
    """Return the agent's answer, and save its session."""
    return answer_as(find_agent(context), context)


def answer_as(agent: Agent, context: Context) -> Outcome:
    """Return the answer of `agent` to the chat in the body, and save its session."""
    request = request_of(context, agent)
    run_checks(request, CHECKS, FIELD_CHECKS)
    answer = scripted_answer(context, request, request.body["messages"])
    reply = answer and scripted_reply(answer)
    if reply:
        return Outcome(reply, hints=request.hints)
    request = paced(request, answer)
    completion, seed = complete(request, answer)
    if not completion.session_id:
        return outcome_of(request, completion, seed, [])
    message = completion.choices[0].message(completion.role)
    return outcome_of(request, completion, seed, [*request.body["messages"], message])


def request_of(context: Context, agent: Agent) -> ChatRequest:
    """Return the request of the call to `agent`, with its session."""
    body = body_of(context.call)
    session, hints = find_session(context, agent, body), hints_of(context.call)
    searches = searches_of(context, agent)
    if not session or not session.last:
        return ChatRequest(agent, body, session, context.settings, context.fresh, searches=searches, hints=hints)
    key = keys.session(agent.id, body["store_in_session"])
    recent = partial(recent_messages, context.transaction, key, session)
    return ChatRequest(agent, body, session, context.settings, context.fresh, recent, searches, hints=hints)


def outcome_of(
    request: ChatRequest, completion: Completion, seed: bytes, messages: list[Message], form: CompletionFormat = CHAT
) -> Outcome:
    """Return the outcome: the answer in `form`, and the write that adds `messages` to the session."""
    body, settings = request.body, request.settings
    writes: tuple[Write, ...] = ()
    if completion.session_id:
        session, now, most = request.session or EMPTY, request.fresh.now, settings.limits.session
        writes = (save_session(request.agent, completion.session_id, session, messages, now, most),)
    if body.get("stream"):
        return Outcome(
            stream_reply(completion, asks_for_usage(body), settings.pace, seed, form), writes, hints=request.hints
        )
    return Outcome(whole_reply(completion, settings.pace, seed, form), writes, hints=request.hints)


def complete(request: ChatRequest, answer: Answer | None = None) -> tuple[Completion, bytes]:
    """Return the agent's answer, and the seed of its text and its delays; raises `Rejection` if there is none.

    A rule's `answer` replaces what would be computed.
    """
    agent, body, fresh = request.agent, request.body, request.fresh
    session = request.session or EMPTY
    seed = _seed(request, session)
    others = user_texts(reversed(body["messages"]))
    said = next(others, None)
    if said is None:  # a result of a tool, for example
        said = next(user_texts(request.recent()), None) or text_of(body["messages"][-1])
    found = search_all(request.searches, said)
    evidence = tool_results(request) or _evidence(recall(said, others, session.statements), found)
    try:
        if found:
            request.budget.spend("characters", sum(len(one.document.text) for one in found))
        completion = Completion(
            id=fresh.id,
            created=int(fresh.now),
            model=body.get("model") or agent.model,
            choices=_choices(request, said, evidence, seed, answer),
            prompt_tokens=_prompt_tokens(request, session, found),
            session_id=body.get("store_in_session") or (fresh.session_id if body.get("create_session") else None),
            context=[_context(one) for one in found] if request.searches else None,
            role=agent.setting("completion_role", "assistant"),
        )
    except WorkBudgetError as error:
        why = f"This request is too expensive: {error}. Request fewer choices, or use fewer or shorter passages."
        raise Rejection(400, "", why, ("body",)) from None
    return completed(completion, answer) if answer else completion, seed


def _evidence(recalled: str, found: list[SearchHit]) -> str:
    """Return what the user said earlier, if the message asks for it, and the best passage."""
    passage = f"I found this in my documents: {found[0].document.text}" if found else ""
    return " ".join(filter(None, (recalled, passage)))


def _seed(request: ChatRequest, session: Session) -> bytes:
    """Return the seed of the text: the conversation, and a nonce if the answer may vary."""
    before = b"\0".join((request.settings.seed, request.agent.id.encode(), session.digest.encode()))
    wanted = request.body.get("seed")
    if wanted is not None:
        before += b"\0%x" % int(wanted)
    elif request.body.get("temperature"):
        before += b"\0" + request.fresh.nonce
    return digest(before, request.body["messages"])


def _prompt_tokens(request: ChatRequest, session: Session, found: list[SearchHit]) -> int:
    """Return the tokens of the prompt: instructions, session, messages, passages, tools and response format."""
    texts = texts_of(request.body["messages"])
    texts += [one.document.text for one in found]
    if request.body.get("tools"):
        texts += declared_functions_json(request)
    if request.body.get("response_format"):
        texts += wanted_schema_json(request)
    return session.tokens + _instruction_tokens(request.agent.instructions) + count_tokens(*texts)


def _instruction_tokens(text: str) -> int:
    """Return the tokens of instructions, which are the same in every request to an agent."""
    return _short_tokens(text) if len(text) <= _SHORT else count_tokens(text)


_short_tokens = lru_cache(maxsize=256)(count_tokens)


def _choices(request: ChatRequest, said: str, evidence: str, seed: bytes, answer: Answer | None) -> tuple[Choice, ...]:
    """Return `n` choices; if tools are called, all choices make the same calls."""
    numbers = range(request.integer("n", 1))
    limits = [int(limit) for name in ("max_tokens", "max_completion_tokens") if (limit := request.body.get(name))]
    limit, stops = min(limits, default=None), request.body.get("stop") or ()
    if answer and answer.is_scripted:
        scripted = (scripted_choice(answer, request.fresh.id, index, stops, limit) for index in numbers)
        return tuple(_spent(request, choice) for choice in scripted if choice)
    functions = request.body.get("tools") and functions_to_call(request, said)
    if functions:
        calls = calls_for(request, functions, said, seed)
        made = (choice_of_calls(calls, request.fresh.id, index, limit) for index in numbers)
    else:
        digests = [hashlib.blake2b(seed + index.to_bytes(4, "big"), digest_size=32).digest() for index in numbers]
        structured = structured_contents(request, said, seed, digests)
        if structured is None and not stops:
            if limit is None and not request.body.get("stream"):
                made = (choice_of_parts(*compose_parts(said, evidence, own)) for own in digests)
            else:
                made = (choice_of_pieces(pieces_before(*compose_parts(said, evidence, own)), limit) for own in digests)
        else:
            contents = (compose(said, evidence, own) for own in digests) if structured is None else iter(structured)
            made = (choice_of_text(content, stops, limit) for content in contents)
    return tuple(_spent(request, choice) for choice in made)


def _spent(request: ChatRequest, choice: Choice) -> Choice:
    """Take the tokens of a choice from the budget; return the choice."""
    request.budget.spend("tokens", choice.tokens)
    return choice


def _context(found: SearchHit) -> dict[str, Any]:
    document = found.document
    metadata = {
        "document_id": document.id,
        "score": round(found.score, 4),
        "origin_name": document.origin_name,
        "media_type": document.media_type,
        "origin_ref": document.origin_ref,
    }
    return {"text": document.text, "metadata": {name: value for name, value in metadata.items() if value is not None}}
