"""What can be wrong with completions, the older way to ask an agent."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from benchmarks.detection.mutants.mutant import PLAIN, planting
from benchmarks.detection.resource_mutators import answering, intercepting, retyped, with_status, without
from benchmarks.detection.resources import PROMPT

completions = planting("completions", family="completions")
#: The path for prompts to the agent, which no chat has.
OWN = f"/{PLAIN.agent_id}/completions"
ANSWER = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1700000000,
    "model": PLAIN.model,
    "choices": [{"index": 0, "text": "there was a river.", "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9},
}


def of_nobody(status: int, body: Any) -> Any:
    """Return an arrival that answers so to a prompt for an agent that does not exist."""

    def arrive(request: Request, sent: bytes, number: int) -> Response | None:
        path = request.url.path
        theirs = path.endswith("/completions") and not path.endswith(("/chat/completions", OWN))
        return JSONResponse(body, status) if theirs else None

    return arrive


def as_messages(value: Mapping[str, Any]) -> Any:
    """Return an answer with messages instead of text."""
    choices = [
        {"index": one["index"], "message": {"role": "assistant", "content": one["text"]}, "finish_reason": "stop"}
        for one in value["choices"]
    ]
    return {**value, "choices": choices}


def longer(value: Mapping[str, Any]) -> Any:
    """Return an answer that has counted a hundred tokens more."""
    usage = value["usage"]
    more = {"completion_tokens": usage["completion_tokens"] + 100, "total_tokens": usage["total_tokens"] + 100}
    return {**value, "usage": {**usage, **more}}


MUTANTS = (
    completions(
        "prompt-missing",
        "prompt-required",
        "Continues nothing without a prompt.",
        resource_fields=retyped(PROMPT, prompt=(str | list[str], "")),
    ),
    completions(
        "prompt-missing-400",
        "prompt-required",
        "Refuses a completion without a prompt with 400.",
        arrive=intercepting("POST", OWN, 400, {"detail": "No prompt"}, lambda body: b'"prompt"' not in body),
    ),
    completions(
        "completion-any-model",
        "model-unexpected",
        "Goes on from a prompt whatever the model.",
        arrive=intercepting("POST", OWN, 200, ANSWER, lambda body: b"no-such-model" in body),
    ),
    completions(
        "completion-model-404",
        "model-unexpected",
        "Refuses a completion with another model with 404.",
        arrive=intercepting("POST", OWN, 404, {"detail": "No such model"}, lambda body: b"no-such-model" in body),
    ),
    completions(
        "completion-endless",
        "max-tokens",
        "Goes on for longer than `max_tokens` lets it.",
        resource=answering("completion", longer),
    ),
    completions(
        "completion-usage-all-zero",
        "answer",
        "Counts no tokens of a completion.",
        resource=answering("completion", lambda value: {**value, "usage": dict.fromkeys(value["usage"], 0)}),
    ),
    completions(
        "completion-as-messages",
        "answer",
        "Answers a prompt with messages instead of text.",
        resource=answering("completion", as_messages),
    ),
    completions(
        "completion-undated",
        "answer",
        "Answers a prompt without saying when.",
        resource=answering("completion", without("created")),
    ),
    completions("completion-fails", "answer", "Fails on every prompt.", resource=with_status("completion", 200, 500)),
    completions(
        "completion-a-chat",
        "object",
        "Calls a completion `chat.completion`.",
        resource=answering("completion", lambda value: {**value, "object": "chat.completion"}),
    ),
    completions(
        "completion-of-nobody",
        "agent-unknown",
        "Goes on from a prompt for an agent that does not exist.",
        arrive=of_nobody(200, ANSWER),
    ),
    completions(
        "completion-of-nobody-400",
        "agent-unknown",
        "Refuses a prompt for an agent that does not exist with 400.",
        arrive=of_nobody(400, {"detail": "No agent"}),
    ),
    completions(
        "completion-in-no-session",
        "session-unknown",
        "Goes on from a prompt in a session that does not exist.",
        arrive=intercepting("POST", OWN, 200, ANSWER, lambda body: b'"store_in_session"' in body),
    ),
    completions(
        "completion-in-no-session-400",
        "session-unknown",
        "Refuses a prompt in a session that does not exist with 400.",
        arrive=intercepting("POST", OWN, 400, {"detail": "No session"}, lambda body: b'"store_in_session"' in body),
    ),
)
