"""Errors of stores that can't be opened."""

from __future__ import annotations

from agent_contract.document.errors import ContractError, Problem


class StoreError(ContractError):
    """A store can't be opened; `problems` holds its address, the problem and the remedy."""


def store_error(place: str, problem: str, remedy: str) -> StoreError:
    """Return the error for one problem of the store at the address `place`."""
    return StoreError([Problem("--store", place, problem, remedy)])
