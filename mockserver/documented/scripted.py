"""Rules of scenarios for any document: raw answers, faults and delays, by operation, headers and body."""

from __future__ import annotations

from functools import partial

from agent_contract.messages import Reply
from mockserver.core.context import Behaviour, Context
from mockserver.core.outcome import Outcome, Rejection
from mockserver.scenarios.matching import Question
from mockserver.scenarios.script import NoAnswer


def with_rules(behaviour: Behaviour) -> Behaviour:
    """Return a behaviour that answers as the first matching rule wants, and by itself without one."""
    return partial(_answer, behaviour)


def _answer(behaviour: Behaviour, context: Context) -> Outcome:
    reply = _scripted(context)
    return Outcome(reply) if reply is not None else behaviour(context)


def _scripted(context: Context) -> Reply | None:
    """Return the reply of a rule, None if the operation answers; Rejection if a strict scenario has no rule for it."""
    script = context.script
    if script is None:
        return None
    call = context.call
    body = call.body if isinstance(call.body, dict) else {}
    model, stream = str(body.get("model") or ""), bool(body.get("stream"))
    question = Question((), (), tuple, model, stream, call.request.headers, call.body, call.operation.id)
    try:
        chosen = script.choose(question)
    except NoAnswer as error:
        raise Rejection(404, "", str(error), ("body",)) from None
    if chosen is None:
        return None
    fault, raw = chosen.answer.fault, chosen.answer.raw
    if fault and fault.kind.instead:
        return fault.instead()
    return Reply(raw.status, raw.headers, raw.body) if raw else None
