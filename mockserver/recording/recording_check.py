"""Holds recordings to a contract: which of a client's requests, and which recorded replies, would break it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from agent_contract import Contract, Found, Operation, check_reply, check_request, parse_call
from agent_contract.messages import Exchange, Violation
from agent_contract.printable import printable_line
from mockserver.recording.exchange_json import excerpt

_SHOWN = 100  # characters of an expected or a recorded value


def check_recording(contract: Contract, exchange: Exchange) -> Iterator[str]:
    """Yield a line for each thing of a recorded exchange that breaks a contract.

    What is wrong with a request counts only if the deployment accepted it: a client may test how it is refused.
    """
    request, reply = exchange.request, exchange.reply
    found = contract.find(request.method, request.path)
    was_accepted = reply.status < 400
    if not isinstance(found, Found):
        if was_accepted:
            yield printable_line(f"request: the contract has no {request.method} {request.path}")
        return
    operation = found.operation
    if was_accepted:
        call = parse_call(found, request)
        if call.problem is not None:
            yield f"request/body: {call.problem.detail}"
        yield from described(contract, operation, _within("request", check_request(call)))
    broken = check_reply(operation, replace(reply, body=reply.content()))
    yield from described(contract, operation, _within("reply", broken))


def described(contract: Contract, operation: Operation | None, violations: Iterable[Violation]) -> Iterator[str]:
    """Yield a line for each violation: place, rule, and the clause that it breaks."""
    for one in violations:
        clause = contract.clause_for(one, operation) if operation else ""
        text = f"{one.place} {one.rule}: expected {excerpt(one.expected, _SHOWN)}, got {excerpt(one.got, _SHOWN)}"
        yield printable_line(f"{text} ({clause})" if clause else text)


def _within(message: str, violations: Iterable[Violation]) -> Iterator[Violation]:
    return (replace(one, where=(message, *one.where)) for one in violations)
