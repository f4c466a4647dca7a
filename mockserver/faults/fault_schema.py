"""The JSON Schema of faults, made from the catalogue: editors complete the names and parameters of faults by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mockserver.faults.catalogue import KINDS, FaultParameter, Kind
from mockserver.faults.fault import COMMON, MOST_TEXT, bounds_of

_STATUS = "status-"


def fault_schema(kinds: Iterable[Kind] = KINDS.values()) -> dict[str, Any]:
    """Return the schema of a fault as `read_fault` reads it: NAME, NAME:key=value, a status, or a mapping."""
    kinds = list(kinds)
    names = [kind.name for kind in kinds]
    statuses = [int(name.removeprefix(_STATUS)) for name in names if name.startswith(_STATUS)]
    name = {"description": "The name, or a status.", "enum": [*names, *statuses, *map(str, statuses)]}
    parameters = {name: one for kind in kinds for name, one in kind.parameters.items()} | dict(COMMON)
    return {
        "description": "A fault: NAME, NAME:key=value,key=value, a status, or a mapping with `fault` and parameters.",
        "anyOf": [
            {"description": "The name, or a status.", "enum": [*names, *statuses]},
            {"type": "string", "pattern": f"^\\s*(?:{'|'.join((*names, *map(str, statuses)))})\\s*(?::.*)?$"},
            {
                "type": "object",
                "required": ["fault"],
                "properties": {"fault": name, **{key: _schema(key, one) for key, one in parameters.items()}},
                "allOf": [_own_parameters(kind) for kind in kinds],
            },
        ],
    }


def _own_parameters(kind: Kind) -> dict[str, Any]:
    """Return the schema that permits a fault only its own parameters."""
    status = kind.name.removeprefix(_STATUS)
    names = [kind.name, status, int(status)] if status.isdigit() else [kind.name]
    return {
        "if": {"properties": {"fault": {"enum": names}}},
        "then": {"propertyNames": {"enum": ["fault", *kind.parameters, *COMMON]}},
    }


def _schema(name: str, parameter: FaultParameter) -> Mapping[str, Any]:
    described = {"description": f"{parameter.meaning[0].upper()}{parameter.meaning[1:]}."}
    if parameter.type is bool:
        return {**described, "type": "boolean"}
    if parameter.type is str:
        return {**described, "type": ["string", "number"], "pattern": "^[ -~]*$", "maxLength": MOST_TEXT}
    least, most = bounds_of(name)
    kind = "integer" if parameter.type is int else "number"
    return {**described, "type": kind, "minimum": least, "maximum": most}
