"""Defects in the chunks of a stream: their fields, their order, and the usage at the end."""

import uuid
from typing import Any

from benchmarks.detection.defects.defect import planting
from benchmarks.detection.edits import Chunk, delta_of, edited, finishes, on_chunks
from benchmarks.detection.seams import Call

plant = planting("streams")


def all_but_choiceless(edit: Any) -> Any:
    """Return an edit of each chunk that has choices."""
    return on_chunks(lambda chunk: edit(chunk) if chunk["choices"] else None)


def split(chunks: list[Chunk]) -> tuple[list[Chunk], list[Chunk], list[Chunk], list[Chunk]]:
    """Return the chunks of role, content, finish and usage apart; for streams of one choice."""
    roles = [chunk for chunk in chunks if "role" in delta_of(chunk)]
    said = [chunk for chunk in chunks if delta_of(chunk).get("content")]
    return (
        roles,
        said,
        [chunk for chunk in chunks if finishes(chunk)],
        [chunk for chunk in chunks if not chunk["choices"]],
    )


def ordered(order: Any) -> Any:
    """Return an edit of the order of the chunks of a stream of one choice."""
    return lambda chunks, call: order(*split(chunks)) if call.choices == 1 else chunks


def asked(call: Call) -> bool:
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


def ticking(chunks: list[Chunk], call: Call) -> list[Any]:
    """Return the chunks with a time that goes on."""
    return [{**chunk, "created": chunk["created"] + number // 3} for number, chunk in enumerate(chunks)]


def index(make: Any) -> Any:
    """Return an edit of the index of each choice."""
    return all_but_choiceless(lambda chunk: edited(chunk, index=make(chunk["choices"][0]["index"])))


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
        "Gives a text for a delta.",
        chunks=all_but_choiceless(lambda chunk: edited(chunk, delta=delta_of(chunk).get("content") or "")),
    ),
    plant(
        "chunk-created-a-text",
        "stream-chunk",
        "Gives `created` in chunks as a text.",
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
    plant("created-goes-on", "stream-constant", "Says in each chunk when it was made.", chunks=ticking),
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
        "Says 0 for a stream's total.",
        chunks=on_usage(lambda chunks, last: [*chunks, {**last, "usage": {**last["usage"], "total_tokens": 0}}]),
    ),
)
ORDER = (
    plant(
        "stream-index-from-one",
        "stream-index",
        "Counts the choices of a stream from 1.",
        chunks=index(lambda number: number + 1),
    ),
    plant(
        "stream-index-always-zero",
        "stream-index",
        "Streams all choices under the index 0.",
        chunks=index(lambda number: 0),
    ),
    plant(
        "stream-first-choice-alone",
        "stream-index",
        "Streams one choice whatever `n` says.",
        chunks=lambda chunks, call: [
            chunk for chunk in chunks if not chunk["choices"] or chunk["choices"][0]["index"] == 0
        ],
    ),
    plant(
        "stream-finish-index-lost",
        "stream-index",
        "Ends each choice under the index 7.",
        chunks=on_chunks(lambda chunk: edited(chunk, index=7) if finishes(chunk) else None),
    ),
    plant(
        "finish-swallowed",
        "stream-finish",
        "Never says why a streamed choice ended.",
        chunks=on_chunks(lambda chunk: edited(chunk, finish_reason=None) if finishes(chunk) else None),
    ),
    plant(
        "finish-chunk-dropped",
        "stream-finish",
        "Drops the chunk that ends a choice.",
        chunks=lambda chunks, call: [chunk for chunk in chunks if not finishes(chunk)],
    ),
    plant(
        "finish-twice",
        "stream-finish",
        "Says twice why a choice ended.",
        chunks=lambda chunks, call: [
            part for chunk in chunks for part in ([chunk, chunk] if finishes(chunk) else [chunk])
        ],
    ),
    plant(
        "finish-of-the-first-alone",
        "stream-finish",
        "Ends the first choice alone.",
        chunks=lambda chunks, call: [
            chunk for chunk in chunks if not finishes(chunk) or chunk["choices"][0]["index"] == 0
        ],
    ),
    plant(
        "finish-swallowed-when-cut",
        "stream-finish",
        "Never says that a streamed choice was cut.",
        chunks=on_chunks(
            lambda chunk: (
                edited(chunk, finish_reason=None)
                if finishes(chunk) and chunk["choices"][0]["finish_reason"] == "length"
                else None
            )
        ),
    ),
    plant(
        "finish-on-every-chunk",
        "stream-finish",
        "Says `stop` on every chunk.",
        chunks=all_but_choiceless(lambda chunk: edited(chunk, finish_reason="stop")),
    ),
    plant(
        "finish-before-the-last-word",
        "stream-after-finish",
        "Ends a choice before its last word.",
        chunks=ordered(lambda roles, said, ends, usage: [*roles, *said[:-1], *ends, *said[-1:], *usage]),
    ),
    plant(
        "finish-at-the-start",
        "stream-after-finish",
        "Ends a choice before it begins.",
        chunks=ordered(lambda roles, said, ends, usage: [*roles, *ends, *said, *usage]),
    ),
    plant(
        "word-after-the-finish",
        "stream-after-finish",
        "Sends a farewell after the end of a choice.",
        chunks=ordered(
            lambda roles, said, ends, usage: [
                *roles,
                *said,
                *ends,
                *(edited(end, delta={"content": " Bye!"}, finish_reason=None) for end in ends),
                *usage,
            ]
        ),
    ),
    plant(
        "role-last",
        "stream-role",
        "Says the role at the end.",
        chunks=ordered(lambda roles, said, ends, usage: [*said, *roles, *ends, *usage]),
    ),
    plant(
        "role-on-every-chunk",
        "stream-role",
        "Says the role on every chunk.",
        chunks=all_but_choiceless(lambda chunk: edited(chunk, delta={"role": "assistant", **delta_of(chunk)})),
    ),
    plant(
        "role-with-the-finish",
        "stream-role",
        "Says the role again at the end.",
        chunks=on_chunks(lambda chunk: edited(chunk, delta={"role": "assistant"}) if finishes(chunk) else None),
    ),
    plant(
        "role-after-the-first-word",
        "stream-role",
        "Says the role after the first word.",
        chunks=ordered(lambda roles, said, ends, usage: [*said[:1], *roles, *said[1:], *ends, *usage]),
    ),
)
DEFECTS = (*CHUNKS, *USAGE, *ORDER)
