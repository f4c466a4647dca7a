"""Models: their types and engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.resources.agents import MODEL, Agent

#: Types of models.
COMPLETIONS = "COMPLETIONS"
EMBEDDINGS = "EMBEDDINGS"
#: The default engine of each type.
ENGINES: Mapping[str, str] = {COMPLETIONS: "VLLM", EMBEDDINGS: "INFINITY"}


@dataclass(frozen=True, slots=True)
class Model:
    """A model; its id is its name."""

    id: str
    type: str = COMPLETIONS
    engine: str = ENGINES[COMPLETIONS]

    def as_json(self) -> dict[str, Any]:
        """Return the model as the API returns it."""
        return {
            "id": self.id,
            "object": "model",
            "created": 0,
            "owned_by": "agent-contract",
            "model_type": self.type,
            "model_engine": self.engine,
        }


def configured_model(id: str, model_type: str = COMPLETIONS, model_engine: str | None = None) -> Model:
    """Return a model of the configuration."""
    return Model(id, model_type, model_engine or ENGINES[model_type])


def with_agent_models(models: Iterable[Model], agents: Iterable[Agent]) -> dict[str, Model]:
    """Return `models` by id, followed by other models of `agents`."""
    known = {model.id: model for model in models}
    for agent in agents:
        known.setdefault(agent.model, Model(agent.model))
    return known


#: The default models.
MODELS = (configured_model(MODEL), configured_model("bge-small-en-v1.5", EMBEDDINGS))
