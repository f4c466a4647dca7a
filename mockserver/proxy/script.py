"""The rules and faults of a scope, for a request that a proxy passes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from agent_contract import Found, parse_call
from agent_contract.messages import Exchange, Reply, Request
from mockserver.engine import Engine
from mockserver.faults.stateful import Sent
from mockserver.recording.replay import in_events, with_length
from mockserver.scenarios.matching import Question
from mockserver.scenarios.script import ActiveScript


@dataclass(frozen=True, slots=True)
class ProxyScript:
    """What rules and faults do to one request and to its reply."""

    active: ActiveScript
    request: Request
    sent: Sent

    def instead(self, is_valid: bool) -> Exchange | None:
        """Return the exchange with the reply that a fault or a rule sends instead of the upstream's; None if none does.

        Rules see only a request that the contract accepts. Raises `NoAnswer` if a rule has no more answers.
        """
        name, reply = self.active.instead(self.sent) or ("", None)
        if reply is None and is_valid:
            reply = self._reply_of_rule()
        if reply is None:
            return None
        faults = (name,) if name else ()
        exchange = Exchange(self.request, with_length(reply), self.sent.operation, faults=faults)
        return self.active.on_the_wire(exchange, self.sent)

    def body(self) -> bytes:
        """Return the body that is sent to the upstream."""
        body = self.active.body(self.sent)
        return self.request.body if body is self.sent.body else orjson.dumps(body)

    @property
    def may_change_reply(self) -> bool:
        """Whether the reply must be whole before it can be passed on."""
        return self.active.may_change_reply(self.sent.operation)

    def on_the_wire(self, reply: Reply) -> Exchange:
        """Return the exchange with a whole reply of the upstream as rules and faults change it.

        The client has waited for the upstream, so only the delays of faults are left.
        """
        reply = in_events(replace(reply, delay=0.0))
        body = reply.body if isinstance(reply.body, bytes) else tuple(replace(one, delay=0.0) for one in reply.body)
        exchange = Exchange(self.request, with_length(replace(reply, body=body)), self.sent.operation)
        return self.active.on_the_wire(exchange, self.sent)

    def _reply_of_rule(self) -> Reply | None:
        body = self.sent.body
        messages = body.get("messages") if isinstance(body, dict) else None
        if not messages:
            return None
        question = Question(
            self.active.agents,
            messages,
            tuple,
            str(body.get("model") or ""),
            bool(body.get("stream")),
            self.request.headers,
            body,
        )
        chosen = self.active.choose(question)
        if chosen is None:
            return None
        fault, raw = chosen.answer.fault, chosen.answer.raw
        if fault and fault.kind.instead:
            return fault.instead()
        return Reply(raw.status, raw.headers, raw.body) if raw else None


def script_for(engine: Engine, request: Request, scope: str, parameters: Mapping[str, str]) -> ProxyScript | None:
    """Return the rules and faults for a request, None without any; raises `ContractError` for an invalid header."""
    active = engine.script_for(request, scope, parameters)
    if active is None:
        return None
    found = engine.contract.find(request.method, request.path)
    operation, body = "", None
    if isinstance(found, Found):
        operation, body = found.operation.id, _body(found, request)
    return ProxyScript(active, request, Sent(operation, body, headers=request.headers, size=len(request.body)))


def _body(found: Found, request: Request) -> Any:
    return parse_call(found, request).body
