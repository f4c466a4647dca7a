"""What the contract permits a server to do: functions from a reply to another one that is as valid.

Each returns the reply itself if it does not apply. Real servers do all of these.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import orjson

from agent_contract.messages import Event, Reply, Request
from mockserver.faults.broken_reply import Piece

Chunk: TypeAlias = dict[str, Any]
Variation: TypeAlias = Callable[[Request, Reply], Reply]

_DONE = b"[DONE]"
#: Bytes of a piece of a divided stream: no multiple of anything in it.
_SIZE = 31
#: Seconds between two pieces of a divided stream, without which the network joins them.
PAUSE = 0.001
_USAGE = {"prompt_tokens": 12, "completion_tokens": 16, "total_tokens": 28}


def on_chunks(edit: Callable[[list[Chunk]], Iterable[Chunk]]) -> Variation:
    """Return a variation that edits the chunks of a stream of choices."""

    def varied(_: Request, reply: Reply) -> Reply:
        if isinstance(reply.body, bytes):
            return reply
        before = [orjson.loads(event.data) for event in reply.body if event.data != _DONE]
        if not all(isinstance(chunk, dict) and "choices" in chunk for chunk in before):
            return reply
        after = list(edit([orjson.loads(orjson.dumps(chunk)) for chunk in before]))
        if after == before:
            return reply
        return replace(reply, body=(*(Event(orjson.dumps(chunk)) for chunk in after), Event(_DONE)))

    return varied


def on_events(edit: Callable[[list[bytes]], Iterable[bytes]], pause: float = 0.0) -> Variation:
    """Return a variation that edits the bytes of the events of a stream; a pause keeps the pieces apart."""

    def varied(_: Request, reply: Reply) -> Reply:
        if isinstance(reply.body, bytes) or not reply.body:
            return reply
        pieces = edit([event.encode() for event in reply.body])
        return replace(reply, body=tuple(Piece(piece, delay=pause) for piece in pieces))

    return varied


def on_answer(edit: Callable[[dict[str, Any]], Any]) -> Variation:
    """Return a variation that edits a plain answer with choices; `edit` changes it, or returns another."""

    def edited(value: Any) -> Any:
        return edit(value) if isinstance(value, dict) and "choices" in value else None

    return on_json(edited)


def on_json(edit: Callable[[Any], Any], dumps: Callable[[Any], bytes] = orjson.dumps) -> Variation:
    """Return a variation that edits the JSON of a good reply; `edit` changes it, or returns another value."""

    def varied(_: Request, reply: Reply) -> Reply:
        is_json = reply.headers.get("content-type", "").startswith("application/json")
        if reply.status != 200 or not isinstance(reply.body, bytes) or not reply.body or not is_json:
            return reply
        value = orjson.loads(reply.body)
        changed = edit(value)
        body = dumps(value if changed is None else changed)
        return reply if body == reply.body else _with_body(reply, body)

    return varied


def on_refusal(content_type: str, body: Callable[[int], bytes]) -> Variation:
    """Return a variation that gives the refusals 400 and 404 another body."""

    def varied(_: Request, reply: Reply) -> Reply:
        if reply.status not in (400, 404):
            return reply
        return _with_body(replace(reply, headers={**reply.headers, "content-type": content_type}), body(reply.status))

    return varied


def with_charset(_: Request, reply: Reply) -> Reply:
    """Return a JSON reply that names its charset."""
    if reply.headers.get("content-type") != "application/json":
        return reply
    return replace(reply, headers={**reply.headers, "content-type": "application/json; charset=utf-8"})


def compressed(request: Request, reply: Reply) -> Reply:
    """Return the reply compressed, a stream event by event, if the client accepts gzip."""
    if "gzip" not in request.headers.get("accept-encoding", "") or not reply.body:
        return reply
    headers = {**reply.headers, "content-encoding": "gzip"}
    if isinstance(reply.body, bytes):
        return _with_body(replace(reply, headers=headers), gzip.compress(reply.body, mtime=0))
    deflate = zlib.compressobj(wbits=31)
    pieces = [deflate.compress(event.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH) for event in reply.body]
    return replace(reply, headers=headers, body=tuple(map(Piece, [*pieces, deflate.flush()])))


def slow(_: Request, reply: Reply) -> Reply:
    """Return the reply half a second later, a stream with pauses."""
    if isinstance(reply.body, bytes):
        return replace(reply, delay=reply.delay + 0.5)
    return replace(reply, delay=reply.delay + 0.5, body=tuple(replace(event, delay=0.005) for event in reply.body))


def without_role(chunks: list[Chunk]) -> Iterator[Chunk]:
    """Yield the chunks without any role."""
    for chunk in chunks:
        for delta in _deltas(chunk):
            delta.pop("role", None)
        yield chunk


def role_with_content(chunks: list[Chunk]) -> Iterator[Chunk]:
    """Yield the chunks with the role of a choice next to its first content, not before."""
    waiting: set[int] = set()
    for chunk in chunks:
        choices = chunk["choices"]
        if len(choices) != 1:
            yield chunk
            continue
        delta = choices[0]["delta"]
        index = choices[0]["index"]
        if "role" in delta and not delta.get("content") and "tool_calls" not in delta:
            waiting.add(index)
            continue
        if index in waiting:
            waiting.remove(index)
            choices[0]["delta"] = {"role": "assistant", **delta}
        yield chunk


def finish_with_content(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks with the reason to finish on the last content of a choice."""
    kept: list[Chunk] = []
    for chunk in chunks:
        last = kept[-1]["choices"] if kept else []
        ends = len(chunk["choices"]) == 1 and chunk["choices"][0].get("finish_reason") and not any(_deltas(chunk))
        if (
            ends
            and len(last) == 1
            and last[0]["index"] == chunk["choices"][0]["index"]
            and "content" in last[0]["delta"]
        ):
            last[0]["finish_reason"] = chunk["choices"][0]["finish_reason"]
            continue
        kept.append(chunk)
    return kept


def null_usage(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks with `usage: null` in each that has no usage."""
    return [{**chunk, "usage": chunk.get("usage")} for chunk in chunks]


def usage_at_end(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks with one of usage at the end, which has no choices."""
    if any(chunk.get("usage") for chunk in chunks) or not chunks:
        return chunks
    return [*chunks, {**chunks[-1], "choices": [], "usage": _USAGE}]


def null_deltas(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks with null for each field that a delta lacks."""
    for chunk in chunks:
        for choice in chunk["choices"]:
            choice["delta"] = {"content": None, "refusal": None, "tool_calls": None, **choice["delta"]}
            choice.setdefault("logprobs", None)
    return chunks


def successive(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks of several choices with one choice after the other."""
    if len({choice["index"] for chunk in chunks for choice in chunk["choices"]}) < 2:
        return chunks
    single = [{**chunk, "choices": [choice]} for chunk in chunks for choice in chunk["choices"]]
    ordered = sorted(single, key=lambda chunk: chunk["choices"][0]["index"])
    return [*ordered, *(chunk for chunk in chunks if not chunk["choices"])]


def unlisted_in_chunks(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks with fields that inference servers add."""
    for chunk in chunks:
        chunk["system_fingerprint"] = "fp_1"
        for choice in chunk["choices"]:
            choice["stop_reason"] = None
            choice["delta"]["reasoning_content"] = None
    return chunks


def over_lines(events: list[bytes]) -> list[bytes]:
    """Return the events with their JSON on several lines of data."""
    return [_over_lines(event) for event in events]


def named(events: list[bytes]) -> list[bytes]:
    """Return the events with a name, an id and a time to reconnect."""
    return [b"event: message\nid: 7\nretry: 3000\n" + event for event in events]


def divided(events: list[bytes]) -> Iterator[bytes]:
    """Yield the stream in pieces that divide events, lines and characters."""
    body = b"".join(events)
    return (body[start : start + _SIZE] for start in range(0, len(body), _SIZE))


def unlisted(value: Any) -> None:
    """Add fields that inference servers add."""
    if isinstance(value, dict):
        value |= {"system_fingerprint": "fp_1", "service_tier": None, "kv_transfer_params": None}
        for choice in value.get("choices") or ():
            choice |= {"logprobs": None, "stop_reason": None}


def null_fields(answer: dict[str, Any]) -> None:
    """Set the optional fields of messages to null."""
    for choice in answer["choices"]:
        if "message" in choice:
            choice["message"] = {"refusal": None, "tool_calls": None, "audio": None, **choice["message"]}


def detailed_usage(answer: dict[str, Any]) -> None:
    """Add the details of the usage that OpenAI's API has, one of them null."""
    if "usage" in answer:
        answer["usage"] |= {"prompt_tokens_details": None, "completion_tokens_details": {"reasoning_tokens": 0}}


def other_id(answer: dict[str, Any]) -> None:
    """Change the form of the answer's id."""
    answer["id"] = f"cmpl:{answer.get('id', '0')[:8]}/1"


def spaced_arguments(answer: dict[str, Any]) -> None:
    """Write the arguments of tool calls on several lines."""
    for choice in answer["choices"]:
        for call in (choice.get("message") or {}).get("tool_calls") or ():
            call["function"]["arguments"] = json.dumps(json.loads(call["function"]["arguments"]), indent=2)


def reversed_keys(value: Any) -> Any:
    """Return the value with the keys of its objects in reverse order."""
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(item) for item in value] if isinstance(value, list) else value


def escaped(value: Any) -> bytes:
    """Return JSON in ASCII, with spaces and line breaks between its parts."""
    return json.dumps(value, indent=1).encode()


def _deltas(chunk: Chunk) -> list[dict[str, Any]]:
    return [choice["delta"] for choice in chunk["choices"]]


def _over_lines(event: bytes) -> bytes:
    data = event.removeprefix(b"data: ").strip()
    if not data.startswith(b"{"):
        return event
    lines = json.dumps(json.loads(data), indent=1).encode().split(b"\n")
    return b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


def _with_body(reply: Reply, body: bytes) -> Reply:
    return replace(reply, headers={**reply.headers, "content-length": str(len(body))}, body=body)
