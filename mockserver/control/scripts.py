"""Control operations on rules, faults and the clock of a scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_contract.document.checked_file import Source
from agent_contract.document.errors import ContractError
from agent_contract.messages import JSON_TYPE, Reply
from mockserver.core.clock import described
from mockserver.core.context import Behaviour, Context
from mockserver.core.outcome import Outcome, Rejection, json_outcome
from mockserver.core.scripts import Scripts
from mockserver.scenarios.read import complete_schema


def script_behaviours(scripts: Scripts) -> Mapping[str, Behaviour]:
    """Return the operations on rules, faults and the clock, by operationId."""

    def listed(kind: str) -> Behaviour:
        return lambda context: json_outcome(_shown(scripts, kind, context))

    def added(kind: str) -> Behaviour:
        return lambda context: _add(scripts, kind, context)

    def removed(kind: str) -> Behaviour:
        return lambda context: _remove(scripts, kind, context)

    def removed_one(kind: str) -> Behaviour:
        return lambda context: _remove_one(scripts, kind, context)

    return {
        "removeRule": removed_one("rules"),
        "removeFault": removed_one("faults"),
        "listRules": listed("rules"),
        "addRules": added("rules"),
        "removeRules": removed("rules"),
        "listFaults": listed("faults"),
        "addFaults": added("faults"),
        "removeFaults": removed("faults"),
        "getClock": lambda context: json_outcome(described(scripts.clock(context.transaction.scope))),
        "setClock": lambda context: _set_clock(scripts, context),
        "getScenarioSchema": lambda _: Outcome(Reply(200, JSON_TYPE, complete_schema())),
    }


def _shown(scripts: Scripts, kind: str, context: Context) -> dict[str, Any]:
    shown = scripts.shown(context.transaction.scope)
    return {**({"strict": shown["strict"]} if kind == "rules" else {}), kind: shown[kind]}


def _add(scripts: Scripts, kind: str, context: Context) -> Outcome:
    """Add what the body describes: one, or several under `rules` or `faults`."""
    body: Any = context.call.body
    value = body if isinstance(body, dict) and (kind in body or "strict" in body) else {kind: [body]}
    try:
        is_first = bool(context.call.parameters.get("first"))
        ids = scripts.add(context.transaction.scope, value, Source("body"), first_of_all=is_first)
    except ContractError as error:
        raise Rejection(400, "", "\n".join(str(problem) for problem in error.problems), ("body",)) from None
    return json_outcome({"ids": ids})


def _remove(scripts: Scripts, kind: str, context: Context) -> Outcome:
    scripts.remove(context.transaction.scope, kind)
    return Outcome(Reply(204, {}, b""))


def _remove_one(scripts: Scripts, kind: str, context: Context) -> Outcome:
    id = str(context.call.parameters["id"])
    if scripts.remove_one(context.transaction.scope, kind, id):
        return Outcome(Reply(204, {}, b""))
    why = f"This scope has set no {kind.removesuffix('s')} with this id. Those that the mock was started with stay."
    raise Rejection(404, "", why, ("path", "id"), None, id)


def _set_clock(scripts: Scripts, context: Context) -> Outcome:
    """Change the mode of the clock, then move it on."""
    change: Any = context.call.body
    clock = scripts.control_clock(context.transaction.scope)
    if "mode" in change:
        clock.switch(change["mode"])
    if "advance" in change:
        clock.advance(change["advance"])
    return json_outcome(described(clock))
