"""A repair rule, and what one found: a fault that other people's documents have, and how it is read all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON

#: What a repair costs, the worst first: a part is not served, a check is not made, or a part is read as it was meant.
Effect = Literal["left out", "unchecked", "read"]
EFFECTS: tuple[Effect, ...] = ("left out", "unchecked", "read")


@dataclass(slots=True)
class DocumentPart:
    """One object of a document under repair: `container[key]` is `value`; `field` is the one that a rule looks at.

    `state` is shared by all parts of the document: what rules must remember, such as the operationIds in use.
    """

    document: Document
    place: Place
    kind: str
    value: dict[str, Any]
    field: str
    state: State
    #: Set by a rule that takes the whole object out of its container.
    left_out: bool = False

    @property
    def item(self) -> Any:
        """The value of the field that the rule looks at."""
        return self.value.get(self.field)

    def target(self, reference: JSON) -> Place | None:
        """Return the place that a reference in this part leads to, None if it leads to nothing that can be read."""
        return self.state.target(self.document, reference, self.place.file)

    def follow(self, value: Any) -> Any:
        """Return what a value is, its references followed; None if one leads to nothing."""
        for _ in range(_MOST_STEPS):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            place = self.target(value["$ref"])
            value = self.document.at(place) if place else None
        return None


#: The references that are followed one after the other.
_MOST_STEPS = 32


@dataclass(slots=True)
class State:
    """What the rules remember of a document while it is repaired."""

    operation_ids: dict[str, Place] = field(default_factory=dict)
    patterns: dict[str, str | None] = field(default_factory=dict)
    anchors: dict[str, dict[str, Place]] = field(default_factory=dict)
    targets: dict[tuple[str, str], Place | None] = field(default_factory=dict)
    why: dict[tuple[str, str], str] = field(default_factory=dict)
    #: Items to be taken out of lists at the end: until then, the places of the others must not change.
    removals: dict[tuple[int, int], list[Any]] = field(default_factory=dict)

    def remove(self, listed: Any, index: int) -> bool:
        """Take an item out of a list at the end; return whether that is new."""
        key = (id(listed), index)
        is_new = key not in self.removals
        self.removals[key] = listed
        return is_new

    def finish(self) -> None:
        """Take out what is to be removed."""
        for (_, index), listed in sorted(self.removals.items(), key=lambda entry: -entry[0][1]):
            del listed[index]
        self.removals.clear()

    def target(self, document: Document, reference: JSON, file: str) -> Place | None:
        """Return the place that a reference leads to; None, with the reason in `why`, if it leads to nothing."""
        if not isinstance(reference, str):
            return None
        key = (reference, file)
        if key not in self.targets:
            try:
                self.targets[key] = document.target(reference, file)
            except ContractError as error:
                self.targets[key] = None
                self.why[key] = error.problem
        return self.targets[key]


#: Repairs a part in place and returns what was found, in a few words; None if the part has no such fault.
Mend: TypeAlias = Callable[[DocumentPart], "str | None"]


@dataclass(frozen=True, slots=True)
class RepairRule:
    """One kind of fault: `recognises` and `does` are what is found and what is done, in words.

    It looks at objects of the type `kind` that have one of `fields`, at all of them if there are none. A rule without
    `mend` is applied by the code that finds the fault.
    """

    name: str
    kind: str
    fields: tuple[str, ...]
    recognises: str
    does: str
    effect: Effect
    mend: Mend | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """A fault that was repaired, with its place in the document as it was written."""

    place: Place
    rule: RepairRule
    found: str

    @property
    def sentence(self) -> str:
        """What was found and what is done about it, in one line."""
        return f"{self.found}: {self.rule.does} [{self.rule.name}]"

    def problem(self, document: Document) -> Problem:
        """Return the fault with its file and line."""
        return document.problem(self.place, self.found, f"{self.rule.does} [{self.rule.name}]")


def worst(repairs: Iterable[Repair]) -> list[Repair]:
    """Return repairs with the worst ones first: what is left out, then what is not checked."""
    return sorted(repairs, key=lambda repair: EFFECTS.index(repair.rule.effect))
