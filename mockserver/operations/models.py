"""Operations on models without an agent: list, chat, embeddings."""

from __future__ import annotations

from agent_contract.printable import shorten
from mockserver.core.context import Context
from mockserver.core.limits import NUMBERS
from mockserver.core.outcome import Outcome, Rejection, json_outcome
from mockserver.generation.embeddings import Vector, embed
from mockserver.generation.tokenizer import count_tokens
from mockserver.operations.agent_store import all_agents
from mockserver.operations.chat import answer_as
from mockserver.operations.request_body import body_of
from mockserver.resources.agents import OPENAI_ROLES, Agent
from mockserver.resources.models import COMPLETIONS, EMBEDDINGS, Model, with_agent_models

#: Default dimensions of a vector.
DIMENSIONS = 384


def list_models(context: Context) -> Outcome:
    """Return the configured models, then other models of agents."""
    models = _models(context).values()
    return json_outcome({"object": "list", "data": [model.as_json() for model in models]})


def answer_model_chat(context: Context) -> Outcome:
    """Return the answer of a model. Every role is accepted; there are no instructions and no sessions."""
    body = body_of(context.call)
    name = body["model"]
    _check_model(context, name, COMPLETIONS)
    return answer_as(Agent(name, {"model": name}, OPENAI_ROLES), context)


def create_embeddings(context: Context) -> Outcome:
    """Return a vector for each input; raises `Rejection` for a wrong model or an exceeded limit."""
    body, limits = body_of(context.call), context.settings.limits
    model, inputs = body["model"], [body["input"]] if isinstance(body["input"], str) else body["input"]
    dimensions = int(body.get("dimensions") or min(DIMENSIONS, limits.dimensions))
    _check_model(context, model, EMBEDDINGS)
    _check_limit(limits.texts, len(inputs), "input", "inputs")
    _check_limit(limits.dimensions, dimensions, "dimensions", "dimensions")
    _check_limit(NUMBERS, len(inputs) * dimensions, "input", "numbers (inputs times dimensions)")
    form = Vector.as_base64 if body.get("encoding_format") == "base64" else Vector.as_json
    data = [
        {"object": "embedding", "index": index, "embedding": form(embed(text, model, dimensions))}
        for index, text in enumerate(inputs)
    ]
    tokens = count_tokens(*inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_outcome({"object": "list", "data": data, "model": model, "usage": usage})


def _models(context: Context) -> dict[str, Model]:
    return with_agent_models(context.settings.models.values(), all_agents(context.settings, context.transaction))


def _check_model(context: Context, name: str, needed: str) -> None:
    """Refuse a model that does not exist or is not of the type that is `needed`."""
    found = context.settings.models.get(name)  # reading the agents of clients is slower
    models = {} if found else _models(context)
    found = found or models.get(name)
    location = ("body", "model")
    if found is None:
        known = ", ".join(models)
        why = f'Unknown model endpoint requested: "{shorten(name)}". Known models: {shorten(known)}.'
        raise Rejection(404, "unknown", why, location, known, name)
    if found.type != needed:
        why = f"Invalid model endpoint specified: {name} has the type {found.type}, but {needed} is needed."
        raise Rejection(400, "wrong-kind", why, location, needed, found.type)


def _check_limit(most: int, number: int, name: str, what: str) -> None:
    if number > most:
        got = str(number) if number < 10**18 else "more than 10^18"
        why = f"The request has {got} {what}, but the limit is {most}."
        raise Rejection(400, "", why, ("body", name), most, got)
