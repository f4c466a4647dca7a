"""The planted defects: each breaks one clause, in a way that real software does."""

from __future__ import annotations

from server_defects.catalogue import (
    access,
    agents,
    bodies,
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
from server_defects.defect import Defect

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
    *models.DEFECTS,
    *completions.DEFECTS,
)
