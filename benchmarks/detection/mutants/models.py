"""What can be wrong with models: their list, a chat with one, embeddings."""

from collections.abc import Mapping
from typing import Any

from benchmarks.detection.field_mutators import retyped
from benchmarks.detection.mutants.mutant import planting
from benchmarks.detection.registry import EMBEDDER, Registry
from benchmarks.detection.resources import EMBED

models = planting("models", family="models")
embeddings = planting("models", family="embeddings")


class AnyModel(Registry):
    """Takes the name of an unknown model for that of a known one."""

    def of_kind(self, model: str, wanted: str) -> None:  # noqa: D102
        super().of_kind(wanted if model not in (self.model, EMBEDDER) else model, wanted)


class EmbedsByAnything(Registry):
    """Embeds by its own model, whatever model is named."""

    def embed(self, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().embed({**sent, "model": EMBEDDER})


MUTANTS = (
    models("model-any", "unknown", "Answers by its own model if the name is unknown.", registry=AnyModel),
    models(
        "model-unknown-embeds", "unknown", "Embeds by its own model, whichever is named.", registry=EmbedsByAnything
    ),
    embeddings(
        "embeds-nothing",
        "input-required",
        "Embeds the empty string without an input.",
        resource_fields=retyped(EMBED, input=(str | list[str], "")),
    ),
    embeddings(
        "embeds-by-its-own-model",
        "model-required",
        "Embeds by its own model without a name.",
        resource_fields=retyped(EMBED, model=(str, EMBEDDER)),
    ),
)
