"""Chooses the value of an answer: a documented example, or a value sampled from the schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from agent_contract import Contract, Operation, SampleError
from agent_contract.document.json_pointer import parse
from agent_contract.messages import JSON
from agent_contract.model.operations import MediaType
from agent_contract.sampling.document_value import sample
from agent_contract.validation.check import is_json
from agent_contract.validation.lines import item_schema
from mockserver.core.outcome import Rejection
from mockserver.documented.preferences import Preferences
from mockserver.documented.streams import SAMPLED, several_values


@dataclass(frozen=True, slots=True)
class ChosenValue:
    """The value of an answer; `warning` is why it may be unexpected, empty if it is not."""

    value: JSON
    warning: str = ""


@dataclass(frozen=True, slots=True)
class ValueSource:
    """Where values come from. With `strict`, an example that its schema refuses is not used."""

    contract: Contract
    strict: bool = False

    def choose(self, media: MediaType, wishes: Preferences, seed: int) -> ChosenValue:
        """Return the value of an answer of a media type.

        It is the media type's example, else the first valid one of its examples, else that of the schema, else a
        sampled value. Raises SampleError if there is none, and Rejection if a named example does not exist.
        """
        if wishes.example:
            return self._named(media, wishes.example)
        if wishes.dynamic and media.schema is not None:
            return ChosenValue(self._sampled(media, wishes, seed))
        refused: list[ChosenValue] = []
        for name, value in self._examples(media):
            checked = _checked(media, name, value)
            if not checked.warning or (name == "" and not self.strict):
                return checked
            refused.append(checked)
        if media.schema is None:
            return refused[0] if refused else ChosenValue(None)
        warning = f"{refused[0].warning} A sampled value is sent instead." if refused else ""
        try:
            return ChosenValue(self._sampled(media, wishes, seed), warning)
        except SampleError:
            if refused:
                return refused[0]
            raise

    def items(self, operation: Operation, media: MediaType, wishes: Preferences, seed: int) -> list[JSON]:
        """Return the items of a stream: the documented ones, or sampled ones. Raises as `choose` does."""
        if wishes.example:
            value = self._named(media, wishes.example).value
            return value if isinstance(value, list) else [value]
        documented = None if wishes.dynamic and media.schema else several_values(operation, media)
        if documented is not None or media.schema is None:
            return documented or []
        schemas = self.contract.schemas
        place = item_schema(schemas, media.schema)
        first = seed if wishes.seed is None else wishes.seed
        if place is None:
            value = sample(self.contract, media.schema_pointer, first)
            return value if isinstance(value, list) else [value]
        count = SAMPLED if wishes.array_size is None else wishes.array_size
        return [sample(self.contract, str(place), first + number) for number in range(count)]

    def _named(self, media: MediaType, name: str) -> ChosenValue:
        if name not in media.examples:
            known = ", ".join(filter(None, media.examples)) or "none"
            why = f"{media.name} has no example {name[:100]!r}. Documented examples: {known}."
            raise Rejection(404, "", why, ("header", "prefer"), [*media.examples], name[:100])
        return _checked(media, name, media.examples[name])

    def _examples(self, media: MediaType) -> Iterator[tuple[str, JSON]]:
        """Yield the documented examples in the order of their use; those of the schema are called `schema`."""
        yield from media.examples.items()
        schema: Any = None
        if media.schema is not None:
            document = self.contract.schemas.document
            schema = self.contract.schemas.at(document.follow(media.schema), "reply")
        if isinstance(schema, dict) and "properties" in schema:
            if "example" in schema:
                yield "schema", schema["example"]
            listed = schema.get("examples")
            yield from (("schema", value) for value in (listed if isinstance(listed, list) else ()))

    def _sampled(self, media: MediaType, wishes: Preferences, seed: int) -> JSON:
        pointer = media.schema_pointer
        return sample(self.contract, pointer, seed if wishes.seed is None else wishes.seed, wishes.array_size)


def _checked(media: MediaType, name: str, value: JSON) -> ChosenValue:
    """Return an example with the reason why its schema refuses it, if it does."""
    if (
        media.validator is None
        or media.validator.is_valid(value)
        or (isinstance(value, str) and not is_json(media.name))
    ):
        return ChosenValue(value)
    inside = _parsed(value)  # some documents have JSON examples as text
    if inside is not None and media.validator.is_valid(inside):
        return ChosenValue(inside)
    error = next(iter(media.validator.iter_errors(value)), None)
    where = "/".join(map(str, error.instance_path)) if error else ""
    why = f"{error.message[:150]} (at /{where})" if error else "it is not valid"
    place = parse(media.pointer).child("examples", name) if name not in ("", "schema") else media.pointer
    return ChosenValue(value, f"The example of {place} is refused by its schema: {why}.")


def _parsed(value: JSON) -> JSON:
    if not isinstance(value, str):
        return None
    try:
        return orjson.loads(value)  # type: ignore[no-any-return]
    except ValueError:
        return None
