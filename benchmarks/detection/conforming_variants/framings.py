"""Variants of streams that the event stream format and the contract allow."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks.detection.conforming_variants.variant import Variant
from benchmarks.detection.hooks import ServerHooks
from server_defects.hooks import ChatCall
from server_defects.mutators import Chunk, delta_of, edited, finishes, on_chunks, on_frames, parsed

PLAIN = ServerHooks()


def named(frame: bytes) -> bytes:
    """Return an event with a name, an id and a retry."""
    return b"event: message\nid: 7\nretry: 3000\n" + frame


def over_lines(frame: bytes) -> bytes:
    """Return an event whose JSON stands on several lines."""
    chunk = parsed(frame)
    if chunk is None:
        return frame
    lines = json.dumps(chunk, indent=1).encode().split(b"\n")
    return b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


def byte_by_byte(frames: list[bytes], call: ChatCall) -> list[bytes]:
    """Return the stream byte by byte, so that its characters are split too."""
    texts = [frame if parsed(frame) is None else written_out(frame) for frame in frames]
    return [bytes([byte]) for byte in b"".join(texts)]


def written_out(frame: bytes) -> bytes:
    """Return an event whose characters stand for themselves, not as escapes."""
    return b"data: " + json.dumps(parsed(frame), ensure_ascii=False).encode() + b"\n\n"


def in_greek(call: ChatCall, index: int, random_: Any) -> list[str]:
    """Return an answer whose characters take two and four bytes."""
    return [random_.choice(("ποταμός", "θάλασσα", "🦉", "ἄνεμος")) + " " for _ in range(24)]


def kept_alive(frames: list[bytes], call: ChatCall) -> list[bytes]:
    """Return the stream with comments between its events, the shortest one included."""
    return [part for frame in frames for part in (b": keep-alive\n\n", b":\n", frame)]


def no_role_chunk(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return the chunks without any role."""
    return [chunk for chunk in chunks if "role" not in delta_of(chunk)]


def role_with_content(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return the chunks with the role beside the first content of each choice."""
    seen: set[int] = set()

    def merged() -> Iterator[Chunk]:
        for chunk in chunks:
            if "role" in delta_of(chunk):
                continue
            index = chunk["choices"][0]["index"] if chunk["choices"] else None
            if index is None or index in seen:
                yield chunk
                continue
            seen.add(index)
            yield edited(chunk, delta={"role": "assistant", **delta_of(chunk)})

    return list(merged())


def finish_with_content(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return the chunks with the reason on the last content of each choice."""
    kept: list[Chunk] = []
    for chunk in chunks:
        if finishes(chunk) and kept and delta_of(kept[-1]).get("content"):
            kept[-1] = edited(kept[-1], finish_reason=chunk["choices"][0]["finish_reason"])
        else:
            kept.append(chunk)
    return kept


def null_usage(chunk: Chunk) -> Chunk:
    """Return a chunk with null instead of a usage."""
    return {"usage": None, **chunk}


def null_deltas(chunk: Chunk) -> Chunk | None:
    """Return a chunk whose delta has null for the fields that it lacks."""
    if not chunk["choices"]:
        return None
    return edited(chunk, delta={"role": None, "content": None, "tool_calls": None, **delta_of(chunk)}, logprobs=None)


def running_usage(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return the chunks with what was used so far on each."""

    def so_far(spoken: int) -> dict[str, int]:
        return {"prompt_tokens": 12, "completion_tokens": spoken, "total_tokens": 12 + spoken}

    return [{"usage": so_far(number), **chunk} for number, chunk in enumerate(chunks)]


def usage_anyhow(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return the chunks with an unrequested usage at the end."""
    if "usage" in chunks[-1]:
        return chunks
    usage = {"prompt_tokens": 12, "completion_tokens": 16, "total_tokens": 28}
    return [*chunks, {**chunks[-1], "choices": [], "usage": usage}]


def interleaved(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return the chunks of several choices in turns."""
    lists = [
        [chunk for chunk in chunks if chunk["choices"] and chunk["choices"][0]["index"] == index]
        for index in range(call.choices)
    ]
    turns = [own[at] for at in range(max(map(len, lists))) for own in lists if at < len(own)]
    return [*turns, *(chunk for chunk in chunks if not chunk["choices"])]


def bare(chunk: Chunk) -> Chunk:
    """Return a chunk without what is optional in it."""
    kept = {key: value for key, value in chunk.items() if key not in ("id", "object")}
    choices = [
        {key: value for key, value in choice.items() if key != "finish_reason" or value is not None}
        for choice in chunk["choices"]
    ]
    return {**kept, "choices": choices}


def bytes_replaced(old: bytes, new: bytes) -> Any:
    """Return an edit of the frames that writes other bytes in place of some."""
    return on_frames(lambda frame: frame.replace(old, new))


FRAMES = {
    "lines-crlf": ("Ends its lines with CR LF.", bytes_replaced(b"\n", b"\r\n")),
    "lines-cr": ("Ends its lines with CR.", bytes_replaced(b"\n", b"\r")),
    "comments": ("Sends comments to keep the connection alive.", kept_alive),
    "named-events": ("Sends `event`, `id` and `retry` beside its data.", on_frames(named)),
    "data-over-lines": ("Spreads the data of an event over several lines.", on_frames(over_lines)),
    "no-space": ("Writes no space after `data:`.", on_frames(lambda frame: frame.replace(b"data: ", b"data:"))),
    "byte-order-mark": ("Begins with a byte order mark.", lambda frames, call: [b"\xef\xbb\xbf", *frames]),
    "blank-lines": ("Leaves several blank lines between events.", on_frames(lambda frame: b"\n\n" + frame + b"\n")),
    "at-once": ("Sends the whole stream at once, without delay.", lambda frames, call: [b"".join(frames)]),
}
CHUNKS = {
    "no-role": ("Sends no role in a stream.", no_role_chunk),
    "role-with-content": ("Sends the role with the first content.", role_with_content),
    "finish-with-content": ("Gives the reason beside the last content.", finish_with_content),
    "usage-null": ("Sends `usage: null` in each chunk.", on_chunks(null_usage)),
    "usage-running": ("Sends in each chunk what was used up to it.", running_usage),
    "usage-unasked": ("Sends an unrequested usage.", usage_anyhow),
    "deltas-null": ("Sends null for the fields that a delta lacks.", on_chunks(null_deltas)),
    "interleaved": ("Streams several choices in turns.", interleaved),
    "chunks-bare": ("Leaves out whatever is optional in a chunk.", on_chunks(bare)),
}
VARIANTS = (
    *(Variant(f"stream-{name}", sentence, replace(PLAIN, frames=edit)) for name, (sentence, edit) in FRAMES.items()),
    *(Variant(f"stream-{name}", sentence, replace(PLAIN, chunks=edit)) for name, (sentence, edit) in CHUNKS.items()),
    Variant(
        "stream-one-piece",
        "Gathers the stream, and sends it as a whole after a quarter of a second.",
        replace(PLAIN, frames=lambda frames, call: [b"", b"".join(frames)], pause=0.25),
    ),
    Variant(
        "stream-byte-by-byte",
        "Sends each byte by itself, also within a character.",
        replace(PLAIN, frames=byte_by_byte, generate=in_greek),
    ),
)
