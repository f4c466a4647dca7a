"""Mutants: the reference server with each planted defect, and with those that only it can play."""

from benchmarks.detection.mutants import (
    access,
    agents,
    bodies,
    changed,
    completions,
    documents,
    indexes,
    knowledge,
    limits,
    listing,
    models,
    session_leaks,
    tools,
)
from benchmarks.detection.mutants.mutant import Mutant, mutant_of
from server_defects.catalogue import DEFECTS

__all__ = ["MUTANTS", "Mutant"]

MUTANTS: tuple[Mutant, ...] = (
    *map(mutant_of, DEFECTS),
    *access.MUTANTS,
    *bodies.MUTANTS,
    *limits.MUTANTS,
    *session_leaks.MUTANTS,
    *tools.MUTANTS,
    *listing.MUTANTS,
    *agents.MUTANTS,
    *changed.MUTANTS,
    *models.MUTANTS,
    *completions.MUTANTS,
    *knowledge.MUTANTS,
    *indexes.MUTANTS,
    *documents.MUTANTS,
)
