"""Tool calls: decides which of the declared tools are called, and with which arguments; quotes results.

The mock calls a tool if `tool_choice` requires it, or if the agent has `calls_tools` and `tool_choice` is `auto` or
absent. It calls the tools that the user's last message names, otherwise the first one; only one if
`parallel_tool_calls` is false. If the last message is a result, the answer is text, even if `tool_choice` is
`required`, so that an agent loop ends. OpenAI's endpoint would call again until the client no longer sends `required`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from agent_contract import SampleError, SchemaRefused
from agent_contract.printable import shorten
from mockserver.core.outcome import Rejection
from mockserver.generation.client_schemas import admit_schema, compile_schema, sample_value, to_json
from mockserver.generation.completion import Choice, ToolCall
from mockserver.generation.tokenizer import pieces
from mockserver.operations.chat_request import ChatRequest
from mockserver.resources.sessions import calls_of, text_of

_CHOICES = ("none", "auto", "required")
_RESULTS = ("tool", "function")
_UC_FUNCTION = "uc_function"
#: Maximum number of calls in an answer.
_MAX_CALLS = 16
#: Maximum number of characters that an answer quotes from results.
_QUOTED = 300
#: Source: OpenAI's reference of function tools.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BETWEEN = re.compile(r"[\W_]+")


def check_tools(request: ChatRequest) -> None:
    """Refuse too many tools, unsupported types of tools, and unusable JSON Schemas."""
    limits, declared = request.settings.limits, request.body.get("tools") or []
    if len(declared) > limits.tools:
        why = f"The request declares {len(declared)} tools, but the limit is {limits.tools}. Declare fewer."
        raise Rejection(400, "", why, ("body", "tools"), limits.tools, len(declared))
    for index, tool in enumerate(declared):
        location = ("body", "tools", index)
        if not _is_function(tool):
            if tool["type"] == _UC_FUNCTION and tool.get(_UC_FUNCTION):
                continue
            why = (
                f'Tool {index} has the type "{shorten(tool["type"])}". '
                f"Send the type function with a function, or {_UC_FUNCTION} with a {_UC_FUNCTION}."
            )
            raise Rejection(400, "", why, (*location, "type"), f"function or {_UC_FUNCTION}", tool["type"])
        name = tool["function"]["name"]
        if not _NAME.fullmatch(name):
            why = f'"{shorten(name)}" is not a valid function name. Use at most 64 letters, digits, "_" and "-".'
            raise Rejection(400, "", why, (*location, "function", "name"), None, name)
        try:
            admit_schema(_parameters(tool), limits.schema, request.budget)
        except SchemaRefused as error:
            why = f'The JSON Schema in the parameters of "{name}" can\'t be used: {error}.'
            raise Rejection(400, "", why, (*location, "function", "parameters")) from None


def check_tool_choice(request: ChatRequest) -> None:
    """Refuse a `tool_choice` that is neither one of OpenAI's values nor the name of a declared tool."""
    choice = request.body.get("tool_choice")
    if choice is None:
        return
    names = [tool["function"]["name"] for tool in _declared(request)]
    listed = ", ".join(names) or "none"
    named = _named(choice) if isinstance(choice, dict) else ""
    if (choice in _CHOICES and (names or choice != "required")) or (named and named in names):
        return
    spelled = f'"{shorten(named or str(choice))}"'
    why = f"Invalid tool_choice {spelled}. Send none, auto, required (with tools), or the name of a declared function. "
    raise Rejection(400, "tool-choice-unknown", f"{why}Declared functions: {listed}.", ("body", "tool_choice"), listed)


def functions_to_call(request: ChatRequest, said: str) -> tuple[Mapping[str, Any], ...]:
    """Return the functions that the answer calls; empty if the answer is text."""
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
    return tuple(meant[: 1 if request.body.get("parallel_tool_calls") is False else _MAX_CALLS])


def calls_for(
    request: ChatRequest, functions: Sequence[Mapping[str, Any]], said: str, seed: bytes
) -> tuple[tuple[str, str], ...]:
    """Return name and arguments (as JSON) of each call; raises `Rejection` if no valid arguments are found."""
    return tuple((function["name"], _arguments(request, function, said, seed)) for function in functions)


def choice_of_calls(calls: Sequence[tuple[str, str]], id: str, index: int, limit: int | None) -> Choice:
    """Return a choice with these calls, each with an id, cut after `limit` tokens.

    The name of a function counts as one token, its arguments count as text.
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
    """Return sentences that quote the results at the end of the request; empty if it does not end with a result."""
    messages: list[dict[str, Any]] = request.body["messages"]
    first = len(messages)
    while first and messages[first - 1]["role"] in _RESULTS:
        first -= 1
    if first == len(messages):
        return ""
    results_of = {message["tool_call_id"] for message in messages[first:] if message.get("tool_call_id")}
    names = dict[str, str]()
    for message in chain(reversed(messages[:first]), request.recent()):  # the latest call with an id counts
        names = {id: name for id, name, _ in calls_of(message) if id in results_of} | names
        if names.keys() >= results_of:
            break
    results = (_result(message, names) for message in messages[first:])
    return shorten(" ".join(" ".join(results).split()), _QUOTED)


def declared_functions_json(request: ChatRequest) -> list[str]:
    """Return the JSON of each declared function, which is a part of the prompt."""
    return [to_json(tool["function"]) for tool in _declared(request)]


def _result(message: Mapping[str, Any], names: Mapping[str, str]) -> str:
    name = names.get(str(message.get("tool_call_id"))) or message.get("name") or "the tool"
    return f"The answer of {name} is: {text_of(message) or 'nothing'}"


def _declared(request: ChatRequest) -> list[dict[str, Any]]:
    """Return the functions that an answer can call; the server itself runs tools of the type `uc_function`."""
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
            raise SampleError("its schema does not accept an object")
    except SampleError as error:
        index = next(at for at, tool in enumerate(request.body["tools"]) if tool.get("function") is function)
        location = ("body", "tools", index, "function", "parameters")
        why = f'No valid arguments for "{function["name"]}" could be generated: {error}.'
        raise Rejection(400, "", why, location) from None
    return to_json(value)
