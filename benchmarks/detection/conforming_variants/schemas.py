"""What deployments take and refuse whose schemas are those of MLflow's gateway."""

import uuid
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from benchmarks.detection.conforming_variants.variant import SESSIONS, Variant
from benchmarks.detection.field_mutators import typed
from benchmarks.detection.hooks import Fields, ServerHooks
from server_defects.mutators import on_answer

PLAIN = ServerHooks()


class Function(BaseModel):
    """A function that may be called."""

    model_config = ConfigDict(extra="allow")
    name: str


class Tool(BaseModel):
    """A tool that may be called."""

    model_config = ConfigDict(extra="allow")
    type: Literal["function", "uc_function"]
    function: Function


class ToolChoice(BaseModel):
    """The choice of one tool."""

    type: Literal["function"]
    function: Function


class ResponseFormat(BaseModel):
    """The form of the content."""

    model_config = ConfigDict(extra="allow")
    type: Literal["text", "json_object", "json_schema"]


class Part(BaseModel):
    """A part of a message's content, by its type."""

    model_config = ConfigDict(extra="allow")
    type: Literal["text", "image_url", "input_audio"]


class ChatMessage(BaseModel):
    """A message, whose content may be missing."""

    model_config = ConfigDict(extra="allow")
    role: str
    content: str | list[Part] | None = None
    tool_calls: list[dict[str, Any]] | None = Field(None, min_length=1)
    tool_call_id: str | None = None


def lax(fields: Fields) -> Fields:
    """Return the fields with numbers that may be spelled as strings, and uuids in any spelling."""
    number, share = Annotated[int, Field(ge=1)], Annotated[float, Field(ge=0, le=2)]
    return {
        **fields,
        "n": (number | None, 1),
        "max_tokens": (number | None, None),
        "temperature": (share | None, 0),
        "store_in_session": (uuid.UUID | None, None),
    }


GATEWAY = typed(
    messages=(list[ChatMessage], Field(min_length=1)),
    tools=(list[Tool] | None, Field(None, min_length=1)),
    tool_choice=(Literal["none", "auto", "required"] | ToolChoice | None, None),
    top_k=(Annotated[StrictInt, Field(ge=1)] | None, None),
    response_format=(ResponseFormat | None, None),
)
VARIANTS = (
    Variant(
        "gateway-schemas",
        "Takes a message without content, refuses an empty list of tools, and its schemas list forms and choices.",
        replace(PLAIN, fields=lambda fields: lax(GATEWAY(fields))),
    ),
    Variant(
        "usage-numbers-null",
        "Counts no tokens: null for each number of `usage`.",
        replace(PLAIN, answer=on_answer(lambda answer: {**answer, "usage": dict.fromkeys(answer["usage"])})),
        undecided=SESSIONS,
    ),
)
