"""What a deployment makes of `tools` and `response_format`: calls, and content in a form; a value for each schema."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: A type of JSON Schema -> a value of it.
VALUES: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "string": lambda schema: "x" * max(1, schema.get("minLength", 1)),
    "integer": lambda schema: schema.get("minimum", 1),
    "number": lambda schema: schema.get("minimum", 0.5),
    "boolean": lambda schema: True,
    "null": lambda schema: None,
    "array": lambda schema: [value_of(schema.get("items", {}))] * schema.get("minItems", 0),
    "object": lambda schema: {
        name: value_of(schema.get("properties", {}).get(name, {})) for name in schema.get("required", ())
    },
}


def value_of(schema: Mapping[str, Any]) -> Any:
    """Return a value that a plain schema accepts."""
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    return VALUES[schema.get("type", "object")](schema)


def tool_call(name: str, arguments: Any) -> dict[str, Any]:
    """Return a call of a function, with an id of its own."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}


def call_tools(payload: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """Return a call if `tool_choice` asks for one, unless the request contains the result of one."""
    functions = [tool["function"] for tool in payload.get("tools") or ()]
    choice = payload.get("tool_choice")
    if isinstance(choice, dict):
        functions = [function for function in functions if function["name"] == choice["function"]["name"]]
    elif choice != "required":
        return ()
    if payload["messages"][-1]["role"] == "tool":
        return ()
    return [tool_call(function["name"], value_of(function.get("parameters") or {})) for function in functions[:1]]


def form(pieces: list[str], call: Any) -> list[str]:
    """Return the pieces of an answer in the requested format, whatever the model would answer."""
    wanted = call.payload.get("response_format") or {}
    match wanted.get("type"):
        case "json_object":
            return ["{", '"said": ', json.dumps("".join(pieces[:8])), "}"]
        case "json_schema":
            text = json.dumps(value_of(wanted["json_schema"].get("schema") or {}))
            return [text[:4], text[4:]]
    return pieces
