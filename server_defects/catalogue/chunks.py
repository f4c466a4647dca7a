"""The chunks of a stream: their fields, and the usage at the end."""

import uuid
from typing import Any

from server_defects.defect import planting
from server_defects.hooks import ChatCall
from server_defects.mutators import Chunk, all_but_choiceless, delta_of, edited, on_chunks

plant = planting("streams")


def asked(call: ChatCall) -> bool:
    """Whether a usage was asked for."""
    return bool((call.payload.get("stream_options") or {}).get("include_usage"))


def on_usage(edit: Any) -> Any:
    """Return an edit of the chunks of a stream with usage: a function of the other chunks and the usage chunk."""
    return lambda chunks, call: edit(chunks[:-1], chunks[-1]) if asked(call) else chunks


def on_last(**changes: Any) -> Any:
    """Return an edit of a stream's last chunk; the changes are functions of the chunk."""
    return lambda chunks, call: [
        *chunks[:-1],
        {**chunks[-1], **{name: make(chunks[-1]) for name, make in changes.items()}},
    ]


def doubled(usage: dict[str, int]) -> dict[str, int]:
    """Return a usage that does not add up."""
    return {**usage, "total_tokens": usage["total_tokens"] * 2}


def ticking(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return the chunks with a time that goes on."""
    return [{**chunk, "created": chunk["created"] + number // 3} for number, chunk in enumerate(chunks)]


def said_without_name(chunk: Chunk) -> Chunk:
    """Return a chunk whose choice has a message in place of a delta."""
    choice = chunk["choices"][0]
    return {
        **chunk,
        "choices": [{"index": choice["index"], "message": choice["delta"], "finish_reason": choice["finish_reason"]}],
    }


CHUNKS = (
    plant(
        "chunk-with-message",
        "stream-chunk",
        "Gives chunks a message in place of a delta.",
        chunks=all_but_choiceless(said_without_name),
    ),
    plant(
        "chunk-without-created",
        "stream-chunk",
        "Leaves `created` out of its chunks.",
        chunks=on_chunks(lambda chunk: {k: v for k, v in chunk.items() if k != "created"}),
    ),
    plant(
        "chunk-without-model",
        "stream-chunk",
        "Leaves the model out of its chunks.",
        chunks=on_chunks(lambda chunk: {k: v for k, v in chunk.items() if k != "model"}),
    ),
    plant(
        "chunk-with-text",
        "stream-chunk",
        "Sends a string as a delta.",
        chunks=all_but_choiceless(lambda chunk: edited(chunk, delta=delta_of(chunk).get("content") or "")),
    ),
    plant(
        "chunk-created-a-text",
        "stream-chunk",
        "Sends `created` in chunks as a string.",
        chunks=on_chunks(lambda chunk: {**chunk, "created": str(chunk["created"])}),
    ),
    plant(
        "chunk-without-index",
        "stream-chunk",
        "Leaves the index of a choice out of its chunks.",
        chunks=all_but_choiceless(
            lambda chunk: {**chunk, "choices": [{k: v for k, v in chunk["choices"][0].items() if k != "index"}]}
        ),
    ),
    plant(
        "last-chunk-without-choices",
        "stream-chunk",
        "Leaves the choices out of the last chunk.",
        chunks=lambda chunks, call: [*chunks, {k: v for k, v in chunks[-1].items() if k != "choices"}],
    ),
    plant(
        "chunk-called-answer",
        "stream-object",
        "Calls its chunks whole answers.",
        chunks=on_chunks(lambda chunk: {**chunk, "object": "chat.completion"}),
    ),
    plant(
        "chunk-of-completions",
        "stream-object",
        "Calls its chunks text completions.",
        chunks=on_chunks(lambda chunk: {**chunk, "object": "text_completion"}),
    ),
    plant(
        "last-chunk-called-answer",
        "stream-object",
        "Calls the last chunk a whole answer.",
        chunks=on_last(object=lambda chunk: "chat.completion"),
    ),
    plant(
        "id-of-each-chunk",
        "stream-constant",
        "Gives each chunk an id of its own.",
        chunks=on_chunks(lambda chunk: {**chunk, "id": f"chatcmpl-{uuid.uuid4().hex}"}),
    ),
    plant(
        "id-of-the-last-chunk",
        "stream-constant",
        "Gives the last chunk an id of its own.",
        chunks=on_last(id=lambda chunk: f"chatcmpl-{uuid.uuid4().hex}"),
    ),
    plant(
        "id-of-the-first-chunk-empty",
        "stream-constant",
        "Sends its first chunk before it has an id.",
        chunks=lambda chunks, call: [{**chunks[0], "id": ""}, *chunks[1:]],
    ),
    plant("created-goes-on", "stream-constant", "Sends in each chunk the time of the chunk.", chunks=ticking),
    plant(
        "model-changes",
        "stream-constant",
        "Names the model by another name in the last chunk.",
        chunks=on_last(model=lambda chunk: "served-model-0"),
    ),
)
USAGE = (
    plant(
        "usage-ignored",
        "stream-usage",
        "Ignores that a usage was asked for.",
        chunks=on_usage(lambda chunks, last: chunks),
    ),
    plant(
        "usage-first",
        "stream-usage",
        "Sends the usage at the start.",
        chunks=on_usage(lambda chunks, last: [last, *chunks]),
    ),
    plant(
        "usage-before-the-finish",
        "stream-usage",
        "Sends the usage before the end of the answer.",
        chunks=on_usage(lambda chunks, last: [*chunks[:-1], last, chunks[-1]]),
    ),
    plant(
        "usage-promised",
        "stream-usage",
        "Sends null for the usage that was asked for.",
        chunks=on_usage(lambda chunks, last: [*chunks, {**last, "usage": None}]),
    ),
    plant(
        "usage-after-the-end",
        "stream-usage",
        "Sends the usage after `[DONE]`.",
        frames=lambda frames, call: [*frames[:-2], frames[-1], frames[-2]] if asked(call) else frames,
    ),
    plant(
        "stream-usage-does-not-add-up",
        "stream-usage-sum",
        "Counts double in a stream's total.",
        chunks=on_usage(lambda chunks, last: [*chunks, {**last, "usage": doubled(last["usage"])}]),
    ),
    plant(
        "stream-usage-total-zero",
        "stream-usage-sum",
        "Sends 0 as a stream's total.",
        chunks=on_usage(lambda chunks, last: [*chunks, {**last, "usage": {**last["usage"], "total_tokens": 0}}]),
    ),
)
DEFECTS = (*CHUNKS, *USAGE)
