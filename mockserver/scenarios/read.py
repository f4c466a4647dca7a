"""Reads scenarios: from a file, from Python values, and from the control interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from agent_contract.document.checked_file import Keys, Source, schema_problems
from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.reader import parse_text, read_text
from mockserver.faults.catalogue import KINDS
from mockserver.faults.fault import Fault, read_fault
from mockserver.faults.fault_schema import fault_schema
from mockserver.generation.latency import Pace
from mockserver.scenarios.matching import CompiledRule, ConditionInvalid, compile_conditions
from mockserver.scenarios.rule import Answer, Rule, ScriptedCall, ScriptedReply, ToolResult, When
from mockserver.scenarios.templates import TemplateInvalid, compile_template

_SCHEMA = Path(__file__).parent / "scenario.schema.json"
#: An answer has at most one of these.
_CONTENTS = ("text", "template", "tool_calls", "parts", "data", "refusal", "raw")


@dataclass(frozen=True, slots=True)
class Scenario:
    """The rules and faults of a scenario, as they were given, and compiled; `source` is the file's name, if any."""

    strict: bool | None = None
    rules: tuple[CompiledRule, ...] = ()
    faults: tuple[Fault, ...] = field(default=())
    source: str = ""


#: Returns what the answers of a rule break of the contract: where in the answer, what and what to do.
ContractCheck = Callable[[Answer], list[tuple[str, str]]]


def read_scenario_file(path: Path, check: ContractCheck) -> Scenario:
    """Return the scenario in a file; raises `ContractError` with every problem that was found."""
    text = read_text(path, str(path))
    scenario = read_scenario(parse_text(text, str(path)) or {}, Source(str(path), text), check)
    return replace(scenario, source=path.name)


def read_scenario(value: Any, source: Source, check: ContractCheck, first: int = 1, prefix: str = "rule") -> Scenario:
    """Return the scenario that a value describes; its rules are numbered from `first`, as `prefix-1`.

    Raises `ContractError` with every problem that was found.
    """
    problems = list(schema_problems(schema(), value, source))
    if problems:
        raise ContractError(problems)
    rules = []
    for index, one in enumerate(value.get("rules", ())):
        try:
            rules.append(_rule(one, source, ("rules", index), f"{prefix}-{first + index}", check))
        except ContractError as error:
            problems += error.problems
    faults = []
    for index, one in enumerate(value.get("faults", ())):
        try:
            faults.append(read_fault(one, source, ("faults", index)))
        except ContractError as error:
            problems += error.problems
    if problems:
        raise ContractError(problems)
    return Scenario(value.get("strict"), tuple(rules), tuple(faults))


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario, without the names of faults: `read_fault` explains a wrong one better."""
    value: dict[str, Any] = orjson.loads(_SCHEMA.read_bytes())
    return value


@cache
def complete_schema() -> bytes:
    """Return the JSON Schema of a scenario with the names and the parameters of faults, for editors."""
    value: dict[str, Any] = orjson.loads(_SCHEMA.read_bytes())
    value["$defs"]["fault"] = fault_schema()
    answer = value["$defs"]["answer"]["properties"]
    answer["fault"] = fault_schema(kind for kind in KINDS.values() if kind.can_answer) | {
        "description": answer["fault"]["description"]
    }
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def _rule(value: Mapping[str, Any], source: Source, at: Keys, id: str, check: ContractCheck) -> CompiledRule:
    problems: list[Problem] = []
    if "answer" in value and "answers" in value:
        problems.append(source.problem((*at, "answers"), "answer and answers are both set", "keep one of them"))
    several = value["answers"] if "answers" in value else [value.get("answer", {})]
    answers = []
    for index, one in enumerate(several):
        place: Keys = (*at, "answers", index) if "answers" in value else (*at, "answer")
        try:
            answers.append(_answer(one, source, place))
        except ContractError as error:
            problems += error.problems
            continue
        for problem, remedy in check(answers[-1]) if not value.get("off_contract") else ():
            problems.append(source.problem(place, problem, f"{remedy}, or set off_contract: true"))
    when = _when(value.get("when", {}))
    try:
        compiled = compile_conditions(when)
    except ConditionInvalid as error:
        problems.append(source.problem((*at, "when", error.name), str(error), error.remedy))
    if problems:
        raise ContractError(problems)
    rule = Rule(
        value.get("name", id),
        when,
        tuple(answers),
        value.get("then", "last"),
        value.get("times"),
        value.get("off_contract", False),
        dict(value),
    )
    return CompiledRule(id, rule, compiled)


def _when(value: Mapping[str, Any]) -> When:
    wanted = dict(value)
    if isinstance(wanted.get("tool_result"), Mapping):
        wanted["tool_result"] = ToolResult(**wanted["tool_result"])
    return When(**wanted)


def _answer(value: Any, source: Source, at: Keys) -> Answer:
    if isinstance(value, str):
        return Answer(text=value)
    fault = read_fault(value["fault"], source, (*at, "fault")) if "fault" in value else None
    if fault and not fault.kind.can_answer:
        problem = f"{fault.name} can't be the fault of one answer: it concerns several requests"
        raise ContractError([source.problem((*at, "fault"), problem, "set it under faults")])
    contents = [name for name in _CONTENTS if name in value]
    if len(contents) > 1:
        problem = f"{' and '.join(contents)} are all set"
        raise ContractError([source.problem(at, problem, "keep one; several answers are a list under `answers`")])
    pace, delays = value.get("pace"), value.get("delays", ())
    if pace and delays:
        raise ContractError([source.problem((*at, "delays"), "pace and delays are both set", "keep one of them")])
    try:
        template = compile_template(value["template"]) if "template" in value else None
    except TemplateInvalid as error:
        raise ContractError([source.problem((*at, "template"), str(error), error.remedy)]) from None
    return Answer(
        template=template,
        text=orjson.dumps(value["data"]).decode() if "data" in value else value.get("text"),
        parts=tuple(
            one if isinstance(one, str) else _call(one) for one in value.get("tool_calls") or value.get("parts", ())
        ),
        refusal=value.get("refusal"),
        raw=_raw(value["raw"]) if "raw" in value else None,
        fault=fault,
        finish_reason=value.get("finish_reason"),
        usage=value.get("usage", {}),
        delay=value.get("delay", 0.0),
        pace=Pace(**pace) if pace else None,
        delays=tuple(delays),
    )


def _call(value: Mapping[str, Any]) -> ScriptedCall:
    arguments = value.get("arguments", {})
    text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    return ScriptedCall(value["name"], text, value.get("id"))


def _raw(value: Mapping[str, Any]) -> ScriptedReply:
    headers = {name.lower(): text for name, text in value.get("headers", {}).items()}
    body = value.get("body", "")
    if isinstance(body, str):
        return ScriptedReply(value["status"], headers, body.encode("utf-8", "replace"))
    return ScriptedReply(value["status"], {"content-type": "application/json", **headers}, orjson.dumps(body))
