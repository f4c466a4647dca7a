"""What is said of a store that can't be opened."""

from __future__ import annotations

from agent_contract.document.errors import ContractError, Problem


class StoreError(ContractError):
    """A store can't be opened; `problems` holds its address, what is wrong, and what to do."""


def store_error(place: str, problem: str, remedy: str) -> StoreError:
    """Return the error that names one fault of the store at the address `place`."""
    return StoreError([Problem("--store", place, problem, remedy)])
