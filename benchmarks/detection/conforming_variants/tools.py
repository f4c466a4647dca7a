"""What servers with and without tools do, and keep the contract."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.detection.conforming_variants.variant import Variant
from benchmarks.detection.hooks import ServerHooks
from server_defects.hooks import ChatCall, CheckedAgent, Payload, Refusal, ToolCall
from server_defects.mutators import Chunk, delta_of, edited, on_choices

PLAIN = ServerHooks()


def refusing_tools(status: int) -> Any:
    """Return a check that refuses tools."""

    def check(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
        if payload.get("tools"):
            raise Refusal("tool", status, "Tools are not supported by this model")

    return check


def named_alone(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse to leave the choice of a tool to a model that was not made for it."""
    if (
        payload.get("tools")
        and not isinstance(payload.get("tool_choice"), dict)
        and payload.get("tool_choice") != "none"
    ):
        raise Refusal("tool", 400, '"auto" tool choice requires a tool call parser')


def formless(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse a form of content."""
    if payload.get("response_format"):
        raise Refusal("form", 400, "response_format is not supported by this model")


def stopped(choice: dict[str, Any]) -> dict[str, Any]:
    """Return a choice that ends with `stop` if it calls tools."""
    return {**choice, "finish_reason": "stop"} if choice["finish_reason"] == "tool_calls" else choice


def stopping(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return chunks that end with `stop` if they call tools."""
    ends = [bool(chunk["choices"]) and chunk["choices"][0]["finish_reason"] == "tool_calls" for chunk in chunks]
    return [edited(chunk, finish_reason="stop") if end else chunk for chunk, end in zip(chunks, ends, strict=True)]


def with_text(choice: dict[str, Any]) -> dict[str, Any]:
    """Return a choice with content next to its calls, and with an empty list if it has no calls."""
    message = choice["message"]
    content = "Let me see." if message["content"] is None else message["content"]
    said = {"content": content, "tool_calls": message.get("tool_calls", []), "refusal": None}
    return {**choice, "message": {**message, **said}}


def spaced(payload: Payload, calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    """Return the calls with arguments as a person would write them, and ids of nine characters."""
    return [
        {
            "id": call["id"][-9:],
            "type": "function",
            "function": {
                **call["function"],
                "arguments": json.dumps(json.loads(call["function"]["arguments"]), indent=2),
            },
        }
        for call in calls
    ]


def with_empty_ids(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return chunks whose later pieces of a call name it by empty strings."""

    def emptied(piece: dict[str, Any]) -> dict[str, Any]:
        return (
            piece if piece.get("id") else {"id": "", "type": "", **piece, "function": {"name": "", **piece["function"]}}
        )

    def edit(chunk: Chunk) -> Chunk:
        pieces = delta_of(chunk).get("tool_calls")
        return edited(chunk, delta={"tool_calls": [emptied(piece) for piece in pieces]}) if pieces else chunk

    return [edit(chunk) for chunk in chunks]


def untyped(payload: Payload, calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    """Return the calls without their type."""
    return [{name: value for name, value in call.items() if name != "type"} for call in calls]


VARIANTS = (
    Variant(
        "tools-refused-400", "Refuses tools with 400.", replace(PLAIN, checks=(*PLAIN.checks, refusing_tools(400)))
    ),
    Variant(
        "tools-refused-501", "Refuses tools with 501.", replace(PLAIN, checks=(*PLAIN.checks, refusing_tools(501)))
    ),
    Variant(
        "tools-named-alone",
        "Calls tools that are named, and refuses to choose, as vLLM does without a parser.",
        replace(PLAIN, checks=(*PLAIN.checks, named_alone)),
    ),
    Variant(
        "tools-end-with-stop",
        "Ends calls that were asked for with `stop`, as vLLM does.",
        replace(PLAIN, answer=on_choices(stopped), chunks=stopping),
    ),
    Variant(
        "reasoning-at-length",
        "A reasoning model, which is cut before it calls a tool or writes JSON.",
        replace(
            PLAIN,
            call_tools=lambda payload, calls: (),
            generate=lambda call, index, random_: ["so "] * 200,
            form=lambda pieces, call: pieces,
        ),
    ),
    Variant(
        "tools-pieces-with-empty-ids",
        "Sends the later pieces of a call with an empty id, name and type.",
        replace(PLAIN, chunks=with_empty_ids),
    ),
    Variant(
        "tools-without-type",
        "Leaves out the type of a call, which is the default.",
        replace(PLAIN, call_tools=untyped),
    ),
    Variant("tools-with-text", "Sends content next to its calls.", replace(PLAIN, answer=on_choices(with_text))),
    Variant("tools-spaced", "Writes arguments on several lines, and short ids.", replace(PLAIN, call_tools=spaced)),
    Variant(
        "response-format-refused",
        "Refuses a form of content.",
        replace(PLAIN, checks=(*PLAIN.checks, formless)),
    ),
)
