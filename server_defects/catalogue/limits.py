"""The limits of the request's fields."""

from typing import Any

from server_defects.defect import planting
from server_defects.hooks import CHECKS, CheckedAgent, Payload, Refusal
from server_defects.mutators import answering, at_field

plant = planting("limits")
CRASHED = answering(500, {"detail": "Internal Server Error"})
BAD = answering(400, {"detail": "Bad Request"})


def refused_if(condition: Any, status: int = 400) -> Any:
    """Return the checks and one more, that refuses a payload."""

    def check(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
        if condition(payload):
            raise Refusal("bound", status, "Not supported by the model server")

    return (*CHECKS, check)


TEMPERATURE = (
    plant(
        "temperature-below-400",
        "temperature-below-minimum",
        "Refuses a negative temperature with 400.",
        refuse=at_field("temperature", "greater_than", BAD),
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
        "temperature-zero-crash",
        "temperature-accepted",
        "Divides by the temperature.",
        checks=refused_if(lambda payload: payload.get("temperature") == 0, 500),
    ),
)
NUMBERS = (
    plant("n-below-400", "n-below-minimum", "Refuses an `n` of 0 with 400.", refuse=at_field("n", "greater_than", BAD)),
    plant(
        "n-negative-crash",
        "n-below-minimum",
        "Crashes on an `n` below 1.",
        refuse=at_field("n", "greater_than", CRASHED),
    ),
    plant(
        "n-refused-at-all",
        "n-accepted",
        "Refuses every `n`.",
        checks=refused_if(lambda payload: "n" in payload),
    ),
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
    plant(
        "max-tokens-one-400",
        "max-tokens-accepted",
        "Its model server refuses a `max_tokens` of 1.",
        checks=refused_if(lambda payload: payload.get("max_tokens") == 1),
    ),
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
    plant(
        "seed-negative-crash",
        "seed-accepted",
        "Crashes on negative seeds.",
        checks=refused_if(lambda payload: (payload.get("seed") or 0) < 0, 500),
    ),
)
LISTS = (
    plant(
        "stop-empty-400",
        "stop-empty",
        "Refuses an empty list of stop sequences with 400.",
        refuse=at_field("stop", "too_short", BAD),
    ),
    plant(
        "stop-refused",
        "stop-accepted",
        "Its model server knows no stop sequences.",
        checks=refused_if(lambda payload: payload.get("stop")),
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
)
SESSION_IDS = (
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
)
DEFECTS = (*TEMPERATURE, *NUMBERS, *LISTS, *SESSION_IDS)
