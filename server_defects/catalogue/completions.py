"""What can be wrong with completions, the older way to ask an agent."""

from collections.abc import Callable, Mapping
from typing import Any

from agent_contract.messages import Reply, Request
from server_defects.defect import planting
from server_defects.hooks import Refusal
from server_defects.replies import json_reply
from server_defects.resource_mutators import answering, with_status, without

completions = planting("completions", family="completions")
ANSWER = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1700000000,
    "model": "mixtral-8x7b-instruct",
    "choices": [{"index": 0, "text": "there was a river.", "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9},
}


def of_nobody(status: int, body: Any) -> Any:
    """Return an edit of the refusal of a prompt for an agent that does not exist."""

    def edit(refusal: Refusal) -> Refusal | Reply:
        theirs = refusal.kind == "agent" and "prompt" in (refusal.payload or ())
        return json_reply(body, status) if theirs else refusal

    return edit


def prompting(status: int, body: Any, when: Callable[[bytes], bool]) -> Any:
    """Return an arrival that answers prompts whose body is such."""

    def arrive(request: Request, sent: bytes, number: int) -> Reply | None:
        prompts = request.path.endswith("/completions") and not request.path.endswith("/chat/completions")
        return json_reply(body, status) if prompts and request.method == "POST" and when(sent) else None

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


DEFECTS = (
    completions(
        "prompt-missing-400",
        "prompt-required",
        "Refuses a completion without a prompt with 400.",
        arrive=prompting(400, {"detail": "No prompt"}, lambda body: b'"prompt"' not in body),
    ),
    completions(
        "completion-any-model",
        "model-unexpected",
        "Goes on from a prompt whatever the model.",
        arrive=prompting(200, ANSWER, lambda body: b"no-such-model" in body),
    ),
    completions(
        "completion-model-404",
        "model-unexpected",
        "Refuses a completion with another model with 404.",
        arrive=prompting(404, {"detail": "No such model"}, lambda body: b"no-such-model" in body),
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
        refuse=of_nobody(200, ANSWER),
    ),
    completions(
        "completion-of-nobody-400",
        "agent-unknown",
        "Refuses a prompt for an agent that does not exist with 400.",
        refuse=of_nobody(400, {"detail": "No agent"}),
    ),
    completions(
        "completion-in-no-session",
        "session-unknown",
        "Goes on from a prompt in a session that does not exist.",
        arrive=prompting(200, ANSWER, lambda body: b'"store_in_session"' in body),
    ),
    completions(
        "completion-in-no-session-400",
        "session-unknown",
        "Refuses a prompt in a session that does not exist with 400.",
        arrive=prompting(400, {"detail": "No session"}, lambda body: b'"store_in_session"' in body),
    ),
)
