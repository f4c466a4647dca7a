"""Refusals in the form that the document gives them."""

from __future__ import annotations

import orjson

from agent_contract import Operation, SampleError
from agent_contract.messages import JSON, Reply
from agent_contract.validation.check import is_json
from mockserver.core.outcome import Rejection
from mockserver.documented.answers import DocumentedAnswers, header_text
from mockserver.documented.preferences import NONE, WARNING_HEADER

#: Properties that usually hold the reason, the most usual first.
_REASONS = ("message", "detail", "error_description", "error_message", "title", "description", "reason", "msg", "error")


def documented_refusal(answers: DocumentedAnswers, operation: Operation, reply: Reply, why: str) -> Reply:
    """Return a refusal with a body as the document describes it for its status; the reply itself if it does not.

    The reason is in the body if a property for it is found, and in the header X-Mock-Warning.
    """
    response = operation.response(reply.status)
    media = next((one for name, one in response.content.items() if is_json(name)), None) if response else None
    if media is None or media.validator is None or media.schema is None:
        return reply
    if media.validator.is_valid(orjson.loads(reply.content())):
        return reply
    try:
        value = answers.value(media, NONE)
    except (SampleError, Rejection):
        return reply
    for name in _REASONS:
        explained = _with_reason(value, name, why)
        if explained is not None and media.validator.is_valid(explained):
            value = explained
            break
    headers = {**reply.headers, "content-type": media.name, WARNING_HEADER: header_text(why)}
    return Reply(reply.status, headers, orjson.dumps(value))


def _with_reason(value: JSON, name: str, why: str) -> JSON:
    """Return a value with the reason in a property of it or of the object or first item inside; None without it."""
    if isinstance(value, list):
        first = _with_reason(value[0], name, why) if value else None
        return None if first is None else [first, *value[1:]]
    if not isinstance(value, dict):
        return None
    if isinstance(value.get(name), str):
        return {**value, name: why}
    for key, one in value.items():
        inner = _with_reason(one, name, why) if isinstance(one, (dict, list)) else None
        if inner is not None:
            return {**value, key: inner}
    return None
