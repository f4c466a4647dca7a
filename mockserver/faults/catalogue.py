"""The catalogue of faults: what each does, when it applies, and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

from agent_contract.messages import Reply
from mockserver.faults import error_replies, stateful, wire
from mockserver.faults.stateful import Decide, Sent, Settle


class AnsweredBy(Enum):
    """What answers the requests that faults concern."""

    MOCK = "mock"
    REPLAY = "replay"
    PROXY = "proxy"


class FaultParameter(NamedTuple):
    """A parameter of a fault: its type, its default and its meaning."""

    type: type
    default: Any
    meaning: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: `instead` returns a reply instead of the operation's, and `wire` changes the reply.

    `request` changes the body of a request. `decide` decides by the earlier requests, and `settle` counts the reply;
    both get the time in seconds since 1970 and return the next state. `times` is how often it happens by default, None
    for always; with a `ttl` it is always.
    """

    name: str
    does: str
    instead: Callable[[Mapping[str, Any]], Reply] | None = None
    wire: Callable[[Reply, Mapping[str, Any], bytes], Reply] | None = None
    request: Callable[[Any], Any] | None = None
    decide: Decide | None = None
    settle: Settle | None = None
    applies: Callable[[Sent], bool] = lambda _: True
    parameters: Mapping[str, FaultParameter] = field(default_factory=dict)
    times: int | None = None

    def works_with(self, answerer: AnsweredBy) -> bool:
        """Return whether it works in what answers: a replay has no answer to a request that a fault has changed."""
        return answerer is not AnsweredBy.REPLAY or self.request is None

    @property
    def can_answer(self) -> bool:
        """Whether it can be the fault of one answer of a rule."""
        return not (self.request or self.decide)


_RETRY = {
    "retry_after": FaultParameter(str, None, "`Retry-After`, as it is sent"),
    "retry_after_date": FaultParameter(float, None, "`Retry-After` as a date, this many seconds from now"),
    "retry_after_ms": FaultParameter(int, None, "`retry-after-ms`: milliseconds"),
    "should_retry": FaultParameter(bool, None, "`x-should-retry`"),
    "detail": FaultParameter(str, None, "the `detail` of the body"),
}
_RATE = {
    f"{part}_{of}": FaultParameter(str, None, f"`x-ratelimit-{part}-{of}`")
    for of in ("requests", "tokens")
    for part in ("limit", "remaining", "reset")
}
_AFTER = {"after": FaultParameter(int, 2, "events of a stream that are sent first; of another body half is sent")}
#: Bytes of a prompt that was seen to get an empty answer.
_LARGE = 76_000
_STATUSES: Mapping[int, str] = {
    401: "Invalid token.",
    403: "This token may not use the agent.",
    404: "No agent found with the specified ID.",
    408: "The request took too long.",
    409: "The agent is in use.",
    429: "Too many requests.",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "The service is not ready.",
}


def _is_stream(sent: Sent) -> bool:
    return sent.reply is not None and not isinstance(sent.reply.body, bytes)


def _is_json(sent: Sent) -> bool:
    reply = sent.reply
    return reply is not None and isinstance(reply.body, bytes) and bool(reply.body)


def _has_choices(sent: Sent) -> bool:
    return _is_stream(sent) or (_is_json(sent) and b'"choices"' in sent.reply.body)  # type: ignore[union-attr]


def _has_calls(sent: Sent) -> bool:
    return sent.reply is not None and b'"tool_calls":[' in sent.reply.content()


def _uses_session(sent: Sent) -> bool:
    return isinstance(sent.body, dict) and bool(sent.body.get("store_in_session"))


def _is_large(sent: Sent) -> bool:
    return sent.size >= _LARGE


def _deletes(sent: Sent) -> bool:
    return sent.operation.startswith("delete")


def _completes(sent: Sent) -> bool:
    return sent.operation.endswith("Completion")


def _creates_with_index(sent: Sent) -> bool:
    body = sent.body if isinstance(sent.body, dict) else {}
    unusual = body.get("tools") == [] or body.get("session_max_length") == 10_000
    return sent.operation in ("createAgent", "createAssistant") and bool(body.get("index_id")) and unusual


def _status(status: int, why: str) -> Kind:
    parameters = {**_RETRY, **_RATE} if status == 429 else _RETRY
    does = f"answers {status} {HTTPStatus(status).phrase}"
    return Kind(f"status-{status}", does, partial(error_replies.status_reply, status, why), parameters=parameters)


_ALL = (
    *(_status(status, why) for status, why in _STATUSES.items()),
    Kind(
        "gateway-html",
        "answers the HTML page of a gateway",
        error_replies.gateway_page,
        parameters={"status": FaultParameter(int, 502, "the status")},
    ),
    Kind(
        "session-forgotten",
        "answers 404 to a request that names a session",
        error_replies.session_forgotten,
        applies=_uses_session,
    ),
    Kind(
        "session-ignored",
        "answers a request that names a session as if it named none",
        request=lambda body: {name: value for name, value in body.items() if name != "store_in_session"},
        applies=_uses_session,
    ),
    Kind(
        "token-expired",
        "answers 401 once a token was used often or long enough; another token is accepted",
        decide=stateful.expire_token,
        parameters={
            "requests": FaultParameter(int, None, "requests for which a token is good; without `seconds` it is 1"),
            "seconds": FaultParameter(float, None, "seconds for which a token is good, from its first request"),
        },
    ),
    Kind(
        "quota",
        "answers 429 once the requests or the tokens of a window of time are used up, and counts in `x-ratelimit-*`",
        decide=stateful.count_request,
        settle=stateful.count_tokens_of_reply,
        parameters={
            "requests": FaultParameter(int, None, "requests of a window; without `tokens` it is 10"),
            "tokens": FaultParameter(int, None, "tokens of a window"),
            "window": FaultParameter(float, 60.0, "seconds of a window, which begins with its first request"),
        },
    ),
    Kind(
        "queue",
        "delays replies more, the more requests wait, and answers 503 if the queue is full",
        decide=stateful.join_queue,
        parameters={
            "seconds": FaultParameter(float, 1.0, "what each request takes"),
            "slots": FaultParameter(int, 1, "requests that are answered at the same time"),
            "length": FaultParameter(int, 10, "requests that can wait"),
        },
    ),
    Kind(
        "cold-start-502",
        "answers 502 AGENT_COMPLETION_FAILED to the first chats",
        error_replies.cold_start,
        applies=_completes,
        times=3,
    ),
    Kind(
        "cold-start-empty",
        "answers the first chats with 200 and empty content",
        wire=wire.empty_content,
        applies=_has_choices,
        times=3,
    ),
    Kind(
        "gpt-oss-502",
        "answers 502 AGENT_COMPLETION_FAILED to every chat",
        error_replies.cold_start,
        applies=_completes,
    ),
    Kind(
        "agent-creation-500",
        "answers 500 to the creation of an agent with `index_id` and `tools: []`, or `session_max_length: 10000`",
        error_replies.agent_creation_failed,
        applies=_creates_with_index,
    ),
    Kind(
        "deletion-409",
        "answers 409 to a DELETE, as if something were still linked",
        error_replies.still_linked,
        applies=_deletes,
    ),
    Kind(
        "large-prompt-empty",
        "answers 200 with empty content to a prompt of 76 KB or more",
        wire=wire.empty_content,
        applies=lambda sent: _has_choices(sent) and _is_large(sent),
    ),
    Kind(
        "latency",
        "delays the reply",
        wire=wire.latency,
        parameters={
            "seconds": FaultParameter(float, 1.0, "the delay"),
            "jitter": FaultParameter(float, 0.0, "maximum random variation of the delay, in seconds"),
            "deviation": FaultParameter(float, 0.0, "standard deviation of a normal distribution, in seconds"),
        },
    ),
    Kind(
        "slow-drip",
        "pauses before each event, or before each tenth of another body",
        wire=wire.slow_drip,
        parameters={"seconds": FaultParameter(float, 0.1, "each pause")},
    ),
    Kind(
        "connection-refused",
        "refuses the connection; over a socket, which is open already, it resets it",
        error_replies.refused,
        wire.refused,
    ),
    Kind("reset-before-headers", "resets the connection instead of a reply", wire=wire.reset_before_headers),
    Kind("reset-midway", "resets the connection in the reply", wire=wire.reset_midway, parameters=_AFTER),
    Kind("cut", "closes the connection in a stream", wire=wire.cut, applies=_is_stream, parameters=_AFTER),
    Kind(
        "stall",
        "stops sending, and leaves the connection open",
        wire=wire.stall,
        parameters={**_AFTER, "seconds": FaultParameter(float, 60.0, "after them the connection is closed")},
    ),
    Kind("truncated-body", "sends half of the body, with the length of the whole", wire=wire.truncated_body),
    Kind("malformed-json", "sends half of the JSON text as the whole", wire=wire.malformed_json, applies=_is_json),
    Kind("broken-gzip", "calls the body gzip, which it is not", wire=wire.broken_gzip),
    Kind(
        "wrong-content-type",
        "sends another content type",
        wire=wire.wrong_content_type,
        parameters={"content_type": FaultParameter(str, "text/plain", "the content type")},
    ),
    Kind(
        "malformed-sse",
        "sends an event whose data is not JSON",
        wire=wire.malformed_sse,
        applies=_is_stream,
        parameters=_AFTER,
    ),
    Kind(
        "error-event",
        "reports an error in a stream, after 200, and ends it",
        wire=wire.error_event,
        applies=_is_stream,
        parameters={
            **_AFTER,
            "message": FaultParameter(str, "The model server has failed.", "the message of the error"),
            "code": FaultParameter(str, "internal_error", "the code of the error"),
        },
    ),
    Kind("no-done", "ends a stream without `[DONE]`", wire=wire.without_done, applies=_is_stream),
    Kind("comments", "sends a comment before each event", wire=wire.with_comments, applies=_is_stream),
    Kind("crlf", "ends the lines of a stream with CRLF", wire=wire.with_crlf, applies=_is_stream),
    Kind(
        "in-pieces",
        "divides events, lines and characters between pieces of the body",
        wire=wire.in_pieces,
        parameters={
            "size": FaultParameter(int, 7, "bytes of a piece"),
            "seconds": FaultParameter(float, 0.0, "a pause before each piece"),
        },
    ),
    Kind(
        "usage-without-choices",
        "sends a chunk of usage with empty `choices`",
        wire=wire.usage_without_choices,
        applies=_is_stream,
    ),
    Kind("null-content", "sends content that is null", wire=wire.null_content, applies=_has_choices),
    Kind(
        "tool-calls-without-index",
        "leaves `index` out of the tool calls of a stream",
        wire=wire.calls_without_index,
        applies=lambda sent: _is_stream(sent) and _has_calls(sent),
    ),
    Kind(
        "tool-calls-id-once",
        "sends the id and the name of a tool call in its first chunk only, as the mock does without a fault",
        wire=wire.calls_with_id_once,
        applies=lambda sent: _is_stream(sent) and _has_calls(sent),
    ),
    Kind(
        "tool-calls-repeat-id",
        "sends the id and the name of a tool call in each of its chunks",
        wire=wire.calls_with_id_repeated,
        applies=lambda sent: _is_stream(sent) and _has_calls(sent),
    ),
    Kind(
        "tool-calls-not-json",
        "sends tool calls with arguments like a Python dict, which is not JSON",
        wire=wire.calls_not_json,
        applies=lambda sent: _has_calls(sent) and b'\\"' in sent.reply.content(),  # type: ignore[union-attr]
    ),
    Kind("tool-calls-cut", "sends tool calls with incomplete arguments", wire=wire.calls_cut, applies=_has_calls),
)

#: Every fault by its name.
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
