"""The order of a stream: indices, roles, and the reason why a choice ended."""

from typing import Any

from server_defects.defect import planting
from server_defects.mutators import Chunk, all_but_choiceless, delta_of, edited, finishes, on_chunks

plant = planting("streams")


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


def index(make: Any) -> Any:
    """Return an edit of the index of each choice."""
    return all_but_choiceless(lambda chunk: edited(chunk, index=make(chunk["choices"][0]["index"])))


DEFECTS = (
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
        "Streams one choice for any `n`.",
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
        "Never sends why a streamed choice ended.",
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
        "Sends twice why a choice ended.",
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
        "Never sends that a streamed choice was cut.",
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
        "Sends `stop` in every chunk.",
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
        "Sends the role at the end.",
        chunks=ordered(lambda roles, said, ends, usage: [*said, *roles, *ends, *usage]),
    ),
    plant(
        "role-on-every-chunk",
        "stream-role",
        "Sends the role in every chunk.",
        chunks=all_but_choiceless(lambda chunk: edited(chunk, delta={"role": "assistant", **delta_of(chunk)})),
    ),
    plant(
        "role-with-the-finish",
        "stream-role",
        "Sends the role again at the end.",
        chunks=on_chunks(lambda chunk: edited(chunk, delta={"role": "assistant"}) if finishes(chunk) else None),
    ),
    plant(
        "role-after-the-first-word",
        "stream-role",
        "Sends the role after the first word.",
        chunks=ordered(lambda roles, said, ends, usage: [*said[:1], *roles, *said[1:], *ends, *usage]),
    ),
)
