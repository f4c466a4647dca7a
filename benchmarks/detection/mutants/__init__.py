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
from benchmarks.detection.mutants.mutant import Defect

__all__ = ["DEFECTS", "Defect"]

DEFECTS: tuple[Defect, ...] = (
    *access.DEFECTS,
    *bodies.DEFECTS,
    *limits.DEFECTS,
    *refusals.DEFECTS,
    *reply.DEFECTS,
    *parts.DEFECTS,
    *choices.DEFECTS,
    *streams.DEFECTS,
    *chunks.DEFECTS,
    *order.DEFECTS,
    *sessions.DEFECTS,
    *session_leaks.DEFECTS,
    *odd_input.DEFECTS,
    *tools.DEFECTS,
    *listing.DEFECTS,
    *agents.DEFECTS,
    *changed.DEFECTS,
    *models.DEFECTS,
    *completions.DEFECTS,
)
