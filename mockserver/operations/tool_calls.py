"""Tools that a request declares: which of them are called, with which arguments, and what a result is answered with.

A call is made where `tool_choice` asks for it, or where the agent's `calls_tools` says so and `tool_choice` leaves it
open. Of several tools those are called that the user's last message names, else the first; with `parallel_tool_calls`
false only one. A request whose last message is a result gets a text, even where `tool_choice` is `required`: OpenAI's
endpoint would call again each time and leaves it to the client to take `required` back, here an agent loop ends by
itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent_contract import SampleError, SchemaRefused
from mockserver.core.behaviour import Refused
from mockserver.generation.client_schemas import admit_schema, compile_schema, sample_value, to_json
from mockserver.generation.completion import Choice, ToolCall
from mockserver.generation.replies import in_one_line
from mockserver.generation.tokenizer import count_tokens, pieces
from mockserver.operations.chat_request import Asked, short
from mockserver.resources.sessions import EMPTY, calls_of, text_of

_CHOICES = ("none", "auto", "required")
_RESULTS = ("tool", "function")
#: How many calls stand in one answer at most.
_MOST_CALLS = 16
#: How many characters of the results an answer takes up.
_QUOTED = 300
#: What a function's name may be; source: OpenAI's reference of function tools.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BETWEEN = re.compile(r"[\W_]+")


class Unanswerable(Exception):
    """A request that can't be answered as it asks to be; `refused` says why."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.why)
        self.refused = refused


def tools_usable(asked: Asked) -> Refused | None:
    """Refuse tools that are too many, are no functions, or have parameters that are no usable JSON Schema."""
    limits, declared = asked.setting.limits, _declared(asked)
    if len(declared) > limits.tools:
        why = f"This server takes at most {limits.tools} tools, not {len(declared)}: declare fewer."
        return Refused(400, "", why, ("body", "tools"), limits.tools, len(declared))
    for place, tool in enumerate(declared):
        where, name = ("body", "tools", place), tool["function"]["name"]
        if tool["type"] != "function":
            why = f'The tool {place} is of the type "{short(tool["type"])}"; this server plays functions.'
            return Refused(400, "", why, (*where, "type"), "function", tool["type"])
        if not _NAME.fullmatch(name):
            why = f'"{short(name)}" is no name of a function: 64 letters, digits, "_" and "-" at most.'
            return Refused(400, "", why, (*where, "function", "name"), None, name)
        try:
            admit_schema(_parameters(tool), limits.schema, asked.budget)
        except SchemaRefused as error:
            why = f'The parameters of "{name}" are not a JSON Schema that this server can use: {error}.'
            return Refused(400, "", why, (*where, "function", "parameters"))
    return None


def tool_choice_known(asked: Asked) -> Refused | None:
    """Refuse a `tool_choice` that is none of OpenAI's words and names none of the tools."""
    choice = asked.body.get("tool_choice")
    names = [tool["function"]["name"] for tool in _declared(asked)]
    there = ", ".join(names) or "none"
    named = _named(choice) if isinstance(choice, dict) else ""
    if choice is None or (choice in _CHOICES and (names or choice != "required")) or (named and named in names):
        return None
    spelled = f'"{short(named or str(choice))}"'
    why = f"The tool_choice {spelled} can't be followed: it is none, auto, required with tools, or names a function. "
    return Refused(400, "tool-choice-unknown", f"{why}Declared are: {there}.", ("body", "tool_choice"), there)


def called(asked: Asked, said: str) -> tuple[Mapping[str, Any], ...]:
    """Return the functions that are called in the answer; none where it is a text."""
    functions = [tool["function"] for tool in _declared(asked)]
    choice = asked.body.get("tool_choice")
    if not functions or choice == "none" or asked.body["messages"][-1]["role"] in _RESULTS:
        return ()
    if isinstance(choice, dict):
        return tuple(function for function in functions if function["name"] == _named(choice))[:1]
    if choice != "required" and not asked.agent.calls_tools:
        return ()
    spoken = f" {_words(said)} "
    meant = [function for function in functions if f" {_words(function['name'])} " in spoken] or functions[:1]
    return tuple(meant[: 1 if asked.body.get("parallel_tool_calls") is False else _MOST_CALLS])


def call(asked: Asked, functions: Sequence[Mapping[str, Any]], said: str, seed: bytes) -> tuple[tuple[str, str], ...]:
    """Return the names of functions with the arguments of their calls, as JSON; Unanswerable where there are none."""
    return tuple((function["name"], _arguments(asked, function, said, seed)) for function in functions)


def as_choice(calls: Sequence[tuple[str, str]], id: str, index: int, limit: int | None) -> Choice:
    """Return an answer that makes these calls, with ids of their own; cut after `limit` tokens.

    A function's name counts as a token, its arguments as the text that they are.
    """
    left, written = limit, list[ToolCall]()
    for number, (name, arguments) in enumerate(calls):
        if left is not None and left < 1:
            return Choice((), "length", limit or 0, tuple(written))
        said = pieces(arguments)[: None if left is None else left - 1]
        identity = hashlib.blake2b(f"{id}/{index}/{number}".encode(), digest_size=12).hexdigest()
        written.append(ToolCall(f"call_{identity}", name, tuple(said)))
        if "".join(said) != arguments:
            return Choice((), "length", limit or 0, tuple(written))
        left = None if left is None else left - 1 - len(said)
    return Choice((), "tool_calls", sum(1 + len(one.pieces) for one in written), tuple(written))


def result_told(asked: Asked) -> str:
    """Return a sentence that takes up the results that the request ends with; empty where it ends with none."""
    messages: list[dict[str, Any]] = asked.body["messages"]
    first = len(messages)
    while first and messages[first - 1]["role"] in _RESULTS:
        first -= 1
    if first == len(messages):
        return ""
    before = [*(asked.session or EMPTY).messages, *messages[:first]]
    names = {id: name for message in before for id, name, _ in calls_of(message)}
    told = (_result(message, names) for message in messages[first:])
    return in_one_line(" ".join(told), _QUOTED)


def tokens_of_tools(asked: Asked) -> int:
    """Return what the declared functions count in the prompt."""
    return sum(count_tokens(to_json(tool["function"])) for tool in _declared(asked))


def _result(message: Mapping[str, Any], names: Mapping[str, str]) -> str:
    name = names.get(str(message.get("tool_call_id"))) or message.get("name") or "the tool"
    return f"The answer of {name} is: {text_of(message) or 'nothing'}"


def _declared(asked: Asked) -> list[dict[str, Any]]:
    return asked.body.get("tools") or []


def _named(choice: Mapping[str, Any]) -> str:
    """Return the function that a `tool_choice` names; empty for none."""
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""


def _words(text: str) -> str:
    return _BETWEEN.sub(" ", text).lower().strip()


def _parameters(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a tool's arguments, which are always an object."""
    return {"type": "object", **(tool["function"].get("parameters") or {})}


def _arguments(asked: Asked, function: Mapping[str, Any], said: str, seed: bytes) -> str:
    schema = compile_schema(_parameters({"function": function}))
    try:
        value = sample_value(schema, said, seed + str(function["name"]).encode(), asked.budget)
        if not isinstance(value, dict):
            raise SampleError("its schema wants no object")
    except SampleError as error:
        place = next(at for at, tool in enumerate(_declared(asked)) if tool["function"] is function)
        where = ("body", "tools", place, "function", "parameters")
        why = f'No arguments that "{function["name"]}" accepts were found: {error}.'
        raise Unanswerable(Refused(400, "", why, where)) from None
    return to_json(value)
