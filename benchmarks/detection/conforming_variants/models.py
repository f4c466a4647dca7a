"""Variants of models and inference servers that keep the contract."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.detection.conforming_variants.variant import SESSIONS, Variant
from benchmarks.detection.hooks import ServerHooks, count
from server_defects.catalogue.parts import PASSAGES
from server_defects.hooks import ChatCall, CheckedAgent, Memory, Message, Payload, Refusal, recall
from server_defects.mutators import Chunk, delta_of, edited, on_answer

PLAIN = ServerHooks()
#: Tokens that a reasoning model uses before its answer begins.
REASONING = 40
#: Sessions with more characters are summarized.
SUMMARIZED_BEYOND = 500


def several_only_when_warm(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse several choices at temperature 0."""
    if (payload.get("n") or 1) > 1 and not payload.get("temperature"):
        raise Refusal("bound", 400, "n must be 1 when using greedy sampling")


def one_only(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse several choices."""
    if (payload.get("n") or 1) > 1:
        raise Refusal("bound", 400, "Only one completion choice is allowed")


def thinks(call: ChatCall) -> bool:
    """Whether the limit cuts a reasoning model while it reasons."""
    return call.limit is not None and call.limit <= REASONING


def thinking(call: ChatCall, index: int, random_: random.Random) -> list[str]:
    """Return an answer that is longer than any cut while reasoning."""
    return [random_.choice(("so", "then", "perhaps", "thus")) + " " for _ in range(REASONING + 20)]


def thought(empty: Any) -> Any:
    """Return an edit of answers that were cut while the model reasoned: their content is null, or empty."""

    def edit(answer: dict[str, Any], call: ChatCall) -> dict[str, Any]:
        if not thinks(call):
            return answer
        for choice in answer["choices"]:
            choice["message"] = {
                "role": "assistant",
                "content": empty,
                "reasoning_content": choice["message"]["content"],
            }
        return answer

    return edit


def thought_aloud(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return chunks with the reasoning, and without content if the model was cut while reasoning."""
    if not thinks(call):
        return chunks
    return [
        edited(chunk, delta={"reasoning_content": delta_of(chunk)["content"]})
        if delta_of(chunk).get("content")
        else chunk
        for chunk in chunks
    ]


def informed_counts(messages: Sequence[Message]) -> int:
    """Return the prompt tokens of messages with what was found for them, which differs from call to call."""
    return count(messages) + random.randint(40, 900)


def first_informed(chunks: list[Chunk], call: ChatCall) -> list[Any]:
    """Return the chunks with what was found in the first."""
    return [{**chunks[0], "index_context_info": PASSAGES}, *chunks[1:]]


def instructed(messages: Sequence[Message]) -> int:
    """Return the prompt tokens of messages, with an agent's long instructions."""
    return 850 + count(messages)


def summarizing(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return the context of a session, summarized if it is too long."""
    context = recall(memory, session, payload)
    if sum(len(str(message["content"])) for message in context) <= SUMMARIZED_BEYOND:
        return context
    return [{"role": "user", "content": "In short: they talked."}, *context[-2:]]


def says(*pieces: str) -> Any:
    """Return a model that always answers the same."""
    return lambda call, index, random_: list(pieces)


def novel(call: ChatCall, index: int, random_: random.Random) -> list[str]:
    """Return an answer that no other equals."""
    return [f"{uuid.uuid4().hex[:6]} " for _ in range(30)]


VARIANTS = (
    Variant(
        "n-refused-at-zero",
        "Refuses several choices at temperature 0, as vLLM does.",
        replace(PLAIN, checks=(*PLAIN.checks, several_only_when_warm)),
    ),
    Variant(
        "n-refused", "Refuses several choices, as llama.cpp does.", replace(PLAIN, checks=(*PLAIN.checks, one_only))
    ),
    Variant(
        "reasoning-null",
        "A reasoning model, which is cut before it answers: null content.",
        replace(PLAIN, generate=thinking, answer=thought(None), chunks=thought_aloud),
    ),
    Variant(
        "reasoning-empty",
        "A reasoning model, which is cut before it answers: empty content.",
        replace(PLAIN, generate=thinking, answer=thought(""), chunks=thought_aloud),
    ),
    Variant(
        "knowledge",
        "An agent that answers from documents: its prompts' tokens vary from call to call.",
        replace(
            PLAIN,
            count=informed_counts,
            answer=on_answer(lambda answer: {**answer, "index_context_info": PASSAGES}),
            chunks=first_informed,
        ),
        undecided=SESSIONS,
    ),
    Variant(
        "instructions",
        "An agent with long instructions, which count in every prompt.",
        replace(PLAIN, count=instructed),
    ),
    Variant(
        "summarizing",
        "An agent that summarizes its sessions beyond 500 characters.",
        replace(PLAIN, recall=summarizing),
    ),
    Variant("never-the-same", "A model that never answers the same twice.", replace(PLAIN, generate=novel)),
    Variant(
        "always-the-same",
        "A model that always answers the same.",
        replace(PLAIN, generate=says("I ", "cannot ", "help ", "with ", "that.")),
    ),
    Variant("monosyllabic", "A model that answers in one token.", replace(PLAIN, generate=says("Yes"))),
    Variant(
        "long-winded",
        "A model whose tokens are long and whose answers are longer.",
        replace(PLAIN, generate=lambda call, index, random_: ["Verfassungsgerichtsurteil, "] * 400),
    ),
)
