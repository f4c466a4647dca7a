"""What can be wrong with completions, the older way to ask an agent."""

from benchmarks.detection.field_mutators import retyped
from benchmarks.detection.mutants.mutant import planting
from benchmarks.detection.resources import PROMPT

completions = planting("completions", family="completions")


MUTANTS = (
    completions(
        "prompt-missing",
        "prompt-required",
        "Continues nothing without a prompt.",
        resource_fields=retyped(PROMPT, prompt=(str | list[str], "")),
    ),
)
