"""What reads a document's parts: through their references, each schema compiled once, each fault noted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.json_pointer import Place
from agent_contract.model.schemas import Direction, Schemas, Validator


@dataclass(frozen=True, slots=True)
class Builder:
    """Reads a document's parts through their references, and remembers what was compiled and what was wrong."""

    schemas: Schemas
    problems: list[Problem] = field(default_factory=list)
    compiled: dict[tuple[Place, Direction], Validator | None] = field(default_factory=dict)

    @property
    def document(self) -> Document:
        """The document that is read."""
        return self.schemas.document

    def at(self, place: Place) -> tuple[Place, dict[str, Any]]:
        """Return the object at a place, references followed, and its place; an empty object for anything else."""
        place = self.document.follow(place)
        value = self.document.at(place)
        return place, value if isinstance(value, dict) else {}

    def validator(self, place: Place, direction: Direction) -> Validator | None:
        """Return the compiled schema of a place, or None after recording why it can't be compiled."""
        if (place, direction) not in self.compiled:
            try:
                self.compiled[place, direction] = self.schemas.validator(place, direction)
            except ContractError as error:
                self.compiled[place, direction] = None
                self.problems.extend(error.problems)
        return self.compiled[place, direction]

    def report(self, place: Place, problem: str, remedy: str) -> None:
        """Note what is wrong at a place."""
        self.problems.append(self.document.problem(place, problem, remedy))
