"""The catalogue of faults as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent_contract.document.checked_file import Source
from mockserver.faults.catalogue import KINDS, FaultParameter
from mockserver.faults.fault import COMMON, read_fault

_TYPES: Mapping[type, str] = {int: "integer", float: "number", str: "text", bool: "true or false"}


def fault_list() -> str:
    """Return a line for each fault, and how to set one."""
    width = max(map(len, KINDS))
    lines = [f"{kind.name:<{width}}  {kind.does}" for kind in KINDS.values()]
    return "\n".join([*lines, "", "agent-contract faults NAME lists parameters. Set one with:", *_examples()])


def fault_details(name: str) -> str:
    """Return what a fault does, and its parameters; raises `ContractError` for an unknown name."""
    kind = read_fault(name, Source("NAME")).kind
    lines = [f"{kind.name} {kind.does}."]
    for title, parameters in (("Parameters:", kind.parameters), ("Parameters of every fault:", COMMON)):
        if parameters:
            lines += ["", title, *_rows(parameters)]
    return "\n".join(lines)


def _rows(parameters: Mapping[str, FaultParameter]) -> Iterator[str]:
    width = max(map(len, parameters))
    for name, parameter in parameters.items():
        default = "" if parameter.default is None else f" (default: {parameter.default})"
        yield f"  {name:<{width}}  {_TYPES[parameter.type]}: {parameter.meaning}{default}"


def _examples() -> tuple[str, ...]:
    return (
        "  agent-contract serve --fault status-429:times=2,retry_after=1",
        "  the header X-Mock-Fault: cut:after=3, for one request",
        "  POST /__mock__/faults, in a scope",
    )
