"""Streams: the events on the wire, and how they end."""

import json
from dataclasses import replace
from typing import Any

from agent_contract.messages import Reply
from mockserver.faults.broken_reply import BrokenReply
from server_defects.defect import planting
from server_defects.hooks import ChatCall
from server_defects.mutators import delta_of, finishes, on_frames, parsed

plant = planting("streams")
DONE = b"data: [DONE]\n\n"


def typed_as(media_type: str) -> Any:
    """Return an edit that gives streams another media type."""

    def edit(response: Reply, call: ChatCall) -> Reply:
        return replace(response, headers={**response.headers, "content-type": media_type}) if call.streams else response

    return edit


def cut(response: Reply, call: ChatCall) -> Reply:
    """Return a stream that breaks off in the middle."""
    if isinstance(response.body, bytes):
        return response
    return BrokenReply(response.status, response.headers, response.body[:4])


def each_event(write: Any) -> Any:
    """Return an edit of each event but `[DONE]`; `write` makes bytes of its JSON."""

    def edit(frame: bytes) -> bytes:
        chunk = parsed(frame)
        return frame if chunk is None else bytes(write(chunk))

    return on_frames(edit)


def sse(data: str) -> bytes:
    """Return an event."""
    return b"data: " + data.encode() + b"\n\n"


FRAMING = (
    plant(
        "stream-as-json",
        "stream-content-type",
        "Sends streams as `application/json`.",
        respond=typed_as("application/json"),
    ),
    plant(
        "stream-as-text",
        "stream-content-type",
        "Sends streams as plain text.",
        respond=typed_as("text/plain; charset=utf-8"),
    ),
    plant(
        "stream-as-bytes",
        "stream-content-type",
        "Sends streams as bytes.",
        respond=typed_as("application/octet-stream"),
    ),
    plant(
        "stream-of-lines",
        "stream-framing",
        "Sends lines of JSON without `data:`.",
        frames=on_frames(lambda frame: frame.removeprefix(b"data: ").replace(b"\n\n", b"\n")),
    ),
    plant(
        "stream-of-python",
        "stream-framing",
        "Sends chunks as Python prints them.",
        frames=each_event(lambda chunk: sse(repr(chunk))),
    ),
    plant(
        "stream-prefixed-twice",
        "stream-framing",
        "Writes `data:` twice.",
        frames=on_frames(lambda frame: b"data: " + frame),
    ),
    plant(
        "stream-of-quoted-json",
        "stream-framing",
        "Sends JSON in a JSON text.",
        frames=each_event(lambda chunk: sse(json.dumps(json.dumps(chunk)))),
    ),
    plant(
        "stream-events-run-together",
        "stream-framing",
        "Leaves out the blank line between events.",
        frames=on_frames(lambda frame: frame if frame == DONE else frame.replace(b"\n\n", b"\n")),
    ),
    plant(
        "stream-keeps-alive-by-data",
        "stream-framing",
        "Keeps the connection alive by an event.",
        frames=lambda frames, call: [sse("ping"), *frames],
    ),
    plant(
        "stream-error-in-the-middle",
        "stream-framing",
        "Sends an error's text amid its chunks.",
        frames=lambda frames, call: [*frames[:2], sse("Error: upstream timed out"), *frames[2:]],
    ),
    plant(
        "stream-json-cut",
        "stream-framing",
        "Cuts long events.",
        frames=on_frames(lambda frame: frame if len(frame) < 120 else frame[:110] + b"\n\n"),
    ),
    plant(
        "stream-of-texts",
        "stream-framing",
        "Sends bare text in place of chunks.",
        frames=each_event(lambda chunk: sse(delta_of(chunk).get("content") or "...")),
    ),
)
END = (
    plant("done-missing", "stream-done", "Ends without `[DONE]`.", frames=lambda frames, call: frames[:-1]),
    plant("done-twice", "stream-done", "Ends with `[DONE]` twice.", frames=lambda frames, call: [*frames, DONE]),
    plant(
        "done-early",
        "stream-done",
        "Sends `[DONE]` before the last chunk.",
        frames=lambda frames, call: [*frames[:-2], DONE, frames[-2]],
    ),
    plant(
        "done-in-small-letters",
        "stream-done",
        "Ends with `[done]`.",
        frames=lambda frames, call: [*frames[:-1], sse("[done]")],
    ),
    plant(
        "done-as-an-event",
        "stream-done",
        "Ends with an event named `done`.",
        frames=lambda frames, call: [*frames[:-1], b"event: done\ndata:\n\n"],
    ),
    plant(
        "done-for-each-choice",
        "stream-done",
        "Sends `[DONE]` after each choice.",
        frames=lambda frames, call: [
            part
            for frame in frames[:-1]
            for part in ((frame, DONE) if (parsed(frame)["choices"] and finishes(parsed(frame))) else (frame,))
        ],
    ),
    plant("connection-lost", "stream-done", "Loses the connection in the middle.", respond=cut),
    plant(
        "done-first", "stream-done", "Sends `[DONE]` at the start.", frames=lambda frames, call: [DONE, *frames[:-1]]
    ),
)
DEFECTS = (*FRAMING, *END)
