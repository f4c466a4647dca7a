"""Mutants: tools and of content in a form."""

from typing import Any

from benchmarks.detection.field_mutators import typed
from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.mutants.mutant import planting
from server_defects.forms import form

plant = planting("tools")


CHOICES = (plant("tools-of-any-type", "tools-type", "Takes anything for tools.", fields=typed(tools=(Any, None))),)
FORMS = (
    plant(
        "response-format-of-any-type",
        "response-format-type",
        "Takes anything for a form.",
        fields=typed(response_format=(Any, None)),
        checks=ServerHooks().checks[:-1],
        form=lambda pieces, call: (
            form(pieces, call) if isinstance(call.payload.get("response_format"), dict) else pieces
        ),
    ),
)
MUTANTS = (*CHOICES, *FORMS)
