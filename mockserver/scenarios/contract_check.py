"""Checks the answers of rules against the contract, when a rule is set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import orjson

from agent_contract import Contract, check_reply
from agent_contract.messages import Reply, Violation
from mockserver.generation.completion import Completion, stream_reply, whole_reply
from mockserver.generation.latency import Pace
from mockserver.scenarios.answering import completed, scripted_choice
from mockserver.scenarios.read import ContractCheck
from mockserver.scenarios.rule import Answer

_FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")
_ID = "00000000-0000-4000-8000-000000000000"


def contract_check(contract: Contract, operation_id: str) -> ContractCheck:
    """Return a function that returns what an answer breaks of the contract, each with a remedy.

    Without the operation, the document has no chats: rules can have raw answers, faults and delays.
    """
    if operation_id not in contract.operations:
        return _chat_problems
    return partial(_problems, contract, operation_id)


def _chat_problems(answer: Answer) -> list[tuple[str, str]]:
    """Return why an answer needs chats, which another document does not have."""
    if not answer.is_computed:
        return []
    return [("this document has no agents that could answer", "write a raw answer, a fault or a delay")]


def _problems(contract: Contract, operation_id: str, answer: Answer) -> list[tuple[str, str]]:
    operation = contract.operations[operation_id]
    if answer.raw is not None:
        raw = answer.raw
        return [_described(one) for one in check_reply(operation, Reply(raw.status, raw.headers, raw.body))]
    if answer.template:
        answer = replace(answer, text="text", template=None)
    choice = scripted_choice(answer, _ID, 0, (), None)
    if choice is None:
        return [*_rules(answer)]
    completion = completed(Completion(_ID, 0, "model", (choice,), 1, None, None), answer)
    replies = whole_reply(completion, Pace(), b""), stream_reply(completion, True, Pace(), b"")
    broken = dict.fromkeys(_described(one) for reply in replies for one in check_reply(operation, reply))
    return [*broken, *_rules(answer)]


def _rules(answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield what no schema expresses."""
    reason, usage = answer.finish_reason, answer.usage
    if reason is not None and reason not in _FINISH_REASONS:
        yield f'"{reason}" is not a finish_reason (chat.reply-finish-reason)', _one_of(_FINISH_REASONS)
    if reason == "tool_calls" and not answer.calls and answer.is_scripted:
        yield "the finish_reason is tool_calls, but the answer has none", "add tool_calls"
    if any(count < 0 for count in usage.values()):
        yield "a token count is negative (chat.reply-usage)", "send 0 or more"
    known = usage.get("prompt_tokens"), usage.get("completion_tokens"), usage.get("total_tokens")
    if known[2] is not None and (None in known or known[0] + known[1] != known[2]):  # type: ignore[operator]
        remedy = "leave total_tokens out: it is the sum"
        yield "total_tokens is not the sum of prompt_tokens and completion_tokens (chat.reply-usage-sum)", remedy
    for call in answer.calls:
        if not _is_object(call.arguments):
            yield f"the arguments of {call.name} are not a JSON object", "write them as a mapping"


def _is_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except ValueError:
        return False


def _described(violation: Violation) -> tuple[str, str]:
    place = violation.place
    return f"{place} of the reply breaks the contract ({violation.rule})", f"follow {violation.pointer}"


def _one_of(values: Sequence[str]) -> str:
    return f"choose one of {', '.join(values)}"
