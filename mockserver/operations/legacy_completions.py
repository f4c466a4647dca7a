"""The legacy completions operation: continues a prompt, or several prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection
from mockserver.generation.completion import TEXT, Completion
from mockserver.operations.agent_store import find_agent
from mockserver.operations.chat import complete, outcome_of, request_of
from mockserver.operations.chat_request import (
    ChatRequest,
    Check,
    check_choices,
    check_model,
    check_session,
    check_stops,
    run_checks,
)
from mockserver.operations.scripted import paced, scripted_answer, scripted_reply
from mockserver.scenarios.rule import Answer

#: They run in this order; the first one that refuses the request decides.
CHECKS: tuple[Check, ...] = (check_model, partial(check_session, clause="session-unknown"))
#: Then those of the fields that a request has, in this order.
FIELD_CHECKS: Mapping[str, Check] = {"n": check_choices, "stop": check_stops}


def answer_prompts(context: Context) -> Outcome:
    """Return the agent's answers to the prompts, and save its session.

    Each prompt is answered separately, `n` times. The session stores the prompts in order, each with its first answer.
    """
    request = request_of(context, find_agent(context))
    prompt = request.body["prompt"]
    prompts = [prompt] if isinstance(prompt, str) else prompt
    run_checks(request, CHECKS, FIELD_CHECKS)
    _check_total(request, len(prompts))
    sent = [{"role": "user", "content": prompt} for prompt in prompts]
    answer = scripted_answer(context, request, sent)
    reply = answer and scripted_reply(answer)
    return Outcome(reply, hints=request.hints) if reply else _answer(paced(request, answer), sent, answer)


def _check_total(request: ChatRequest, prompts: int) -> None:
    most = request.settings.limits.choices
    if prompts * request.integer("n", 1) > most:
        why = f"This server returns at most {most} choices for all prompts together. Send fewer prompts or a smaller n."
        raise Rejection(400, "", why, ("body", "prompt"), most, prompts)


def _answer(request: ChatRequest, sent: list[dict[str, str]], answer: Answer | None) -> Outcome:
    made = [complete(replace(request, body={**request.body, "messages": [message]}), answer) for message in sent]
    messages = [
        one
        for message, (completion, _) in zip(sent, made, strict=True)
        for one in (message, completion.choices[0].message(completion.role))
    ]
    completion = _merged([completion for completion, _ in made])
    return outcome_of(request, completion, made[0][1], messages, TEXT)


def _merged(completions: list[Completion]) -> Completion:
    """Return the answers to several prompts as one, with the choices in the order of the prompts."""
    return replace(
        completions[0],
        choices=tuple(choice for one in completions for choice in one.choices),
        prompt_tokens=sum(one.prompt_tokens for one in completions),
        context=completions[0].context and [item for one in completions for item in one.context or ()],
    )
