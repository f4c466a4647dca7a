"""Values of a contract's schemas: by the fast sampler, and by the thorough one if that finds none."""

from __future__ import annotations

import random

from agent_contract.contract import Contract
from agent_contract.document.json_pointer import Place, parse
from agent_contract.messages import JSON
from agent_contract.model.schemas import Direction
from agent_contract.sampling.sample_strings import SampleStrings
from agent_contract.sampling.sampler import TRIES, SampleError, SampleSource, value_of
from agent_contract.sampling.thorough import find_value

#: The tries of the fast sampler; each costs as much as one of the thorough sampler.
_FAST_TRIES = 3


def sample(
    contract: Contract,
    pointer: str,
    seed: int = 0,
    array_size: int | None = None,
    direction: Direction = "reply",
) -> JSON:
    """Return a value of the schema that a pointer names; SampleError with the reason if none is found.

    The value is checked against the schema before it is returned. It depends only on the document and the arguments.
    Arrays have `array_size` items if their schemas allow it; None leaves the number to the schema. A value for a reply
    lacks write-only properties, one for a request may lack read-only ones.
    """
    place = parse(pointer)
    schemas = contract.schemas
    validator = schemas.compiled(place, direction)

    def at(where: Place) -> JSON:
        return schemas.at(where, direction)

    for attempt in range(_FAST_TRIES if array_size is None else 0):
        chance = random.Random(seed * TRIES + attempt)
        source = SampleSource(at, schemas.document.follow, chance, SampleStrings(chance), reads_descriptions=True)
        try:
            value = value_of(source, place)
        except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError):
            break  # the schema is beyond it
        if validator.is_valid(value):
            return value
    try:
        return find_value(place, at, schemas.document.follow, validator, seed, array_size)
    except SampleError as error:
        raise SampleError(f"{error}; correct the schema, or give it an example") from None
