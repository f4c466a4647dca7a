"""Mutants: how a body is read, and in how its faults are worded."""

from typing import Any

from pydantic import Field

from benchmarks.detection.field_mutators import typed
from benchmarks.detection.mutants.mutant import planting
from benchmarks.detection.reference_server import StreamOptions

plant = planting("bodies")


def whatever_type(app: Any) -> Any:
    """Return an application that takes every body as JSON."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        kept = [header for header in scope.get("headers", []) if header[0] != b"content-type"]
        await app({**scope, "headers": [*kept, (b"content-type", b"application/json")]}, receive, send)

    return wrapped


READING = (
    plant("plain-text-accepted", "body-content-type", "Reads JSON whatever its content type.", wrap=whatever_type),
)
TYPES = (
    plant("seed-anything", "field-types", "Takes anything for a seed.", fields=typed(seed=(Any, None))),
    plant(
        "stream-anything",
        "field-types",
        "Takes anything for `stream` that Python takes for true.",
        fields=typed(stream=(Any, None)),
    ),
    plant(
        "create-session-anything",
        "field-types",
        "Takes anything for `create_session`.",
        fields=typed(create_session=(Any, None)),
    ),
    plant(
        "stop-of-numbers",
        "field-types",
        "Takes numbers and objects for stop sequences.",
        fields=typed(stop=(list[Any] | None, Field(None, min_length=1))),
    ),
    plant(
        "stream-options-anything",
        "stream-options-type",
        "Ignores stream options of a wrong type.",
        fields=typed(stream_options=(StreamOptions | str | int | list[Any] | bool | None, None)),
    ),
)


MUTANTS = (*READING, *TYPES)
