"""Answers of rules: which rule answers a request, and the reply if it is not a completion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from agent_contract.messages import Reply
from mockserver.core.context import Context
from mockserver.core.outcome import Rejection
from mockserver.operations.chat_request import ChatRequest
from mockserver.scenarios.matching import Question
from mockserver.scenarios.rule import Answer
from mockserver.scenarios.script import NoAnswer
from mockserver.scenarios.templates import TemplateFailed


def scripted_answer(context: Context, request: ChatRequest, messages: Sequence[dict[str, Any]]) -> Answer | None:
    """Return the answer of the rule that matches, None for a computed one; raises `Rejection` if a rule must match."""
    script = context.script
    if script is None:
        return None
    body, agent = request.body, request.agent
    question = Question(
        (agent.id, agent.name),
        messages,
        cache(lambda: tuple(request.recent())),
        body.get("model") or "",
        bool(body.get("stream")),
        context.call.request.headers,
        context.call.body,
        context.call.operation.id,
    )
    try:
        chosen = script.choose(question)
    except NoAnswer as error:
        raise Rejection(404, "", str(error), ("body", "messages")) from None
    if chosen is None or chosen.answer.template is None:
        return chosen.answer if chosen else None
    try:
        text = chosen.answer.template.render(question, chosen.number)
    except TemplateFailed as error:
        why = f'The template of the rule "{chosen.rule.rule.name}" can\'t be rendered: {error}.'
        raise Rejection(404, "", why, ("body", "messages")) from None
    return replace(chosen.answer, text=text)


def paced(request: ChatRequest, answer: Answer | None) -> ChatRequest:
    """Return the request with the pace of an answer, if it has one."""
    if answer is None or answer.pace is None:
        return request
    return replace(request, settings=replace(request.settings, pace=answer.pace))


def scripted_reply(answer: Answer) -> Reply | None:
    """Return the reply of a raw answer, or of a fault that replaces the reply; None for a completion."""
    if answer.fault and answer.fault.kind.instead:
        return answer.fault.instead()
    raw = answer.raw
    return Reply(raw.status, raw.headers, raw.body) if raw else None
