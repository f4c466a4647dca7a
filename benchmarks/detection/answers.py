"""What a deployment answers: one JSON document, or a stream of chunks."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeAlias

from benchmarks.detection.seams import Call, Deployment

#: One choice: its pieces, and why it ended.
Spoken: TypeAlias = tuple[list[str], str | None]


def usage_of(deployment: Deployment, call: Call, spoken: Sequence[Spoken]) -> dict[str, int]:
    """Return the usage of a call that was answered so; each piece is a token."""
    prompt = deployment.count([*call.context, *call.payload["messages"]])
    completion = sum(len(pieces) for pieces, _ in spoken)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def head_of(deployment: Deployment, call: Call, kind: str) -> dict[str, Any]:
    """Return what an answer and each of its chunks begin with."""
    head = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": deployment.model,
    }
    return head if call.session is None else {**head, "session_id": call.session}


def whole(deployment: Deployment, call: Call, spoken: Sequence[Spoken]) -> dict[str, Any]:
    """Return the answer as one JSON document."""
    return {
        **head_of(deployment, call, "chat.completion"),
        "choices": [
            {"index": index, "message": {"role": "assistant", "content": "".join(pieces)}, "finish_reason": reason}
            for index, (pieces, reason) in enumerate(spoken)
        ],
        "usage": usage_of(deployment, call, spoken),
    }


def pieces_of(deployment: Deployment, call: Call, spoken: Sequence[Spoken]) -> list[dict[str, Any]]:
    """Return the answer as chunks: a role, the pieces and a finish for each choice, then the usage if asked for."""
    head = head_of(deployment, call, "chat.completion.chunk")
    chunks: list[dict[str, Any]] = []

    def add(index: int, delta: dict[str, Any], reason: str | None = None) -> None:
        chunks.append({**head, "choices": [{"index": index, "delta": delta, "finish_reason": reason}]})

    for index, (pieces, reason) in enumerate(spoken):
        add(index, {"role": "assistant", "content": ""})
        for piece in pieces:
            add(index, {"content": piece})
        add(index, {}, reason)
    if (call.payload.get("stream_options") or {}).get("include_usage"):
        chunks.append({**head, "choices": [], "usage": usage_of(deployment, call, spoken)})
    return chunks


def frames_of(chunks: Sequence[Any]) -> list[bytes]:
    """Return the chunks as events on the wire, `[DONE]` at the end."""
    return [*(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n"]


async def paced(frames: Sequence[bytes], pause: float) -> AsyncIterator[bytes]:
    """Yield the frames, with a pause of so many seconds after each."""
    for frame in frames:
        yield frame
        if pause:
            await asyncio.sleep(pause)
