"""What a converter makes of a foreign file: rules, and a list of what it could not convert."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(slots=True)
class Conversion:
    """Rules of a scenario, and sentences on what was left out or differs, each with its place."""

    rules: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, place: str, what: str) -> None:
        """Add a sentence about a place of the file."""
        self.notes.append(f"{place}: {what}")

    def note_others(self, place: str, value: dict[str, Any], known: set[str]) -> None:
        """Add a sentence for each key that the converter does not know."""
        for name in value:
            if name not in known:
                self.note(f"{place}.{name}", "is left out: rules have nothing like it")


def tool_call(name: str, arguments: Any, id: Any = None) -> dict[str, Any]:
    """Return a function call of a rule; arguments that are JSON text of an object become one."""
    if isinstance(arguments, str):
        try:
            value = orjson.loads(arguments)
        except ValueError:
            value = None
        arguments = value if isinstance(value, dict) else arguments
    call = {"name": name, "arguments": arguments if arguments is not None else {}}
    return {**call, "id": id} if isinstance(id, str) and id else call


def content(parts: list[Any]) -> dict[str, Any]:
    """Return an answer with text and function calls."""
    calls = [part for part in parts if isinstance(part, dict)]
    said = [part for part in parts if isinstance(part, str) and part]
    if not calls:
        return {"text": "".join(said)}
    return {"parts": [part for part in parts if part]} if said else {"tool_calls": calls}
