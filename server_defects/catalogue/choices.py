"""`n`, `stop`, `max_tokens` and `stream`: what is asked for, and what comes."""

import random
from dataclasses import replace
from typing import Any

from agent_contract.messages import Reply
from server_defects.defect import planting
from server_defects.hooks import ChatCall, finish
from server_defects.mutators import on_choices
from server_defects.replies import stream_reply

plant = planting("choices")


def first_choices(number: int) -> Any:
    """Return an edit that keeps the first choices."""
    return lambda answer, call: {**answer, "choices": answer["choices"][:number]}


def one_more(answer: dict[str, Any], call: ChatCall) -> dict[str, Any]:
    """Return the answer with a choice too many."""
    extra = {**answer["choices"][0], "index": len(answer["choices"])}
    return {**answer, "choices": [*answer["choices"], extra]}


def if_several(edit: Any) -> Any:
    """Return an edit of the answers to requests for several choices."""
    return lambda answer, call: edit(answer, call) if call.choices > 1 else answer


def if_unasked(edit: Any) -> Any:
    """Return an edit of the answers to requests without `n`."""
    return lambda answer, call: answer if "n" in call.payload else edit(answer, call)


def indexed(index: Any) -> Any:
    """Return an edit of the choices' indices."""
    return lambda answer, call: {
        **answer,
        "choices": [{**choice, "index": index(choice["index"])} for choice in answer["choices"]],
    }


def with_call(**changes: Any) -> Any:
    """Return a `finish` that sees another payload; the changes are functions of the payload."""

    def finished(pieces: list[str], call: ChatCall, index: int) -> tuple[list[str], str | None]:
        payload = {**call.payload, **{name: change(call.payload) for name, change in changes.items()}}
        return finish(pieces, replace(call, payload=payload), index)

    return finished


def without_limit(call: ChatCall) -> ChatCall:
    """Return the call as if it had no limit."""
    return replace(call, payload={**call.payload, "max_tokens": None, "max_completion_tokens": None})


def stop_kept(pieces: list[str], call: ChatCall, index: int) -> tuple[list[str], str | None]:
    """Return the pieces up to the stop sequence, and the sequence too."""
    kept, reason = finish(pieces, call, index)
    spoken, joined = "".join(kept), "".join(pieces)
    ended = [stop for stop in call.payload.get("stop") or () if joined[len(spoken) :].startswith(stop)]
    return ([*kept, ended[0]], reason) if ended and reason == "stop" else (kept, reason)


def stop_if(condition: Any) -> Any:
    """Return a `finish` that looks at stop sequences only under a condition."""

    def finished(pieces: list[str], call: ChatCall, index: int) -> tuple[list[str], str | None]:
        if condition(call, index):
            return finish(pieces, call, index)
        return finish(pieces, replace(call, payload={**call.payload, "stop": None}), index)

    return finished


def limit_if(condition: Any) -> Any:
    """Return a `finish` that looks at `max_tokens` only under a condition."""
    return lambda pieces, call, index: finish(pieces, call if condition(call, index) else without_limit(call), index)


def limit_plus(extra: int) -> Any:
    """Return a `finish` that cuts this number of tokens late."""

    def finished(pieces: list[str], call: ChatCall, index: int) -> tuple[list[str], str | None]:
        limit = None if call.limit is None else call.limit + extra
        payload = {**call.payload, "max_tokens": limit, "max_completion_tokens": None}
        return finish(pieces, replace(call, payload=payload), index)

    return finished


def cut_as(reason: str, condition: Any = lambda call, index: True) -> Any:
    """Return a `finish` that gives another reason for a cut."""

    def finished(pieces: list[str], call: ChatCall, index: int) -> tuple[list[str], str | None]:
        kept, why = finish(pieces, call, index)
        return kept, reason if why == "length" and condition(call, index) else why

    return finished


def talkative(call: ChatCall, index: int, random_: random.Random) -> list[str]:
    """Return an answer in which every word and letter group comes up."""
    return [random_.choice(("and ", "the ", "a ", "one, ", "I ", "is. ", "to\n")) for _ in range(60)]


def always_streams(response: Reply, call: ChatCall) -> Reply:
    """Return a plain answer as a stream of one event."""
    if call.streams:
        return response
    return stream_reply([b"data: " + response.content() + b"\n\n", b"data: [DONE]\n\n"])


def streams_if_named(response: Reply, call: ChatCall) -> Reply:
    """Return a stream whenever the request contains `stream`, even false."""
    return always_streams(response, call) if "stream" in call.payload else response


NUMBER = (
    plant("n-default-two", "n-default", "Gives two choices without `n`.", answer=if_unasked(one_more)),
    plant("n-default-none", "n-default", "Gives no choice without `n`.", answer=if_unasked(first_choices(0))),
    plant("n-ignored", "n-choices", "Gives one choice for any `n`.", answer=first_choices(1)),
    plant("n-plus-one", "n-choices", "Gives one choice more than `n`, if it is above 1.", answer=if_several(one_more)),
    plant(
        "n-one-gives-two",
        "n-choices",
        "Gives two choices for an `n` of 1.",
        answer=lambda answer, call: one_more(answer, call) if call.payload.get("n") == 1 else answer,
    ),
    plant("n-none", "n-choices", "Gives no choices if several are requested.", answer=if_several(first_choices(0))),
    plant("index-from-one", "choice-index", "Counts choices from 1.", answer=indexed(lambda index: index + 1)),
    plant("index-always-zero", "choice-index", "Gives all choices the index 0.", answer=indexed(lambda index: 0)),
    plant(
        "index-with-a-gap",
        "choice-index",
        "Numbers its choices with a gap.",
        answer=if_several(indexed(lambda index: index * 2)),
    ),
)
STOP = (
    plant(
        "stop-ignored",
        "stop-content",
        "Ignores stop sequences.",
        finish=stop_if(lambda call, index: False),
        generate=talkative,
    ),
    plant("stop-kept", "stop-content", "Leaves the stop sequence at the end.", finish=stop_kept, generate=talkative),
    plant(
        "stop-ignored-in-streams",
        "stop-content",
        "Ignores stop sequences in streams.",
        finish=stop_if(lambda call, index: not call.streams),
        generate=talkative,
    ),
    plant(
        "stop-first-alone",
        "stop-content",
        "Looks at the first stop sequence alone.",
        finish=with_call(stop=lambda payload: (payload.get("stop") or [])[:1]),
        generate=talkative,
    ),
)
LIMIT = (
    plant(
        "max-tokens-ignored", "max-tokens-bound", "Ignores `max_tokens`.", finish=limit_if(lambda call, index: False)
    ),
    plant("max-tokens-late", "max-tokens-bound", "Cuts one token late.", finish=limit_plus(1)),
    plant(
        "max-tokens-ignored-in-streams",
        "max-tokens-bound",
        "Ignores `max_tokens` in streams.",
        finish=limit_if(lambda call, index: not call.streams),
    ),
    plant(
        "max-tokens-doubled",
        "max-tokens-bound",
        "Counts words for tokens, and gives twice as many.",
        finish=lambda pieces, call, index: limit_plus(call.limit or 0)(pieces, call, index),
    ),
    plant(
        "max-tokens-of-the-first-alone",
        "max-tokens-bound",
        "Cuts the first choice alone.",
        finish=limit_if(lambda call, index: index == 0),
    ),
    plant("cut-as-stop", "max-tokens-finish", "Ends with `stop` if an answer was cut.", finish=cut_as("stop")),
    plant(
        "cut-as-stop-in-streams",
        "max-tokens-finish",
        "Ends with `stop` if a stream was cut.",
        finish=cut_as("stop", lambda call, index: call.streams),
    ),
    plant(
        "cut-as-filtered",
        "max-tokens-finish",
        "Ends with `content_filter` if an answer was cut.",
        finish=cut_as("content_filter"),
    ),
    plant(
        "reason-always-stop",
        "max-tokens-finish",
        "Ends every plain answer with `stop`.",
        answer=on_choices(lambda choice: {**choice, "finish_reason": "stop"}),
    ),
)
STREAM = (
    plant("stream-always", "stream-default", "Streams every answer.", respond=always_streams),
    plant("stream-if-named", "stream-default", "Streams if `stream` is false.", respond=streams_if_named),
)
DEFECTS = (*NUMBER, *STOP, *LIMIT, *STREAM)
