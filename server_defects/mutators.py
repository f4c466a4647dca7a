"""Small changes of a deployment, as its hooks take them; variants and mutants are made of these."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent_contract.messages import Reply, Request
from server_defects.hooks import ChatCall, Refusal
from server_defects.replies import json_reply, text_reply

Chunk = dict[str, Any]


def on_answer(edit: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any], ChatCall], Any]:
    """Return an edit of every plain answer; a result of `edit` replaces the answer."""

    def edited(answer: dict[str, Any], call: ChatCall) -> Any:
        changed = edit(answer)
        return answer if changed is None else changed

    return edited


def with_fields(**fields: Any) -> Callable[[dict[str, Any], ChatCall], Any]:
    """Return an edit that sets fields of an answer."""
    return lambda answer, call: {**answer, **fields}


def without_fields(*names: str) -> Callable[[dict[str, Any], ChatCall], Any]:
    """Return an edit that leaves fields of an answer out."""
    return lambda answer, call: {name: value for name, value in answer.items() if name not in names}


def on_choices(edit: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any], ChatCall], Any]:
    """Return an edit of each choice of a plain answer; a result of `edit` replaces the choice."""

    def edited(answer: dict[str, Any], call: ChatCall) -> Any:
        changed = [(choice, edit(choice)) for choice in answer["choices"]]
        return {**answer, "choices": [choice if new is None else new for choice, new in changed]}

    return edited


def on_usage(edit: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any], ChatCall], Any]:
    """Return an edit of the usage of a plain answer."""
    return lambda answer, call: {**answer, "usage": edit(answer["usage"])}


def on_chunks(edit: Callable[[Chunk], Any]) -> Callable[[list[Chunk], ChatCall], list[Any]]:
    """Return an edit of each chunk; a result of `edit` replaces the chunk."""

    def edited(chunks: list[Chunk], call: ChatCall) -> list[Any]:
        changed = [(chunk, edit(chunk)) for chunk in chunks]
        return [chunk if new is None else new for chunk, new in changed]

    return edited


def all_but_choiceless(edit: Any) -> Any:
    """Return an edit of each chunk that has choices."""
    return on_chunks(lambda chunk: edit(chunk) if chunk["choices"] else None)


def on_frames(edit: Callable[[bytes], bytes]) -> Callable[[list[bytes], ChatCall], list[bytes]]:
    """Return an edit of each event's bytes."""
    return lambda frames, call: [edit(frame) for frame in frames]


def delta_of(chunk: Chunk) -> dict[str, Any]:
    """Return the delta of a chunk's first choice, empty without one."""
    delta: dict[str, Any] = chunk["choices"][0]["delta"] if chunk["choices"] else {}
    return delta


def finishes(chunk: Chunk) -> bool:
    """Whether a chunk ends a choice."""
    return bool(chunk["choices"]) and chunk["choices"][0]["finish_reason"] is not None


def edited(chunk: Chunk, **changes: Any) -> Chunk:
    """Return a chunk whose first choice has other values."""
    return {**chunk, "choices": [{**chunk["choices"][0], **changes}]}


def parsed(frame: bytes) -> Any:
    """Return the JSON of an event, and None for `[DONE]`."""
    data = frame.removeprefix(b"data: ").strip()
    return None if data == b"[DONE]" else json.loads(data)


def refusing(kind: str, status: int, detail: Any = None) -> Callable[[Refusal], Refusal | Reply]:
    """Return an edit that gives refusals of one kind another status, and another detail if one is given."""

    def edit(refusal: Refusal) -> Refusal:
        if refusal.kind != kind:
            return refusal
        return Refusal(kind, status, refusal.detail if detail is None else detail, refusal.headers)

    return edit


def faults(refusal: Refusal) -> Sequence[Mapping[str, Any]]:
    """Return the faults that a refusal of a body lists, and none for other refusals."""
    return refusal.detail if refusal.kind == "shape" else ()


def at_field(field: str, fault: str, make: Callable[[Refusal], Refusal | Reply]) -> Any:
    """Return an edit of the refusals whose first fault is of a type and at a field; an empty one matches all."""

    def edit(refusal: Refusal) -> Refusal | Reply:
        for item in faults(refusal)[:1]:
            at = item["loc"][1] if len(item["loc"]) > 1 else ""
            if (not field or at == field) and item["type"].startswith(fault):
                return make(refusal)
        return refusal

    return edit


def answering(status: int, body: Any, **headers: str) -> Callable[[Refusal], Reply]:
    """Return a function that answers a refusal with a status and a body."""
    return lambda refusal: json_reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def json_of(body: bytes) -> Any:
    """Return the JSON of a request's body, None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def crashing(when: Callable[[Any], Any]) -> Callable[[Request, bytes, int], Reply | None]:
    """Return an arrival that answers 500 to the bodies for which `when` is true; others pass."""

    def arrive(request: Request, body: bytes, number: int) -> Reply | None:
        sent = json_of(body)
        if isinstance(sent, dict) and when(sent):
            return text_reply("Internal Server Error", 500)
        return None

    return arrive
