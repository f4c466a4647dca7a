"""Variants of answers and refusals that the contract allows."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent_contract.messages import Headers, Reply, Request
from benchmarks.detection.conforming_variants.variant import Variant
from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.registry import Registry
from server_defects.hooks import ChatCall, Refusal
from server_defects.mutators import Chunk, on_answer, on_chunks, with_fields
from server_defects.replies import empty_reply, json_reply, page_reply

PLAIN = ServerHooks()
YEAR = 365 * 24 * 3600


def bare(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with its required fields, and the session's id."""
    choices = [{"index": choice["index"], "message": choice["message"]} for choice in answer["choices"]]
    kept = {key: value for key, value in answer.items() if key not in ("id", "object")}
    return {**kept, "choices": choices}


def rich(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with the fields that inference servers add."""
    choices = [
        {
            **choice,
            "logprobs": None,
            "stop_reason": None,
            "message": {"refusal": None, "annotations": None, "tool_calls": [], **choice["message"]},
        }
        for choice in answer["choices"]
    ]
    usage = {**answer["usage"], "prompt_tokens_details": {"cached_tokens": 3}}
    extra = {
        "system_fingerprint": "fp_44709d6fcb",
        "service_tier": None,
        "prompt_logprobs": None,
        "kv_transfer_params": None,
    }
    return {**answer, "choices": choices, "usage": usage, **extra}


def session_on_create(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return the chunks with the session's id in the first one, if the request created it."""
    rest = [{key: value for key, value in chunk.items() if key != "session_id"} for chunk in chunks]
    return [{**rest[0], "session_id": call.session}, *rest[1:]] if call.created_session else rest


def answer_on_create(answer: dict[str, Any], call: ChatCall) -> dict[str, Any]:
    """Return the answer without a session's id, unless the request created the session."""
    if not call.created_session:
        answer.pop("session_id", None)
    return answer


def null_session(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer, or a chunk, with null for the session and the knowledge that it lacks."""
    return {"session_id": None, "index_context_info": None, **answer}


def last_year(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer, or a chunk, of a server whose clock is a year slow."""
    return {**answer, "created": answer["created"] - YEAR}


def dated_last_year(status: int, headers: Headers, request: Request) -> Headers:
    """Return the headers with the date of a clock that is a year slow."""
    date = time.gmtime(time.time() - YEAR)
    return {**headers, "date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", date)}


class LastYear(Registry):
    """Its clock is a year slow, also when an agent is created."""

    def made(self, id: str, sent: Mapping[str, Any], now: int) -> dict[str, Any]:  # noqa: D102
        return super().made(id, sent, now - YEAR)


def in_html(refusal: Refusal) -> Refusal | Reply:
    """Return refusals of 400 and 404 as a page."""
    if refusal.status not in (400, 404):
        return refusal
    return page_reply(f"<html><body><h1>{refusal.status}</h1><p>Sorry!</p></body></html>", refusal.status)


def in_german(refusal: Refusal) -> Refusal:
    """Return refusals in another language."""
    if refusal.kind == "shape":
        return replace(refusal, detail=[{**fault, "msg": "Ungültige Eingabe"} for fault in refusal.detail])
    return replace(refusal, detail="Das geht so nicht: Anfrage für diesen Agenten ungültig")


def in_silence(refusal: Refusal) -> Refusal | Reply:
    """Return refusals of 400 and 404 without a body."""
    return empty_reply(refusal.status) if refusal.status in (400, 404) else refusal


def as_openai(refusal: Refusal) -> Refusal | Reply:
    """Return refusals of 400 and 404 in the shape of OpenAI's errors."""
    if refusal.status not in (400, 404):
        return refusal
    error = {"message": refusal.detail, "type": "invalid_request_error", "param": None, "code": refusal.status}
    return json_reply({"error": error}, refusal.status)


def compact_ids(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer, or a chunk, whose id is a bare uuid."""
    return {**answer, "id": str(uuid.UUID(answer["id"].removeprefix("chatcmpl-")))}


VARIANTS = (
    Variant(
        "ids-bare-uuids",
        "Its answers' ids are bare uuids.",
        replace(PLAIN, answer=on_answer(compact_ids), chunks=on_chunks(compact_ids)),
    ),
    Variant(
        "session-id-on-create-alone",
        "Gives a session's id on creation alone, in a stream in the first chunk.",
        replace(PLAIN, answer=answer_on_create, chunks=session_on_create),
    ),
    Variant(
        "session-id-null",
        "Sends null without a session and without knowledge.",
        replace(PLAIN, answer=on_answer(null_session), chunks=on_chunks(null_session)),
    ),
    Variant(
        "answer-bare",
        "Leaves out what is optional in an answer, the reason why it ended included.",
        replace(PLAIN, answer=on_answer(bare)),
    ),
    Variant("answer-rich", "Adds the fields that inference servers add.", replace(PLAIN, answer=on_answer(rich))),
    Variant(
        "choices-as-they-come",
        "Lists its choices in the order in which they were ready.",
        replace(PLAIN, answer=lambda answer, call: {**answer, "choices": answer["choices"][::-1]}),
    ),
    Variant("id-null", "Gives its answers no id.", replace(PLAIN, answer=with_fields(id=None))),
    Variant(
        "clock-a-year-behind",
        "Its clock is a year slow, in `created` as in `Date`.",
        replace(
            PLAIN,
            dated=False,
            leave=dated_last_year,
            answer=on_answer(last_year),
            chunks=on_chunks(last_year),
            registry=LastYear,
        ),
    ),
    Variant("no-date", "Sends no `Date`.", replace(PLAIN, dated=False)),
    Variant("errors-in-html", "Sends its 400 and 404 as a page.", replace(PLAIN, refuse=in_html)),
    Variant("errors-in-german", "Words its refusals in another language.", replace(PLAIN, refuse=in_german)),
    Variant("errors-in-silence", "Sends its 400 and 404 without a body.", replace(PLAIN, refuse=in_silence)),
    Variant(
        "errors-as-openai", "Sends its 400 and 404 in the shape of OpenAI's errors.", replace(PLAIN, refuse=as_openai)
    ),
)
