"""The answers of a mock as the hooks see them: JSON, chunks, and the bytes of events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import orjson

from agent_contract.messages import Reply
from mockserver.faults.broken_reply import Piece
from server_defects.hooks import ChatCall, Message, frames_of
from server_defects.replies import with_body

_DONE = b"[DONE]"
#: The pieces of a choice, and why it ended.
Spoken: TypeAlias = tuple[list[str], str | None]
#: Changes an answer, or the chunks of one.
Edit: TypeAlias = Callable[[Any, ChatCall], Any]


def value_of(reply: Reply) -> Any:
    """Return the JSON of a plain reply, None for another one."""
    is_json = reply.headers.get("content-type", "").startswith("application/json")
    if not is_json or not isinstance(reply.body, bytes) or not reply.body:
        return None
    return orjson.loads(reply.body)


def with_value(reply: Reply, value: Any, status: int = 200) -> Reply:
    """Return a plain reply with other JSON."""
    return replace(with_body(reply, json.dumps(value).encode()), status=status)


def chunks_of(reply: Reply) -> list[Any]:
    """Return the chunks of a stream, without `[DONE]`."""
    assert not isinstance(reply.body, bytes)
    return [orjson.loads(event.data) for event in reply.body if event.data != _DONE]


def with_frames(reply: Reply, frames: Sequence[bytes]) -> Reply:
    """Return a stream with other events, at the pace of the old ones."""
    delays = [event.delay for event in reply.body] if not isinstance(reply.body, bytes) else []
    delays += [0.0] * (len(frames) - len(delays))
    pieces = (Piece(frame, delay=delay) for frame, delay in zip(frames, delays, strict=False))
    return replace(reply, body=tuple(pieces))


def edited(
    reply: Reply,
    call: ChatCall,
    answer: Edit | None = None,
    chunks: Edit | None = None,
) -> Reply:
    """Return the reply with its JSON or its chunks edited."""
    if isinstance(reply.body, bytes):
        value = value_of(reply)
        return reply if answer is None or value is None else with_value(reply, answer(value, call), reply.status)
    return reply if chunks is None else with_frames(reply, frames_of(chunks(chunks_of(reply), call)))


def message_of(reply: Reply) -> Message:
    """Return the message of the first choice of a reply."""
    if isinstance(reply.body, bytes):
        choice = value_of(reply)["choices"][0]
        return dict(choice.get("message") or {"role": "assistant", "content": choice.get("text")})
    calls: dict[int, dict[str, Any]] = {}
    content = ""
    for chunk in chunks_of(reply):
        for choice in chunk["choices"]:
            delta = choice.get("delta") or {"content": choice.get("text")}
            if choice["index"] == 0:
                content += delta.get("content") or ""
                for piece in delta.get("tool_calls") or ():
                    _add(calls, piece)
    message: Message = {"role": "assistant", "content": content or None if calls else content}
    return {**message, "tool_calls": list(calls.values())} if calls else message


def _add(calls: dict[int, dict[str, Any]], piece: Mapping[str, Any]) -> None:
    known = calls.setdefault(
        piece["index"], {"id": piece.get("id"), "type": "function", "function": {"name": "", "arguments": ""}}
    )
    function = piece.get("function") or {}
    known["function"]["name"] += function.get("name") or ""
    known["function"]["arguments"] += function.get("arguments") or ""


def calling(
    calls: Sequence[Mapping[str, Any]],
) -> tuple[Edit, Edit]:
    """Return the edits of an answer, and of its chunks, that make a choice call these tools."""

    def answer(value: Any, _: ChatCall) -> Any:
        message = {"role": "assistant", "content": None, "tool_calls": list(calls)}
        choices = [{**choice, "message": message, "finish_reason": "tool_calls"} for choice in value["choices"]]
        return {**value, "choices": choices}

    def chunks(before: list[Any], call: ChatCall) -> list[Any]:
        deltas = [{"role": "assistant", "content": None}, *_deltas(calls)]
        return _streamed(before, [(deltas, "tool_calls")] * call.choices)

    return answer, chunks


def speaking(spoken: Sequence[Spoken]) -> tuple[Edit, Edit]:
    """Return the edits of an answer, and of its chunks, that give each choice these pieces."""

    def answer(value: Any, _: ChatCall) -> Any:
        choices = [
            {
                **choice,
                "message": {"role": "assistant", "content": "".join(pieces)},
                "finish_reason": reason,
            }
            for choice, (pieces, reason) in zip(value["choices"], spoken, strict=False)
        ]
        return {**value, "choices": choices, "usage": _counted(value["usage"], spoken)}

    def chunks(before: list[Any], _: ChatCall) -> list[Any]:
        deltas = [
            ([{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)], reason)
            for pieces, reason in spoken
        ]
        return [
            {**chunk, "usage": _counted(chunk["usage"], spoken)} if chunk.get("usage") else chunk
            for chunk in _streamed(before, deltas)
        ]

    return answer, chunks


def pieces_of(reply: Reply, call: ChatCall) -> list[list[str]]:
    """Return the pieces of content of each choice of a stream; none if it is another reply."""
    pieces: list[list[str]] = [[] for _ in range(call.choices)]
    for chunk in () if isinstance(reply.body, bytes) else chunks_of(reply):
        for choice in chunk["choices"]:
            if content := choice["delta"].get("content"):
                pieces[choice["index"]].append(content)
    return pieces


def with_session(session: str) -> tuple[Edit, Edit]:
    """Return the edits of an answer, and of its chunks, that give them the id of a session."""
    return (
        lambda value, _: {**value, "session_id": session},
        lambda chunks, _: [{**chunk, "session_id": session} for chunk in chunks],
    )


def _counted(usage: Mapping[str, int], spoken: Sequence[Spoken]) -> dict[str, int]:
    count = sum(len(pieces) for pieces, _ in spoken)
    return {**usage, "completion_tokens": count, "total_tokens": usage["prompt_tokens"] + count}


def _deltas(calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for index, made in enumerate(calls):
        arguments = made["function"].get("arguments")
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        named = {"name": made["function"].get("name"), "arguments": ""}
        found.append({"tool_calls": [{"index": index, **made, "function": named}]})
        halves = (text[: len(text) // 2], text[len(text) // 2 :])
        found.extend({"tool_calls": [{"index": index, "function": {"arguments": half}}]} for half in halves)
    return found


def _streamed(before: list[Any], choices: Sequence[tuple[Sequence[dict[str, Any]], str | None]]) -> list[Any]:
    """Return a stream of these deltas for each choice, with the head and the usage of another one."""
    head = {name: value for name, value in before[0].items() if name not in ("choices", "usage")}
    after = [
        {**head, "choices": [{"index": index, "delta": delta, "finish_reason": reason}]}
        for index, (deltas, why) in enumerate(choices)
        for delta, reason in (*((delta, None) for delta in deltas), ({}, why))
    ]
    return [*after, *(chunk for chunk in before if not chunk["choices"])]
