"""Tools that a request declares: which are called, with which arguments, and how a result is answered.

A tool is called if `tool_choice` requires it, or if the agent has `calls_tools` and `tool_choice` leaves it open. The
tools that the user's last message names are called, otherwise the first one; only one with `parallel_tool_calls` false.
A request whose last message is a result gets text, even if `tool_choice` is `required`: OpenAI's endpoint would call
again each time until the client takes `required` back; here an agent loop ends by itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent_contract import SampleError, SchemaRefused
from agent_contract.printable import shorten
from mockserver.core.outcome import Rejection
from mockserver.generation.client_schemas import admit_schema, compile_schema, sample_value, to_json
from mockserver.generation.completion import Choice, ToolCall
from mockserver.generation.tokenizer import pieces
from mockserver.operations.chat_request import ChatRequest
from mockserver.resources.sessions import EMPTY, calls_of, text_of

_CHOICES = ("none", "auto", "required")
_RESULTS = ("tool", "function")
_UC_FUNCTION = "uc_function"
#: Calls in one answer at most.
_MOST_CALLS = 16
#: Characters of the results that an answer repeats.
_QUOTED = 300
#: Source: OpenAI's reference of function tools.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BETWEEN = re.compile(r"[\W_]+")


def check_tools(request: ChatRequest) -> None:
    """Refuse too many tools, tools that are not functions, and parameters that are not a usable JSON Schema."""
    limits, declared = request.settings.limits, request.body.get("tools") or []
    if len(declared) > limits.tools:
        why = f"This server takes at most {limits.tools} tools, not {len(declared)}: declare fewer."
        raise Rejection(400, "", why, ("body", "tools"), limits.tools, len(declared))
    for index, tool in enumerate(declared):
        where = ("body", "tools", index)
        if not _is_function(tool):
            if tool["type"] == _UC_FUNCTION and tool.get(_UC_FUNCTION):
                continue
            why = (
                f'Tool {index} has the type "{shorten(tool["type"])}". '
                f"Send the type function with a function, or {_UC_FUNCTION} with a {_UC_FUNCTION}."
            )
            raise Rejection(400, "", why, (*where, "type"), f"function or {_UC_FUNCTION}", tool["type"])
        name = tool["function"]["name"]
        if not _NAME.fullmatch(name):
            why = f'"{shorten(name)}" is not a function name: at most 64 letters, digits, "_" and "-".'
            raise Rejection(400, "", why, (*where, "function", "name"), None, name)
        try:
            admit_schema(_parameters(tool), limits.schema, request.budget)
        except SchemaRefused as error:
            why = f'The parameters of "{name}" are not a JSON Schema that this server can use: {error}.'
            raise Rejection(400, "", why, (*where, "function", "parameters")) from None


def check_tool_choice(request: ChatRequest) -> None:
    """Refuse a `tool_choice` that is not one of OpenAI's words and does not name a declared tool."""
    choice = request.body.get("tool_choice")
    names = [tool["function"]["name"] for tool in _declared(request)]
    there = ", ".join(names) or "none"
    named = _named(choice) if isinstance(choice, dict) else ""
    if choice is None or (choice in _CHOICES and (names or choice != "required")) or (named and named in names):
        return
    spelled = f'"{shorten(named or str(choice))}"'
    why = f"The tool_choice {spelled} can't be followed: it is none, auto, required with tools, or names a function. "
    raise Rejection(400, "tool-choice-unknown", f"{why}Declared are: {there}.", ("body", "tool_choice"), there)


def functions_to_call(request: ChatRequest, said: str) -> tuple[Mapping[str, Any], ...]:
    """Return the functions that the answer calls; none if it is text."""
    functions = [tool["function"] for tool in _declared(request)]
    choice = request.body.get("tool_choice")
    if not functions or choice == "none" or request.body["messages"][-1]["role"] in _RESULTS:
        return ()
    if isinstance(choice, dict):
        return tuple(function for function in functions if function["name"] == _named(choice))[:1]
    if choice != "required" and not request.agent.calls_tools:
        return ()
    spoken = f" {_words(said)} "
    meant = [function for function in functions if f" {_words(function['name'])} " in spoken] or functions[:1]
    return tuple(meant[: 1 if request.body.get("parallel_tool_calls") is False else _MOST_CALLS])


def calls_for(
    request: ChatRequest, functions: Sequence[Mapping[str, Any]], said: str, seed: bytes
) -> tuple[tuple[str, str], ...]:
    """Return the names of functions with the arguments of a call as JSON; raises `Rejection` if none are found."""
    return tuple((function["name"], _arguments(request, function, said, seed)) for function in functions)


def choice_of_calls(calls: Sequence[tuple[str, str]], id: str, index: int, limit: int | None) -> Choice:
    """Return a choice with these calls, each with an id, cut after `limit` tokens.

    A function's name counts as one token, its arguments as text.
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


def tool_results(request: ChatRequest) -> str:
    """Return a sentence that repeats the results at the end of the request; empty if it does not end with one."""
    messages: list[dict[str, Any]] = request.body["messages"]
    first = len(messages)
    while first and messages[first - 1]["role"] in _RESULTS:
        first -= 1
    if first == len(messages):
        return ""
    before = [*(request.session or EMPTY).messages, *messages[:first]]
    names = {id: name for message in before for id, name, _ in calls_of(message)}
    results = (_result(message, names) for message in messages[first:])
    return shorten(" ".join(" ".join(results).split()), _QUOTED)


def declared_functions_json(request: ChatRequest) -> Iterator[str]:
    """Yield the JSON of each declared function, which is a part of the prompt."""
    return (to_json(tool["function"]) for tool in _declared(request))


def _result(message: Mapping[str, Any], names: Mapping[str, str]) -> str:
    name = names.get(str(message.get("tool_call_id"))) or message.get("name") or "the tool"
    return f"The answer of {name} is: {text_of(message) or 'nothing'}"


def _declared(request: ChatRequest) -> list[dict[str, Any]]:
    """Return the tools that an answer can call; a server runs those of the type `uc_function` itself."""
    return [tool for tool in request.body.get("tools") or () if _is_function(tool)]


def _is_function(tool: Mapping[str, Any]) -> bool:
    return tool["type"] == "function" and tool.get("function") is not None


def _named(choice: Mapping[str, Any]) -> str:
    """Return the name of the function in a `tool_choice`; empty if it has none."""
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""


def _words(text: str) -> str:
    return _BETWEEN.sub(" ", text).lower().strip()


def _parameters(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a tool's arguments, which are always an object."""
    return {"type": "object", **(tool["function"].get("parameters") or {})}


def _arguments(request: ChatRequest, function: Mapping[str, Any], said: str, seed: bytes) -> str:
    schema = compile_schema(_parameters({"function": function}))
    try:
        value = sample_value(schema, said, seed + str(function["name"]).encode(), request.budget)
        if not isinstance(value, dict):
            raise SampleError("its schema accepts no object")
    except SampleError as error:
        index = next(at for at, tool in enumerate(request.body["tools"]) if tool.get("function") is function)
        where = ("body", "tools", index, "function", "parameters")
        why = f'No arguments that "{function["name"]}" accepts were found: {error}.'
        raise Rejection(400, "", why, where) from None
    return to_json(value)
