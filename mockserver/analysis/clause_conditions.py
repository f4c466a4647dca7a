"""Which clauses apply to an exchange that was not refused, or to any refusal: a condition for each clause.

A clause on a certain refusal is not in the table: the mock names it when it refuses a request.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from mockserver.analysis.observation import DONE, Observation

_Condition: TypeAlias = Callable[[Observation], bool]
Conditions: TypeAlias = tuple[tuple[_Condition, tuple[str, ...]], ...]


def _answered(seen: Observation) -> bool:
    return seen.is_answered


def _plain(seen: Observation) -> bool:
    return seen.is_answered and not seen.is_stream


def _stream(seen: Observation) -> bool:
    return seen.is_answered and seen.is_stream


def _both(first: _Condition, second: _Condition) -> _Condition:
    return lambda seen: first(seen) and second(seen)


def _has(name: str, *values: Any) -> _Condition:
    """Return whether the request has a field, with one of these values if some are given."""

    def condition(seen: Observation) -> bool:
        value = seen.sent.get(name)
        return value is not None and (not values or any(_equal(value, one) for one in values))

    return condition


def _equal(value: Any, other: Any) -> bool:
    """Return whether two JSON values are equal: 1 equals 1.0, and true is not a number."""
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _lacks(name: str) -> _Condition:
    return lambda seen: seen.sent.get(name) is None


def _has_type(name: str, *types: type) -> _Condition:
    return lambda seen: isinstance(seen.sent.get(name), types)


def _creates(seen: Observation) -> bool:
    return seen.sent.get("create_session") is True and seen.sent.get("store_in_session") is None


def _in_session(seen: Observation) -> bool:
    return seen.sent.get("create_session") is True or seen.sent.get("store_in_session") is not None


def _role(name: str) -> _Condition:
    return lambda seen: any(message.get("role") == name for message in seen.messages)


def _calls_tools(seen: Observation) -> bool:
    return any(part.get("tool_calls") for part in seen.parts)


def _finishes(reason: str) -> _Condition:
    return lambda seen: any(choice.get("finish_reason") == reason for choice in seen.choices)


def _ends(seen: Observation) -> bool:
    return DONE in seen.replies


def _has_several(seen: Observation) -> bool:
    number = seen.sent.get("n")
    return isinstance(number, int) and number > 1


def _has_parts(seen: Observation) -> bool:
    return any(isinstance(message.get("content"), list) for message in seen.messages)


def _calls_without_content(seen: Observation) -> bool:
    return any(message.get("tool_calls") and message.get("content") is None for message in seen.messages)


def _has_unusual_text(seen: Observation) -> bool:
    contents = [message["content"] for message in seen.messages if isinstance(message.get("content"), str)]
    return any(map(_is_unusual, "".join(contents)))


def _is_unusual(character: str) -> bool:
    kind = unicodedata.category(character)
    is_control = kind == "Cc" and character not in "\t\n\r"
    return is_control or kind == "So" or unicodedata.bidirectional(character) in {"R", "AL", "RLE", "RLO", "RLI"}


def _chooses(kind: str) -> _Condition:
    return lambda seen: seen.sent.get("tool_choice") == kind


def _formats(kind: str) -> _Condition:
    def condition(seen: Observation) -> bool:
        value = seen.sent.get("response_format")
        return isinstance(value, dict) and value.get("type") == kind

    return condition


def _asks_usage(seen: Observation) -> bool:
    options = seen.sent.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _has_usage(seen: Observation) -> bool:
    return any(value.get("usage") for value in seen.objects)


def _status(*statuses: int) -> _Condition:
    return lambda seen: seen.status in statuses


def _is_null(seen: Observation) -> bool:
    return any(value is None for value in seen.sent.values())


def _replied(name: str) -> _Condition:
    return lambda seen: any(value.get(name) for value in seen.objects)


def _parameter(name: str, *values: str) -> _Condition:
    def condition(seen: Observation) -> bool:
        return any(key == name and (not values or value in values) for key, value in seen.query)

    return _both(_status(200), condition)


def _names(clause: str) -> _Condition:
    """Return whether the mock named a clause when it refused the request."""
    return lambda seen: clause in seen.clauses


def _bad_parameter(name: str, is_bad: Callable[[str], bool]) -> _Condition:
    """Return whether a parameter of the query was refused for this reason."""
    return _both(_status(422), lambda seen: any(key == name and is_bad(value) for key, value in seen.query))


def _above(most: int) -> Callable[[str], bool]:
    return lambda value: _is_integer(value) and int(value) > most


def _below(least: int) -> Callable[[str], bool]:
    return lambda value: _is_integer(value) and int(value) < least


def _is_integer(value: str) -> bool:
    return value.removeprefix("-").isdecimal() and len(value) < 100


def _fails_often(seen: Observation) -> bool:
    return any(isinstance(value.get("detail"), list) and len(value["detail"]) > 1 for value in seen.objects)


def _is_coerced(seen: Observation) -> bool:
    """Return whether a number is a string or a boolean and refused, or an integer that is written as 1.0."""
    numbers = [seen.sent.get(name) for name in _NUMBERS]
    if seen.status == 422:
        return any(isinstance(value, bool) or (isinstance(value, str) and _is_integer(value)) for value in numbers)
    integers = [seen.sent.get(name) for name in _NUMBERS if name != "temperature"]
    return seen.is_answered and any(isinstance(value, float) and value.is_integer() for value in integers)


_NUMBERS = ("n", "seed", "temperature", "max_tokens", "max_completion_tokens")


def _has_odd_metadata(seen: Observation) -> bool:
    metadata = seen.sent.get("metadata")
    return isinstance(metadata, dict) and any(not isinstance(value, str) for value in metadata.values())


_SUCCESS = _status(200, 201)
_LIST = _both(_status(200), lambda seen: any(value.get("object") == "list" for value in seen.objects))

#: A condition, and the clauses that apply to each exchange that fulfils it.
CONDITIONS: Conditions = (
    (
        _plain,
        (
            *("chat.stream-default", "chat.reply-content-type", "chat.reply-conforms", "chat.reply-id"),
            *("chat.reply-object", "chat.reply-created", "chat.reply-created-now", "chat.reply-model"),
            *("chat.reply-choices", "chat.choice-index", "chat.reply-message", "chat.reply-content"),
            *("chat.reply-finish-reason", "chat.reply-usage", "chat.reply-usage-counted", "chat.reply-usage-sum"),
            "model-chat.answer",
        ),
    ),
    (
        _stream,
        (
            *("chat.stream-content-type", "chat.stream-framing", "chat.stream-incremental", "chat.stream-chunk"),
            *("chat.stream-constant", "chat.stream-object", "chat.stream-index", "chat.stream-role"),
        ),
    ),
    (
        _both(_stream, _ends),
        ("chat.stream-done", "chat.stream-finish", "chat.stream-after-finish", "model-chat.stream"),
    ),
    (_both(_stream, _in_session), ("chat.session-streamed", "chat.stream-session-id")),
    (_both(_stream, _calls_tools), ("chat.stream-tool-calls",)),
    (_both(_stream, _both(_asks_usage, _has_usage)), ("chat.stream-usage", "chat.stream-usage-sum")),
    (_both(_stream, lambda seen: not _asks_usage(seen)), ("chat.stream-usage-unasked",)),
    (_both(_answered, _creates), ("chat.session-created", "chat.session-fresh")),
    (
        _both(_answered, _has("store_in_session")),
        ("chat.session-used", "chat.session-extended", "chat.session-id-echoed", "chat.session-first-turn"),
    ),
    (
        _both(_answered, _both(_has("create_session", True), _has("store_in_session"))),
        ("chat.session-create-and-store",),
    ),
    (_both(_answered, lambda seen: not _in_session(seen)), ("chat.session-id-absent",)),
    (_both(_plain, _replied("session_id")), ("chat.reply-session-id",)),
    (
        _both(_answered, _both(_in_session, lambda seen: _calls_tools(seen) or _role("tool")(seen))),
        ("chat.session-tool-turns",),
    ),
    (
        _both(_answered, _both(_in_session, _has_several)),
        ("chat.session-stores-first-choice",),
    ),
    (_both(_answered, _has_type("seed", int)), ("chat.seed-accepted",)),
    (_both(_answered, _has("temperature", 0, 2)), ("chat.temperature-accepted",)),
    (_both(_answered, _has("n", 1)), ("chat.n-accepted",)),
    (_both(_answered, _lacks("n")), ("chat.n-default",)),
    (_both(_answered, _has("n")), ("chat.n-choices",)),
    (_both(_answered, lambda seen: len(_listed(seen, "stop")) == 1), ("chat.stop-accepted",)),
    (_both(_answered, _has("stop")), ("chat.stop-content",)),
    (_both(_answered, _has("max_tokens", 1)), ("chat.max-tokens-accepted",)),
    (_both(_answered, _has("max_tokens")), ("chat.max-tokens-bound",)),
    (_both(_answered, _both(_has("max_tokens"), _finishes("length"))), ("chat.max-tokens-finish",)),
    (_both(_answered, _has("max_completion_tokens")), ("chat.max-completion-tokens-bound",)),
    (_both(_answered, lambda seen: bool(seen.sent.get("model"))), ("chat.model-own", "chat.reply-model-echoed")),
    (_both(_answered, _has("model", "")), ("chat.model-empty",)),
    (_both(_answered, _lacks("model")), ("chat.model-unset",)),
    (_both(_answered, lambda seen: len(_listed(seen, "messages")) == 1), ("chat.messages-one",)),
    (_both(_answered, _role("user")), ("chat.role-user",)),
    (_both(_answered, _role("assistant")), ("chat.role-assistant",)),
    (_both(_answered, _has_parts), ("chat.content-parts",)),
    (_both(_answered, _calls_without_content), ("chat.message-tool-calls",)),
    (_both(_answered, _has_unusual_text), ("chat.text-unusual",)),
    (_both(_answered, _is_null), ("chat.null-optional",)),
    (_both(_answered, lambda seen: seen.sent.get("tools") == []), ("chat.tools-empty",)),
    (_both(_answered, _role("tool")), ("chat.tools-answered",)),
    (_both(_answered, _has_type("tool_choice", dict)), ("chat.tool-choice-named",)),
    (_both(_answered, _chooses("none")), ("chat.tool-choice-none",)),
    (_both(_answered, _chooses("required")), ("chat.tool-choice-required",)),
    (_both(_answered, _calls_tools), ("chat.tool-call", "chat.tool-arguments", "chat.tool-choice-finish")),
    (_both(_answered, _formats("json_object")), ("chat.response-format-json",)),
    (_both(_answered, _formats("json_schema")), ("chat.response-format-schema",)),
    (_both(_answered, _replied("index_context_info")), ("chat.reply-context",)),
    (_both(_answered, lambda seen: seen.operation == "createAgentChatCompletion"), ("agents.chat-twin",)),
    (_both(_has("stream", True), lambda seen: seen.status >= 400), ("chat.stream-refused",)),
    (_status(400, 404), ("chat.error-detail",)),
    (_status(401), ("chat.token-challenge", "chat.token-status")),
    (_names("chat.session-unknown-status"), ("chat.session-unknown",)),
    (_both(_status(400), _has("store_in_session")), ("chat.session-refused-turn",)),
    (_both(_status(422), _fails_often), ("chat.validation-all",)),
    (
        _both(_status(422), lambda seen: "true" in (seen.sent.get("stream"), seen.sent.get("create_session"))),
        ("chat.boolean-strict",),
    ),
    (_is_coerced, ("chat.coercion",)),
    (_bad_parameter("limit", _below(1)), ("agents.limit-below-minimum",)),
    (_bad_parameter("limit", _above(999)), ("agents.limit-above-maximum",)),
    (_bad_parameter("limit", lambda value: not _is_integer(value)), ("agents.limit-type",)),
    (_bad_parameter("offset", _below(0)), ("agents.offset-below-minimum",)),
    (_bad_parameter("offset", _above(4294967296)), ("agents.offset-above-maximum",)),
    (_bad_parameter("order", lambda value: value not in ("asc", "desc")), ("agents.order-unknown",)),
    (_both(_status(422), _has_odd_metadata), ("agents.metadata-values",)),
    (_status(422), ("agents.update-invalid",)),
    (_status(405), ("chat.method-refused", "chat.method-allow")),
    (_status(422), ("chat.validation-error", "chat.validation-location")),
    (_both(_status(200), _replied("choices")), ("completions.answer", "completions.object")),
    (_both(_status(200), _both(_has("stream", True), _ends)), ("completions.stream",)),
    (
        _both(_status(200), _both(_has("create_session", True), _replied("session_id"))),
        ("completions.session-created",),
    ),
    (_both(_status(200), _has("max_tokens")), ("completions.max-tokens",)),
    (_LIST, ("agents.list", "agents.list-object", "agents.has-more", "agents.list-ends", "agents.twins")),
    (_LIST, ("models.list", "models.list-object", "models.type", "models.engine", "models.agents-own")),
    *((_parameter(name), (f"agents.{name}",)) for name in ("after", "before", "limit", "offset")),
    (_parameter("limit", "1", "999"), ("agents.limit-accepted",)),
    (_parameter("order", "desc"), ("agents.order",)),
    (_parameter("set_num_objects", "true"), ("agents.num-objects",)),
    (_parameter("name"), ("agents.filter-name",)),
    (_parameter("index_id"), ("agents.filter-index",)),
    (_parameter("knowledge_base_id"), ("agents.filter-knowledge-base",)),
    (
        _SUCCESS,
        (
            *("agents.conforms", "agents.object", "agents.create", "agents.created-fields", "agents.id-fresh"),
            *("agents.created-at", "agents.get", "agents.update", "agents.delete"),
        ),
    ),
    (_status(201), ("agents.create-status",)),
    (_both(_SUCCESS, _is_null), ("agents.update-null",)),
    (_both(_SUCCESS, _has("tools")), ("agents.tool-links",)),
    (_both(_status(200), _has("input")), ("embeddings.answer",)),
    (_both(_status(200), _has("encoding_format", "base64")), ("embeddings.base64",)),
    (_both(_status(200), _has("dimensions")), ("embeddings.dimensions",)),
)


def _listed(seen: Observation, name: str) -> list[Any]:
    value = seen.sent.get(name)
    return value if isinstance(value, list) else []


#: Clauses on refusals that one exchange can't show: they depend on what was deleted, or on the bytes of the body.
NOT_COUNTED = frozenset(
    {
        *("agents.deleted-chat", "agents.deleted-gone", "chat.body-unrepresentable", "chat.check-order"),
        *("chat.session-other-agent", "chat.session-expired"),
    }
)
#: The clauses that have a condition.
CONDITIONAL = frozenset(clause for _, clauses in CONDITIONS for clause in clauses)


def applying(seen: Observation, conditions: Conditions) -> Iterator[str]:
    """Yield the clauses of `conditions` that apply to an exchange."""
    for condition, clauses in conditions:
        if condition(seen):
            yield from clauses
