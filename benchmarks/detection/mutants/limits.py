"""Mutants: the limits of the request's fields."""

import uuid
from typing import Annotated, Any

from pydantic import Field, StrictFloat

from benchmarks.detection.field_mutators import typed
from benchmarks.detection.mutants.mutant import planting
from benchmarks.detection.reference_server import ChatMessage, WholeNumber
from server_defects.hooks import recall

plant = planting("limits")


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
)
NUMBERS = (
    plant("n-unbounded-below", "n-below-minimum", "Takes any small `n`.", fields=n()),
    plant("n-zero-accepted", "n-below-minimum", "Takes an `n` of 0.", fields=n(ge=0)),
    plant("n-one-refused", "n-accepted", "Refuses an `n` of 1.", fields=n(gt=1)),
    plant(
        "max-tokens-zero-accepted",
        "max-tokens-below-minimum",
        "Takes a `max_tokens` of 0 for none.",
        fields=max_tokens(ge=0),
    ),
    plant("max-tokens-negative", "max-tokens-below-minimum", "Takes any small `max_tokens`.", fields=max_tokens()),
    plant("max-tokens-one-refused", "max-tokens-accepted", "Refuses a `max_tokens` of 1.", fields=max_tokens(gt=1)),
    plant("seed-negative-refused", "seed-accepted", "Refuses negative seeds.", fields=seed(ge=0)),
    plant("seed-of-16-bits", "seed-accepted", "Refuses seeds over 16 bits.", fields=seed(ge=-32768, le=32767)),
)
LISTS = (
    plant("stop-empty-accepted", "stop-empty", "Takes an empty list of stop sequences.", fields=stop()),
    plant("stop-one-refused", "stop-accepted", "Refuses a list of one stop sequence.", fields=stop(min_length=2)),
    plant(
        "stop-as-text-alone",
        "stop-accepted",
        "Takes a string for `stop` but no list.",
        fields=typed(stop=(str | None, None)),
    ),
    plant(
        "messages-optional",
        "messages-required",
        "Answers a body without messages.",
        fields=typed(messages=(list[ChatMessage], Field([], validate_default=False))),
    ),
    plant("messages-empty-accepted", "messages-empty", "Answers an empty list of messages.", fields=messages()),
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
        "session-id-ignored",
        "session-id-format",
        "Ignores a session id that is not a uuid.",
        fields=typed(store_in_session=(uuid.UUID | str | None, None)),
        recall=lambda memory, session, payload: recall(memory, session, payload) if is_uuid(session) else [],
    ),
)
MUTANTS = (*TEMPERATURE, *NUMBERS, *LISTS, *SESSION_IDS)
