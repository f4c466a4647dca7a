"""Conforming deployments, each different in what the contract allows. If one fails, that is a false positive."""

from benchmarks.detection.conforming_variants import (
    answers,
    around,
    framings,
    inputs,
    knowledge,
    models,
    schemas,
    servers,
    sessions,
    tools,
)
from benchmarks.detection.conforming_variants.variant import Variant

__all__ = ["VARIANTS", "Variant"]

VARIANTS: tuple[Variant, ...] = (
    *inputs.VARIANTS,
    *answers.VARIANTS,
    *framings.VARIANTS,
    *models.VARIANTS,
    *schemas.VARIANTS,
    *servers.VARIANTS,
    *sessions.VARIANTS,
    *tools.VARIANTS,
    *around.VARIANTS,
    *knowledge.VARIANTS,
)
