"""Why a request got its answer: the clauses it broke, the rule that answered, or the rule that came nearest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

import orjson

from agent_contract import Contract
from agent_contract.messages import GRADE_MEANINGS
from agent_contract.printable import shorten
from mockserver.analysis.observation import CHATS
from mockserver.control.requests import find_request
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, json_outcome
from mockserver.core.scripts import Scripts
from mockserver.recording.explanation import described_violations
from mockserver.recording.journal import read_journal
from mockserver.recording.summary import verdict_of
from mockserver.resources.sessions import Message
from mockserver.scenarios.matching import CompiledRule, Question, nearest_rule

#: Requests of a session before the explained one that are read for conditions on earlier messages.
_MOST_EARLIER = 200
_VALUE = 200  # characters of a value


def explain_request(context: Context, contract: Contract, scripts: Scripts) -> Outcome:
    """Return why a request got its answer, by the rules as they are now."""
    number, entry = find_request(context)
    rules, source = scripts.script(context.transaction.scope).rules, scripts.base.source
    verdict = verdict_of(entry)
    clauses = [
        {
            "id": clause.id,
            "sentence": clause.sentence,
            "grade": clause.grade,
            "meaning": GRADE_MEANINGS[clause.grade],
            "pointer": clause.pointer,
        }
        for clause in map(contract.clause, entry["clauses"])
    ]
    value = {
        "number": number,
        "verdict": verdict,
        "clauses": clauses,
        "violations": described_violations(entry),
        "hints": entry.get("hints", []),
        "rule": None,
        "nearest": None,
    }
    if name := entry.get("rule"):
        answered = next((one for one in rules if one.rule.name == name), None)
        value["rule"] = answered and _rule(answered, rules, source)
        where = _place(answered, rules, source) if answered else f'The rule "{name}", which was removed since,'
        value["reason"] = f"{where} answered."
    elif verdict == "refused":
        value["reason"] = "The request breaks the contract, so the mock refused it."
    elif entry.get("faults"):
        value["reason"] = f"The fault {', '.join(entry['faults'])} made the reply."
    elif entry["operation"] in CHATS and (question := _question(context, number, entry)):
        value |= _computed(question, rules, source)
    else:
        value["reason"] = "The mock computed the reply from its state, the request and the seed."
    return json_outcome(value)


def _computed(question: Question, rules: Sequence[CompiledRule], source: str) -> dict[str, Any]:
    """Return the reason for a computed answer of a chat, and the nearest rule."""
    if not rules:
        return {"reason": "The scope has no rules: the mock computed the answer from the request and the seed."}
    nearest, failed = nearest_rule(rules, question)
    value: dict[str, Any] = {"nearest": {**_rule(nearest, rules, source), "failed": None}}
    place = _place(nearest, rules, source)
    if failed is None:
        return {**value, "reason": f"No rule matched then. {place} matches now: it was added later, or was used up."}
    wanted, seen = (shorten(repr(one), _VALUE) for one in (failed.wanted, failed.seen(question)))
    value["nearest"]["failed"] = {"condition": failed.name, "wanted": wanted, "got": seen}
    why = f"its {failed.name} is {wanted}, but the request has {seen}"
    return {**value, "reason": f"No rule matched. {place} comes nearest: {why}."}


def _rule(rule: CompiledRule, rules: Sequence[CompiledRule], source: str) -> dict[str, Any]:
    return {"id": rule.id, "name": rule.rule.name, "place": _place(rule, rules, source), "rule": rule.rule.given}


def _place(rule: CompiledRule, rules: Sequence[CompiledRule], source: str) -> str:
    """Return where a rule is: its number in the scope, or in the file that the mock was started with."""
    is_started = rule.id.startswith("started-")
    alike = [one for one in rules if one.id.startswith("started-") is is_started]
    where = (source or "the mock's configuration") if is_started else "this scope"
    name = "" if rule.id.endswith(rule.rule.name) else f' ("{rule.rule.name}")'
    return f"Rule {alike.index(rule) + 1} of {where}{name}"


def _question(context: Context, number: int, entry: Mapping[str, Any]) -> Question | None:
    """Return what rules saw of a request; None if it is not kept whole."""
    request = entry["request"]
    try:
        body = orjson.loads(request["text"])
        messages = [message for message in body["messages"] if isinstance(message["role"], str)]
    except (ValueError, KeyError, TypeError):
        return None
    agent = context.settings.agents.get(entry["agent"] or "")
    addresses = (agent.id, agent.name) if agent else (entry["agent"] or "",)
    earlier = cache(lambda: tuple(_earlier(context, number, entry["session"])))
    headers = {name.lower(): text for name, text in request["headers"].items()}
    model = body.get("model")
    return Question(
        addresses, messages, earlier, model if isinstance(model, str) else "", bool(body.get("stream")), headers, body
    )


def _earlier(context: Context, number: int, session: str | None) -> Iterator[Message]:
    """Yield the messages of the session before a request, the latest first, as far as the journal has them."""
    if session is None:
        return
    before = islice(read_journal(context.transaction, number), _MOST_EARLIER)
    for _, entry in before:
        if entry["session"] != session or entry["reply"]["status"] != 200:
            continue
        try:
            sent = orjson.loads(entry["request"]["text"])["messages"]
        except (ValueError, KeyError, TypeError):
            continue
        yield answer_of(entry)
        yield from reversed(sent)


def answer_of(entry: Mapping[str, Any]) -> Message:
    """Return the message of the first choice in a stored reply, put together from its chunks."""
    reply = entry["reply"]
    texts = [event[1] for event in reply["events"]] if "events" in reply else [reply.get("text", "")]
    content, calls = "", dict[int, dict[str, Any]]()
    for part in (part for text in texts for part in _parts(text)):
        content += str(part.get("content") or "")
        for index, call in enumerate(part.get("tool_calls") or ()):
            function = call.get("function") or {}
            known = calls.setdefault(call.get("index", index), {"id": "", "function": {"name": "", "arguments": ""}})
            known["id"] += call.get("id") or ""
            for name in ("name", "arguments"):
                known["function"][name] += function.get(name) or ""
    return {"role": "assistant", "content": content, "tool_calls": list(calls.values())}


def _parts(text: str) -> Iterator[Mapping[str, Any]]:
    """Yield the message, or the delta, of the first choice in JSON text."""
    try:
        choices = orjson.loads(text)["choices"]
        part = choices[0].get("message", choices[0].get("delta"))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return
    if isinstance(part, dict):
        yield part
