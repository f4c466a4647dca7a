"""Says on each reply which repaired parts of the document it depends on: in a header, and in the journal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agent_contract import Contract
from agent_contract.messages import Exchange
from agent_contract.touched_repairs import touching_repairs
from mockserver.documented.answers import header_text
from mockserver.documented.preferences import WARNING_HEADER

#: How many repairs a reply names; the others are counted.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class RepairedParts:
    """The repairs that the operations of a document depend on; each operation's are found at its first reply."""

    contract: Contract
    _known: dict[tuple[str, int], tuple[str, ...]] = field(default_factory=dict, repr=False)

    def noted(self, exchange: Exchange, tolerated: tuple[str, ...] = ()) -> Exchange:
        """Return the exchange with a warning if its operation depends on a repaired part, or a fault is tolerated."""
        sentences = self._sentences(exchange.operation)
        if not sentences and not tolerated:
            return exchange
        named = [*tolerated[:_NAMED], *sentences[:_NAMED]]
        if len(sentences) > _NAMED:
            named.append(f"{len(sentences) - _NAMED} more repairs; agent-contract check lists them")
        reply = exchange.reply
        before = reply.headers.get(WARNING_HEADER)
        text = header_text("; ".join([*([before] if before else []), *named]))
        headers = {**reply.headers, WARNING_HEADER: text}
        return replace(exchange, reply=replace(reply, headers=headers), hints=(*exchange.hints, *named))

    def _sentences(self, operation: str) -> tuple[str, ...]:
        # Schemas that can't be compiled are found when they are used: then, their number grows.
        key = (operation, len(self.contract.schemas.unchecked))
        if key not in self._known:
            described = self.contract.operations.get(operation)
            self._known[key] = touching_repairs(self.contract, described) if described else ()
        return self._known[key]
