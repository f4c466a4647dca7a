"""Turns the answers of rules into choices and completions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from mockserver.generation.completion import Choice, Completion, ToolCall, choice_of_text
from mockserver.generation.tokenizer import pieces
from mockserver.scenarios.rule import Answer


def scripted_choice(answer: Answer, id: str, index: int, stops: Sequence[str], limit: int | None) -> Choice | None:
    """Return the choice of an answer; None if its content is computed. Stop sequences and the limit of tokens apply."""
    if answer.text is not None:
        return choice_of_text(answer.text, stops, limit)
    if answer.refusal is not None:
        return replace(choice_of_text(answer.refusal, stops, limit), is_refusal=True)
    if not answer.parts:
        return None
    parts = tuple(
        tuple(pieces(part))
        if isinstance(part, str)
        else ToolCall(part.id or _call_id(id, index, number), part.name, tuple(pieces(part.arguments)))
        for number, part in enumerate(answer.parts)
    )
    calls = tuple(part for part in parts if isinstance(part, ToolCall))
    said = tuple(piece for part in parts if not isinstance(part, ToolCall) for piece in part)
    tokens = len(said) + sum(1 + len(call.pieces) for call in calls)
    return Choice(said, "tool_calls" if calls else "stop", tokens, calls, parts=parts)


def completed(completion: Completion, answer: Answer) -> Completion:
    """Return the completion with the finish reason and the usage that the answer sets."""
    if answer.finish_reason is not None:
        choices = tuple(replace(choice, finish_reason=answer.finish_reason) for choice in completion.choices)
        completion = replace(completion, choices=choices)
    return replace(completion, counted=answer.usage) if answer.usage else completion


def _call_id(id: str, index: int, number: int) -> str:
    return f"call_{hashlib.blake2b(f'{id}/{index}/{number}'.encode(), digest_size=12).hexdigest()}"
