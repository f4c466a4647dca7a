"""Tools and of content in a form."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server_defects.catalogue.limits import BAD, CRASHED, refused_if
from server_defects.defect import planting
from server_defects.forms import form, tool_call, value_of
from server_defects.hooks import ChatCall, finish
from server_defects.mutators import Chunk, at_field, delta_of, edited, on_choices

plant = planting("tools")
Calls = Sequence[dict[str, Any]]


def calling(edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Mapping[str, Any], Calls], Calls]:
    """Return a way to call tools that makes other calls of the right ones."""
    return lambda payload, calls: [edit(call) for call in calls]


def unless(choice: Callable[[Any], bool]) -> Callable[[Mapping[str, Any], Calls], Calls]:
    """Return a way to call tools that does nothing for such a `tool_choice`."""
    return lambda payload, calls: () if choice(payload.get("tool_choice")) else calls


def eager(payload: Mapping[str, Any], calls: Calls) -> Calls:
    """Call the first tool whenever there is one."""
    tools = payload.get("tools") or ()
    done = payload["messages"][-1]["role"] == "tool"
    return () if done else [tool_call(tool["function"]["name"], value_of({})) for tool in tools[:1]]


def renamed(call: dict[str, Any]) -> dict[str, Any]:
    """Return a call of a function that was not declared."""
    return {**call, "function": {**call["function"], "name": "functions." + call["function"]["name"]}}


def arguing(arguments: Callable[[str], Any]) -> Any:
    """Return a way to call tools with other arguments, made of the text of the right ones."""
    return calling(
        lambda call: {**call, "function": {**call["function"], "arguments": arguments(call["function"]["arguments"])}}
    )


def lacking(name: str) -> Any:
    """Return a way to call tools that leaves out one of a call's keys."""
    return calling(lambda call: {key: value for key, value in call.items() if key != name})


def finishing(reason: str) -> Any:
    """Return an edit that gives answers with calls another finish reason."""
    return on_choices(
        lambda choice: {**choice, "finish_reason": reason} if choice["message"].get("tool_calls") else None
    )


def on_pieces(edit: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Callable[[list[Chunk], ChatCall], list[Any]]:
    """Return an edit of each piece of a streamed call; a chunk whose piece becomes None goes."""

    def edit_all(chunks: list[Chunk], call: ChatCall) -> list[Any]:
        kept: list[Any] = []
        for chunk in chunks:
            pieces = delta_of(chunk).get("tool_calls")
            changed = edit(pieces[0]) if pieces else None
            if changed is not None:
                kept.append(edited(chunk, delta={"tool_calls": [changed]}))
            elif not pieces:
                kept.append(chunk)
        return kept

    return edit_all


def forming(kind: str, make: Callable[[list[str]], list[str]]) -> Callable[[list[str], ChatCall], list[str]]:
    """Return a way to give content a form that makes something else of one form."""

    def made(pieces: list[str], call: ChatCall) -> list[str]:
        wanted = (call.payload.get("response_format") or {}).get("type")
        return make(pieces) if wanted == kind else form(pieces, call)

    return made


def fenced(pieces: list[str]) -> list[str]:
    """Return JSON as chat models like to write it."""
    return ["Here you are:\n", "```json\n", '{"said": 1}', "\n```"]


CHOICES = (
    plant(
        "tools-ignored",
        "tool-choice-named",
        "Answers with content for any `tool_choice`.",
        call_tools=lambda payload, calls: (),
    ),
    plant(
        "tool-choice-named-ignored",
        "tool-choice-named",
        "Knows the words of `tool_choice`, and ignores a function that it names.",
        call_tools=unless(lambda choice: isinstance(choice, dict)),
    ),
    plant(
        "tool-named-otherwise",
        "tool-choice-named",
        "Calls functions by names that were not declared.",
        call_tools=calling(renamed),
    ),
    plant(
        "tool-choice-named-crash",
        "tool-choice-named",
        "Crashes on a `tool_choice` that is an object.",
        checks=refused_if(lambda payload: isinstance(payload.get("tool_choice"), dict), 500),
    ),
    plant("tool-choice-none-ignored", "tool-choice-none", "Calls a tool whenever there is one.", call_tools=eager),
    plant(
        "tool-choice-required-ignored",
        "tool-choice-required",
        "Takes `required` for `auto`.",
        call_tools=unless(lambda choice: choice == "required"),
    ),
    plant(
        "tool-finish-old",
        "tool-choice-finish",
        "Ends calls of tools with `function_call`.",
        answer=finishing("function_call"),
    ),
    plant(
        "tool-finish-made-up",
        "tool-choice-finish",
        "Ends calls of tools with `tool_use`.",
        answer=finishing("tool_use"),
    ),
    plant(
        "tools-type-400",
        "tools-type",
        "Refuses tools that are not a list with 400.",
        refuse=at_field("tools", "list", BAD),
    ),
    plant(
        "tools-type-crash",
        "tools-type",
        "Crashes on tools that are not a list.",
        refuse=at_field("tools", "list", CRASHED),
    ),
)
CALLS = (
    plant("tool-call-no-id", "tool-call", "Gives calls no id.", call_tools=lacking("id")),
    plant(
        "tool-call-empty-id",
        "tool-call",
        "Gives calls an empty id.",
        call_tools=calling(lambda call: {**call, "id": ""}),
    ),
    plant(
        "tool-call-other-type",
        "tool-call",
        "Gives calls a type of its own.",
        call_tools=calling(lambda call: {**call, "type": "tool_use"}),
    ),
    plant(
        "tool-call-flat",
        "tool-call",
        "Puts name and arguments beside the type.",
        call_tools=calling(lambda call: {"id": call["id"], "type": "function", **call["function"], "function": {}}),
    ),
    plant(
        "tool-arguments-an-object", "tool-arguments", "Sends arguments as an object.", call_tools=arguing(json.loads)
    ),
    plant(
        "tool-arguments-of-python",
        "tool-arguments",
        "Sends arguments as Python prints them.",
        call_tools=arguing(lambda text: repr(json.loads(text))),
    ),
    plant(
        "tool-arguments-cut",
        "tool-arguments",
        "Loses the end of arguments.",
        call_tools=arguing(lambda text: text[:-2]),
    ),
    plant(
        "tool-role-refused",
        "tools-answered",
        "Calls tools, and refuses the role that brings the result.",
        roles=frozenset({"user", "assistant"}),
    ),
    plant(
        "tool-result-crash",
        "tools-answered",
        "Crashes on the result of a call.",
        checks=refused_if(lambda payload: payload["messages"][-1]["role"] == "tool", 500),
    ),
)
STREAMED = (
    plant(
        "stream-call-without-index",
        "stream-tool-calls",
        "Leaves the index out of a call's pieces.",
        chunks=on_pieces(lambda piece: {key: value for key, value in piece.items() if key != "index"}),
    ),
    plant(
        "stream-call-without-id",
        "stream-tool-calls",
        "Streams calls without their ids.",
        chunks=on_pieces(lambda piece: {key: value for key, value in piece.items() if key != "id"}),
    ),
    plant(
        "stream-call-of-many-ids",
        "stream-tool-calls",
        "Gives each piece of a call an id of its own.",
        chunks=on_pieces(lambda piece: {**piece, "id": f"call_{piece['function']['arguments']}"}),
    ),
    plant(
        "stream-call-lost",
        "stream-tool-calls",
        "Calls tools in plain answers alone.",
        chunks=on_pieces(lambda piece: None),
    ),
    plant(
        "stream-call-repeats",
        "stream-tool-calls",
        "Sends the arguments' pieces twice.",
        chunks=on_pieces(
            lambda piece: {**piece, "function": {**piece["function"], "arguments": piece["function"]["arguments"] * 2}}
        ),
    ),
)
FORMS = (
    plant(
        "response-format-ignored",
        "response-format-json",
        "Ignores a form that is asked for.",
        form=lambda pieces, call: pieces,
    ),
    plant(
        "response-format-fenced",
        "response-format-json",
        "Puts JSON between a fence's lines, as chat models do.",
        form=forming("json_object", fenced),
    ),
    plant(
        "response-format-a-list",
        "response-format-json",
        "Answers with a JSON list instead of an object.",
        form=forming("json_object", lambda pieces: ["[", "1", "]"]),
    ),
    plant(
        "json-schema-ignored",
        "response-format-schema",
        "Takes `json_schema` for `json_object`.",
        form=forming("json_schema", lambda pieces: ['{"colour"', ': "blue"}']),
    ),
    plant(
        "json-schema-and-more",
        "response-format-schema",
        "Adds a key that the schema forbids.",
        form=forming("json_schema", lambda pieces: ['{"colour": "celadon"', ', "note": "as asked"}']),
    ),
    plant(
        "response-format-type-400",
        "response-format-type",
        "Refuses a format that is a string with 400.",
        refuse=at_field("response_format", "model", BAD),
    ),
    plant(
        "max-completion-tokens-ignored",
        "max-completion-tokens-bound",
        "Knows `max_tokens` alone.",
        generate=lambda call, index, random_: [f"word{number} " for number in range(30)],
        finish=lambda pieces, call, index: (
            finish(pieces, call, index) if "max_completion_tokens" not in call.payload else (pieces, "stop")
        ),
    ),
    plant(
        "max-completion-tokens-late",
        "max-completion-tokens-bound",
        "Counts one token too few against `max_completion_tokens`.",
        finish=lambda pieces, call, index: (
            finish(pieces, call, index)
            if "max_completion_tokens" not in call.payload
            else (pieces[: call.payload["max_completion_tokens"] + 1], "length")
        ),
    ),
)
DEFECTS = (*CHOICES, *CALLS, *STREAMED, *FORMS)
