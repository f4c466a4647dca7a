"""Control operations on the journal: list requests with filters, read one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import islice
from typing import Any

import orjson

from agent_contract import Contract
from agent_contract.messages import JSON, Reply
from mockserver.control.pagination import page_of
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection, json_outcome
from mockserver.operations.agent_store import look_up
from mockserver.recording.expectations import Wanted, call_problem, order_problem, tool_problem, usage_problem
from mockserver.recording.explanation import MOST_EXPLAINED, explain
from mockserver.recording.journal import read_journal, readable_entry
from mockserver.recording.recorded_request import RecordedRequest, from_entry
from mockserver.recording.summary import summary_of
from mockserver.resources.agents import id_of

_Entry = tuple[int, dict[str, Any]]
_TEXT_TYPE = {"content-type": "text/plain; charset=utf-8"}


def list_requests(context: Context) -> Outcome:
    """Return a page of the journal, newest first."""
    filters = dict(context.call.parameters)
    if "agent" in filters:
        filters["agent"] = id_of(context.settings.agents, str(filters["agent"]))
    before = filters.get("before")
    entries = read_journal(context.transaction, None if before is None else int(before))  # type: ignore[arg-type]
    rows = _filtered(entries, filters)
    return page_of("requests", rows, context.call, lambda row: row[0], lambda row: readable_entry(*row))


def list_summaries(context: Context) -> Outcome:
    """Return a page of the journal as rows, newest first."""
    before, scope = context.call.parameters.get("before"), context.transaction.scope
    entries = read_journal(context.transaction, None if before is None else int(before))  # type: ignore[arg-type]
    return page_of("requests", entries, context.call, lambda row: row[0], lambda row: summary_of(row[0], row[1], scope))


def get_request(context: Context) -> Outcome:
    """Return one request of the journal."""
    return json_outcome(readable_entry(*find_request(context)))


def find_request(context: Context) -> _Entry:
    """Return the number that the path names, and the stored entry with it; raises `Rejection`."""
    number = int(context.call.parameters["number"])  # type: ignore[arg-type]  # checked by the schema
    for found, entry in read_journal(context.transaction, number + 1):
        if found == number:
            return found, entry
        break
    why = f"The journal of this scope does not contain request {number}. It may have been evicted."
    raise Rejection(404, "", why, ("path", "number"), None, number)


def explain_requests(context: Context, contract: Contract) -> Outcome:
    """Return the last requests as text, oldest first, with the reason and the remedy of each refusal."""
    clients = (one for one in read_journal(context.transaction) if not from_entry(one[1]).prepares)
    entries = [*islice(clients, MOST_EXPLAINED)][::-1]
    text = explain(entries, entries[-1][0], contract) if entries else "The mock has received no request in this scope."
    return Outcome(Reply(200, _TEXT_TYPE, text.encode("utf-8", "backslashreplace") + b"\n"))


def check_requests(context: Context) -> Outcome:
    """Return what differs from the expectations in the body, null if nothing does."""
    expected: Any = context.call.body
    problems = _problems(expected, [*_recorded(context)])
    return json_outcome({"problem": next(filter(None, problems), None)})


def _problems(expected: Mapping[str, Any], requests: list[RecordedRequest]) -> Iterator[str]:
    if "called" in expected:
        called = {**expected["called"]}
        times, body = called.pop("times", None), called.pop("body", None)
        yield call_problem(requests, Wanted(**called), times, body)
    if "order" in expected:
        yield order_problem(requests, expected["order"])
    if "tool_called" in expected:
        yield tool_problem(requests, **expected["tool_called"])
    if "usage" in expected:
        yield usage_problem(requests, **expected["usage"])


def _recorded(context: Context) -> Iterator[RecordedRequest]:
    """Yield the requests of clients in the journal, the first one first, each with the names of its agent."""
    agent_of = cache(partial(look_up, context.settings, context.transaction))
    for _, entry in reversed([*read_journal(context.transaction)]):
        one = from_entry(entry)
        if not one.prepares:
            agent = agent_of(one.agent) if one.agent else None
            yield replace(one, names=frozenset({one.agent, *((agent.id, agent.name) if agent else ())}))


def _filtered(entries: Iterator[_Entry], filters: Mapping[str, JSON]) -> Iterator[_Entry]:
    for number, entry in entries:
        if _passes(entry, filters):
            yield number, entry


def _passes(entry: dict[str, Any], filters: Mapping[str, JSON]) -> bool:
    status = filters.get("status")
    return (
        ("agent" not in filters or entry["agent"] == filters["agent"])
        and ("session" not in filters or entry["session"] == str(filters["session"]).lower())
        and ("clause" not in filters or filters["clause"] in entry["clauses"])
        and ("contains" not in filters or _contains(entry["request"], str(filters["contains"])))
        and (status is None or _matches(str(entry["reply"]["status"]), str(status)))
    )


def _matches(status: str, wanted: str) -> bool:
    return status[0] == wanted[0] if wanted.endswith("xx") else status == wanted


def _contains(request: dict[str, Any], text: str) -> bool:
    """Return whether a message contains `text`; if the body is not kept whole, whether the body does."""
    body = request.get("text", "")
    try:
        messages = orjson.loads(body)["messages"]
        return any(text in str(message["content"]) for message in messages if message.get("content"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return text in body
