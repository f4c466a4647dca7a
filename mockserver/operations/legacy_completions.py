"""The behaviour of the legacy operation: texts that go on from a prompt, or from each of several."""

from __future__ import annotations

from dataclasses import replace

from agent_contract import Call
from mockserver.core.behaviour import Outcome, Refused, Setting, Turn, View
from mockserver.generation.completion import TEXT, Completion
from mockserver.operations.chat import complete, outcome
from mockserver.operations.chat_request import (
    Asked,
    agent_unknown,
    body_of,
    choices_bounded,
    first_refusal,
    model_expected,
    session_known,
    stops_bounded,
)
from mockserver.operations.session_store import find_session
from mockserver.operations.tool_calls import Unanswerable
from mockserver.resources.agents import find_agent


def answer_prompts(call: Call, setting: Setting, turn: Turn, view: View) -> Outcome | Refused:
    """Return what the agent makes of each prompt and the session that it leaves, or the first reason to refuse it.

    Each prompt is answered for itself, `n` times; a session keeps the prompts in turn, each with its first answer.
    """
    address = str(call.parameters["agent_id"])
    agent = find_agent(setting.agents, view, address)
    if agent is None:
        return agent_unknown(setting, view, address)
    body = body_of(call)
    asked = Asked(agent, body, setting, find_session(agent, body, turn, view))
    prompts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
    try:
        return _refused(asked, len(prompts)) or _answer(asked, prompts, turn)
    except Unanswerable as error:
        return error.refused


def _refused(asked: Asked, prompts: int) -> Refused | None:
    refused = first_refusal(asked, (model_expected, session_known, choices_bounded, stops_bounded))
    if refused and refused.clause == "session-unknown-status":
        return replace(refused, clause="session-unknown")
    most = asked.setting.limits.choices
    if refused or prompts * asked.number("n", 1) <= most:
        return refused
    why = f"This server gives at most {most} choices, those of all prompts together: send fewer prompts or a smaller n."
    return Refused(400, "", why, ("body", "prompt"), most, prompts)


def _answer(asked: Asked, prompts: list[str], turn: Turn) -> Outcome | Refused:
    said = [{"role": "user", "content": prompt} for prompt in prompts]
    made = [complete(replace(asked, body={**asked.body, "messages": [message]}), turn) for message in said]
    turns = [
        one
        for message, (completion, _) in zip(said, made, strict=True)
        for one in (message, completion.choices[0].message(completion.role))
    ]
    completion = _together([completion for completion, _ in made])
    return outcome(asked, completion, made[0][1], turns, turn.now, TEXT)


def _together(completions: list[Completion]) -> Completion:
    """Return the answers to several prompts as one: the choices of the first prompt, then those of the next."""
    return replace(
        completions[0],
        choices=tuple(choice for one in completions for choice in one.choices),
        prompt_tokens=sum(one.prompt_tokens for one in completions),
        context=completions[0].context and [item for one in completions for item in one.context or ()],
    )
