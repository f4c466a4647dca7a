"""What the start of a mock prints about the faults of its document."""

from __future__ import annotations

from agent_contract import Contract
from agent_contract.document.repair.rule import Repair, worst

#: The kinds of repair that are listed.
_SHOWN_REPAIRS = 5


def repair_lines(contract: Contract, *, everything: bool) -> list[str]:
    """Return how many faults of the document were repaired, with the worst five of them, or with all."""
    repairs = contract.repairs
    if not repairs:
        return []
    count = f"{len(repairs)} faults" if len(repairs) > 1 else "1 fault"
    lines = [f"{count} of the document {'are' if len(repairs) > 1 else 'is'} repaired or left out, each by a rule:"]
    if everything:
        return [*lines, *(f"  {repair.place}: {repair.sentence}" for repair in worst(repairs))]
    alike: dict[str, list[Repair]] = {}
    for repair in worst(repairs):
        alike.setdefault(repair.rule.name, []).append(repair)
    for first, *others in list(alike.values())[:_SHOWN_REPAIRS]:
        lines.append(f"  {first.place}: {first.sentence}" + (f", and {len(others)} more" if others else ""))
    lines.append("  All of them: --verbose, or agent-contract check. Replies that depend on one have X-Mock-Warning.")
    return lines
