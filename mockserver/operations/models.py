"""Models, listed and asked without an agent."""

from __future__ import annotations

from agent_contract import Call
from mockserver.core.behaviour import Outcome, Refused, Setting, Turn, View, answer
from mockserver.generation.embeddings import Vector, embed
from mockserver.generation.tokenizer import count_tokens
from mockserver.operations.chat import answer_as
from mockserver.operations.chat_request import body_of, short
from mockserver.resources.agents import OPENAI_ROLES, Agent, all_agents
from mockserver.resources.models import COMPLETIONS, EMBEDDINGS, Model, with_agents_own

#: How many numbers a vector has where it is not asked for.
DIMENSIONS = 384


def list_models(_call: Call, setting: Setting, _turn: Turn, view: View) -> Outcome | Refused:
    """Return the models: those of the configuration first, then those that only agents have."""
    models = _models(setting, view).values()
    value = {"object": "list", "data": [model.as_json() for model in models]}
    return answer(value)


def answer_model_chat(call: Call, setting: Setting, turn: Turn, view: View) -> Outcome | Refused:
    """Return what a model answers by itself: every role is accepted, nothing is told to it and nothing kept."""
    body = body_of(call)  # the operation lists nothing of sessions: what a body says of them is left out
    name = body["model"]
    refused = _model_refused(setting, view, name, COMPLETIONS)
    if refused:
        return refused
    return answer_as(Agent(name, {"model": name}, OPENAI_ROLES), body, setting, turn, view)


def create_embeddings(call: Call, setting: Setting, _turn: Turn, view: View) -> Outcome | Refused:
    """Return a vector for each text, or why there is none: the model, or more than the mock embeds at once."""
    body, limits = body_of(call), setting.limits
    model, texts = body["model"], [body["input"]] if isinstance(body["input"], str) else body["input"]
    dimensions = int(body.get("dimensions") or min(DIMENSIONS, limits.dimensions))
    refused = (
        _model_refused(setting, view, model, EMBEDDINGS)
        or _above(limits.texts, len(texts), "input", "texts at once")
        or _above(limits.dimensions, dimensions, "dimensions", "dimensions")
    )
    if refused:
        return refused
    form = Vector.as_base64 if body.get("encoding_format") == "base64" else Vector.as_json
    data = [
        {"object": "embedding", "index": index, "embedding": form(embed(text, model, dimensions))}
        for index, text in enumerate(texts)
    ]
    tokens = sum(count_tokens(text) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    value = {"object": "list", "data": data, "model": model, "usage": usage}
    return answer(value)


def _models(setting: Setting, view: View) -> dict[str, Model]:
    return with_agents_own(setting.models.values(), all_agents(setting.agents, view))


def _model_refused(setting: Setting, view: View, name: str, wanted: str) -> Refused | None:
    """Return why a model can't be asked: it is not there, or can't do what is `wanted`."""
    found = setting.models.get(name)  # agents that clients made are looked through for the others alone
    models = {} if found else _models(setting, view)
    found = found or models.get(name)
    where = ("body", "model")
    if found is None:
        there = ", ".join(models)
        why = f'Unknown model endpoint requested: "{short(name)}". There are: {short(there)}.'
        return Refused(404, "unknown", why, where, there, name)
    if found.type == wanted:
        return None
    why = f"Invalid model endpoint specified: {name} is a model of {found.type}, and {wanted} are asked for."
    return Refused(400, "wrong-kind", why, where, wanted, found.type)


def _above(most: int, number: int, name: str, what: str) -> Refused | None:
    if number <= most:
        return None
    asked_for = str(number) if number < 10**18 else "far more"
    why = f"This server gives at most {most} {what}, not {asked_for}."
    return Refused(400, "", why, ("body", name), most, asked_for)
