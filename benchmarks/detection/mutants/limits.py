"""Mutants: the limits of the request's fields."""

import uuid
from typing import Annotated, Any

from pydantic import Field, StrictFloat

from benchmarks.detection.hooks import Payload, Refusal, ServerHooks, recall
from benchmarks.detection.mutants.mutant import planting
from benchmarks.detection.mutators import answering, at_field, typed
from benchmarks.detection.reference_server import ChatMessage, WholeNumber

plant = planting("limits")
CRASHED = answering(500, {"detail": "Internal Server Error"})
BAD = answering(400, {"detail": "Bad Request"})


def temperature(**bounds: Any) -> Any:
    """Return an edit that gives the temperature other bounds."""
    return typed(temperature=(StrictFloat | None, Field(0, **bounds)))


def n(**bounds: Any) -> Any:
    """Return an edit that gives `n` other bounds."""
    return typed(n=(Annotated[WholeNumber, Field(**bounds)] | None, 1))


def max_tokens(**bounds: Any) -> Any:
    """Return an edit that gives `max_tokens` other bounds."""
    return typed(max_tokens=(Annotated[WholeNumber, Field(**bounds)] | None, None))


def seed(**bounds: Any) -> Any:
    """Return an edit that gives the seed bounds."""
    return typed(seed=(Annotated[WholeNumber, Field(**bounds)] | None, None))


def stop(**bounds: Any) -> Any:
    """Return an edit that gives `stop` other bounds."""
    return typed(stop=(list[str] | None, Field(None, **bounds)))


def messages(**bounds: Any) -> Any:
    """Return an edit that gives `messages` other bounds."""
    return typed(messages=(list[ChatMessage], Field(**bounds)))


def refused_if(condition: Any, status: int = 400) -> Any:
    """Return the checks and one more, that refuses a payload."""

    def check(hooks: ServerHooks, agent_id: str, payload: Payload) -> None:
        if condition(payload):
            raise Refusal("bound", status, "Not supported by the model server")

    return (*ServerHooks().checks, check)


def is_uuid(text: str | None) -> bool:
    """Whether a string is a uuid."""
    try:
        return text is not None and bool(uuid.UUID(text))
    except ValueError:
        return False


TEMPERATURE = (
    plant(
        "temperature-negative", "temperature-below-minimum", "Takes negative temperatures.", fields=temperature(le=2)
    ),
    plant(
        "temperature-above-minus-one",
        "temperature-below-minimum",
        "Takes temperatures down to -1.",
        fields=temperature(ge=-1, le=2),
    ),
    plant(
        "temperature-below-400",
        "temperature-below-minimum",
        "Refuses a negative temperature with 400.",
        refuse=at_field("temperature", "greater_than", BAD),
    ),
    plant(
        "temperature-unbounded", "temperature-above-maximum", "Takes any high temperature.", fields=temperature(ge=0)
    ),
    plant(
        "temperature-to-two-and-a-half",
        "temperature-above-maximum",
        "Takes temperatures up to 2.5.",
        fields=temperature(ge=0, le=2.5),
    ),
    plant(
        "temperature-rounded",
        "temperature-above-maximum",
        "Rounds a temperature before it looks at the bound.",
        fields=temperature(ge=0, le=2.04),
    ),
    plant(
        "temperature-above-crash",
        "temperature-above-maximum",
        "Crashes on a temperature above 2.",
        refuse=at_field("temperature", "less_than", CRASHED),
    ),
    plant(
        "temperature-above-400",
        "temperature-above-maximum",
        "Refuses a temperature above 2 with 400.",
        refuse=at_field("temperature", "less_than", BAD),
    ),
    plant(
        "temperature-zero-refused", "temperature-accepted", "Refuses the temperature 0.", fields=temperature(gt=0, le=2)
    ),
    plant(
        "temperature-two-refused", "temperature-accepted", "Refuses the temperature 2.", fields=temperature(ge=0, lt=2)
    ),
    plant(
        "temperature-above-one-refused",
        "temperature-accepted",
        "Refuses temperatures above 1.",
        fields=temperature(ge=0, le=1),
    ),
    plant(
        "temperature-zero-crash",
        "temperature-accepted",
        "Divides by the temperature.",
        checks=refused_if(lambda payload: payload.get("temperature") == 0, 500),
    ),
)
NUMBERS = (
    plant("n-unbounded-below", "n-below-minimum", "Takes any small `n`.", fields=n()),
    plant("n-zero-accepted", "n-below-minimum", "Takes an `n` of 0.", fields=n(ge=0)),
    plant("n-below-400", "n-below-minimum", "Refuses an `n` of 0 with 400.", refuse=at_field("n", "greater_than", BAD)),
    plant(
        "n-negative-crash",
        "n-below-minimum",
        "Crashes on an `n` below 1.",
        refuse=at_field("n", "greater_than", CRASHED),
    ),
    plant("n-one-refused", "n-accepted", "Refuses an `n` of 1.", fields=n(gt=1)),
    plant(
        "n-refused-at-all",
        "n-accepted",
        "Refuses every `n`.",
        checks=refused_if(lambda payload: "n" in payload),
    ),
    plant(
        "max-tokens-zero-accepted",
        "max-tokens-below-minimum",
        "Takes a `max_tokens` of 0 for none.",
        fields=max_tokens(ge=0),
    ),
    plant("max-tokens-negative", "max-tokens-below-minimum", "Takes any small `max_tokens`.", fields=max_tokens()),
    plant(
        "max-tokens-below-400",
        "max-tokens-below-minimum",
        "Refuses a `max_tokens` of 0 with 400.",
        refuse=at_field("max_tokens", "greater_than", BAD),
    ),
    plant(
        "max-tokens-below-crash",
        "max-tokens-below-minimum",
        "Crashes on a `max_tokens` of 0.",
        refuse=at_field("max_tokens", "greater_than", CRASHED),
    ),
    plant("max-tokens-one-refused", "max-tokens-accepted", "Refuses a `max_tokens` of 1.", fields=max_tokens(gt=1)),
    plant(
        "max-tokens-one-400",
        "max-tokens-accepted",
        "Its model server refuses a `max_tokens` of 1.",
        checks=refused_if(lambda payload: payload.get("max_tokens") == 1),
    ),
    plant("seed-negative-refused", "seed-accepted", "Refuses negative seeds.", fields=seed(ge=0)),
    plant(
        "seed-zero-refused",
        "seed-accepted",
        "Refuses a seed of 0.",
        checks=refused_if(lambda payload: payload.get("seed") == 0),
    ),
    plant(
        "seed-zero-crash",
        "seed-accepted",
        "Crashes on a seed of 0.",
        checks=refused_if(lambda payload: payload.get("seed") == 0, 500),
    ),
    plant("seed-of-16-bits", "seed-accepted", "Refuses seeds over 16 bits.", fields=seed(ge=-32768, le=32767)),
    plant(
        "seed-negative-crash",
        "seed-accepted",
        "Crashes on negative seeds.",
        checks=refused_if(lambda payload: (payload.get("seed") or 0) < 0, 500),
    ),
)
LISTS = (
    plant("stop-empty-accepted", "stop-empty", "Takes an empty list of stop sequences.", fields=stop()),
    plant(
        "stop-empty-400",
        "stop-empty",
        "Refuses an empty list of stop sequences with 400.",
        refuse=at_field("stop", "too_short", BAD),
    ),
    plant("stop-one-refused", "stop-accepted", "Refuses a list of one stop sequence.", fields=stop(min_length=2)),
    plant(
        "stop-as-text-alone",
        "stop-accepted",
        "Takes a string for `stop` but no list.",
        fields=typed(stop=(str | None, None)),
    ),
    plant(
        "stop-refused",
        "stop-accepted",
        "Its model server knows no stop sequences.",
        checks=refused_if(lambda payload: payload.get("stop")),
    ),
    plant(
        "messages-optional",
        "messages-required",
        "Answers a body without messages.",
        fields=typed(messages=(list[ChatMessage], Field([], validate_default=False))),
    ),
    plant(
        "messages-missing-400",
        "messages-required",
        "Refuses a body without messages with 400.",
        refuse=at_field("messages", "missing", BAD),
    ),
    plant(
        "messages-missing-crash",
        "messages-required",
        "Crashes on a body without messages.",
        refuse=at_field("messages", "missing", CRASHED),
    ),
    plant("messages-empty-accepted", "messages-empty", "Answers an empty list of messages.", fields=messages()),
    plant(
        "messages-empty-crash",
        "messages-empty",
        "Crashes on an empty list of messages.",
        refuse=at_field("messages", "too_short", CRASHED),
    ),
    plant(
        "messages-empty-400",
        "messages-empty",
        "Refuses an empty list of messages with 400.",
        refuse=at_field("messages", "too_short", BAD),
    ),
    plant("messages-one-refused", "messages-one", "Refuses a list of one message.", fields=messages(min_length=2)),
)
SESSION_IDS = (
    plant(
        "session-id-any-text",
        "session-id-format",
        "Looks for a session whatever its id looks like: 404.",
        fields=typed(store_in_session=(str | None, None)),
    ),
    plant(
        "session-id-400",
        "session-id-format",
        "Refuses a session id that is not a uuid with 400.",
        refuse=at_field("store_in_session", "uuid_parsing", BAD),
    ),
    plant(
        "session-id-crash",
        "session-id-format",
        "Crashes on a session id that is not a uuid.",
        refuse=at_field("store_in_session", "uuid_parsing", CRASHED),
    ),
    plant(
        "session-id-ignored",
        "session-id-format",
        "Ignores a session id that is not a uuid.",
        fields=typed(store_in_session=(uuid.UUID | str | None, None)),
        recall=lambda memory, session, payload: recall(memory, session, payload) if is_uuid(session) else [],
    ),
)
MUTANTS = (*TEMPERATURE, *NUMBERS, *LISTS, *SESSION_IDS)
