"""What a deployment answers: one JSON document, or a stream of chunks."""

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from benchmarks.detection.hooks import ServerHooks
from server_defects.hooks import ChatCall

#: One choice: its pieces, and why it ended.
Spoken: TypeAlias = tuple[list[str], str | None]


def spoken_by(hooks: ServerHooks, call: ChatCall, index: int, random_: random.Random) -> Spoken:
    """Return the content of a choice; if tools are called, the pieces of the calls' arguments."""
    if call.calls:
        return fragments_of(call), "tool_calls"
    return hooks.finish(hooks.form(hooks.generate(call, index, random_), call), call, index)


def fragments_of(call: ChatCall) -> list[str]:
    """Return the arguments of a request's calls, in pieces."""
    return [piece for made in call.calls for piece in halves(made["function"].get("arguments"))]


def halves(arguments: Any) -> list[str]:
    """Return the text of a call's arguments in two pieces."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return [text[: len(text) // 2], text[len(text) // 2 :]]


def message_of(call: ChatCall, spoken: Spoken) -> dict[str, Any]:
    """Return the message that a choice is."""
    if call.calls:
        return {"role": "assistant", "content": None, "tool_calls": list(call.calls)}
    return {"role": "assistant", "content": "".join(spoken[0])}


def usage_of(hooks: ServerHooks, call: ChatCall, spoken: Sequence[Spoken]) -> dict[str, int]:
    """Return the usage of a call that was answered so; each piece is a token."""
    prompt = hooks.count([*call.context, *call.payload["messages"]])
    completion = sum(len(pieces) for pieces, _ in spoken)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def head_of(hooks: ServerHooks, call: ChatCall, kind: str) -> dict[str, Any]:
    """Return what an answer and each of its chunks begin with."""
    head = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": hooks.model,
    }
    return head if call.session is None else {**head, "session_id": call.session}


def whole(hooks: ServerHooks, call: ChatCall, spoken: Sequence[Spoken]) -> dict[str, Any]:
    """Return the answer as one JSON document."""
    return {
        **head_of(hooks, call, "chat.completion"),
        "choices": [
            {"index": index, "message": message_of(call, said), "finish_reason": said[1]}
            for index, said in enumerate(spoken)
        ],
        "usage": usage_of(hooks, call, spoken),
    }


def pieces_of(hooks: ServerHooks, call: ChatCall, spoken: Sequence[Spoken]) -> list[dict[str, Any]]:
    """Return the answer as chunks: a role, the pieces and a finish for each choice, then the usage if asked for."""
    head = head_of(hooks, call, "chat.completion.chunk")
    chunks: list[dict[str, Any]] = []

    def add(index: int, delta: dict[str, Any], reason: str | None = None) -> None:
        chunks.append({**head, "choices": [{"index": index, "delta": delta, "finish_reason": reason}]})

    for index, (pieces, reason) in enumerate(spoken):
        add(index, {"role": "assistant", "content": ""})
        for delta in deltas_of(call) if call.calls else ({"content": piece} for piece in pieces):
            add(index, delta)
        add(index, {}, reason)
    if (call.payload.get("stream_options") or {}).get("include_usage"):
        chunks.append({**head, "choices": [], "usage": usage_of(hooks, call, spoken)})
    return chunks


def deltas_of(call: ChatCall) -> Iterator[dict[str, Any]]:
    """Yield the pieces of a request's calls: the name of each, then its arguments."""
    for index, made in enumerate(call.calls):
        named = {"name": made["function"].get("name"), "arguments": ""}
        yield {"tool_calls": [{"index": index, **made, "function": named}]}
        for piece in halves(made["function"].get("arguments")):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def unchanged(value: dict[str, Any]) -> dict[str, Any]:
    """Return a chat's answer or chunk as it is."""
    return value


def as_text(value: dict[str, Any]) -> dict[str, Any]:
    """Return a chat's answer or chunk as one of a completion: with text instead of messages."""
    choices = [
        {
            "index": choice["index"],
            "text": choice.get("message", choice.get("delta", {})).get("content") or "",
            "finish_reason": choice["finish_reason"],
        }
        for choice in value["choices"]
    ]
    return {**value, "object": "text_completion", "choices": choices}


#: The forms in which an answer may be given, by the operation's name.
CHAT, MODEL_CHAT, COMPLETION = "chat", "model-chat", "completion"
STYLES: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    CHAT: unchanged,
    MODEL_CHAT: unchanged,
    COMPLETION: as_text,
}
