"""Planted defects: each deployment breaks one clause, in a way that real software does."""

from benchmarks.detection.mutants import (
    access,
    agents,
    bodies,
    changed,
    choices,
    chunks,
    completions,
    limits,
    listing,
    models,
    odd_input,
    order,
    parts,
    refusals,
    reply,
    session_leaks,
    sessions,
    streams,
    tools,
)
from benchmarks.detection.mutants.mutant import Mutant

__all__ = ["MUTANTS", "Mutant"]

MUTANTS: tuple[Mutant, ...] = (
    *access.MUTANTS,
    *bodies.MUTANTS,
    *limits.MUTANTS,
    *refusals.MUTANTS,
    *reply.MUTANTS,
    *parts.MUTANTS,
    *choices.MUTANTS,
    *streams.MUTANTS,
    *chunks.MUTANTS,
    *order.MUTANTS,
    *sessions.MUTANTS,
    *session_leaks.MUTANTS,
    *odd_input.MUTANTS,
    *tools.MUTANTS,
    *listing.MUTANTS,
    *agents.MUTANTS,
    *changed.MUTANTS,
    *models.MUTANTS,
    *completions.MUTANTS,
)
