"""Makes fixtures: what the document's examples get from the mock, as files; the same contract and seed, the same bytes.

Each example is played in a world of its own, after the examples that it follows.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import orjson

from agent_contract import Contract, Example, Operation, check_reply
from agent_contract.chains import Step
from agent_contract.expressions import Sent, as_text, evaluate
from agent_contract.pointers import look_up, tokens_of
from agent_contract.values import JSON, Exchange, Request
from mockserver.config import Config
from mockserver.engine import Engine
from mockserver.readable import exchange_json, pretty
from mockserver.text import a_sentence
from mockserver.trying import path_of

#: The moment in which all fixtures were made: that of the published example.
NOW = 1700173217.0
TOKEN = "fixture-token"

_PROSE = re.compile(r"[^\W\d_].*?(?:\s|[.!?]$)", re.DOTALL)


class FixtureError(Exception):
    """An example does not get the answer that the document promises; the text says which and what came."""


@dataclass(frozen=True, slots=True)
class Played:
    """An example with the exchanges that it takes, its own last; `before` names the examples of those before it."""

    name: str
    operation: Operation
    example: Example
    before: tuple[str, ...]
    exchanges: tuple[Exchange, ...]


def make_fixtures(contract: Contract, seed: int = 0, count: int = 0) -> dict[str, bytes]:
    """Return the files' content by path: `exchanges/…` for the examples, `clauses/…` for the clauses.

    `count` adds so many samples to each example that has texts to vary. Raises `FixtureError`.
    """
    played = list(_play_all(contract, seed, count))
    files: dict[str, bytes] = {}
    for one in played:
        path = f"exchanges/{quote(one.name, safe='~')}"
        files[f"{path}.json"] = pretty(_example_json(one)).encode()
        reply = one.exchanges[-1].reply
        if not isinstance(reply.body, bytes):
            files[f"{path}.sse"] = reply.content()
    for clause in contract.clauses:
        shown = [one for one in played if clause.id in one.example.shows]
        value: dict[str, JSON] = {"clause": clause.id, "sentence": clause.sentence, "grade": clause.grade}
        value |= {"since": clause.since, "pointer": clause.pointer}
        if clause.untestable:
            value["untestable"] = clause.untestable
        value["exchanges"] = [entry for one in shown for entry in _entries(one)]
        files[f"clauses/{quote(clause.id, safe='')}.json"] = pretty(value).encode()
    return files


def _example_json(one: Played) -> dict[str, JSON]:
    return {
        "example": one.name,
        "summary": one.example.summary,
        "operation": one.operation.id,
        "shows": list(one.example.shows),
        "exchanges": _entries(one),
    }


def _entries(one: Played) -> list[JSON]:
    names = [*one.before, one.name]
    return [{"example": name, **exchange_json(exchange)} for name, exchange in zip(names, one.exchanges, strict=True)]


def fixture_names(contract: Contract) -> dict[str, str]:
    """Return each example's name among the fixtures, by its pointer: its own, or with its operation's before it."""
    names: dict[str, str] = {}
    for operation, example in contract.examples:
        taken = example.name in names.values()
        names[example.pointer] = f"{operation.id}.{example.name}" if taken else example.name
    return names


def _play_all(contract: Contract, seed: int, count: int) -> Iterator[Played]:
    names = fixture_names(contract)
    for step in contract.examples:
        name, steps = names[step.example.pointer], contract.chain(step)
        before = tuple(names[one.example.pointer] for one in steps[:-1])
        for sample in range(count + 1):
            if sample and not _varied(step.example, seed, sample)[1]:
                break
            exchanges = tuple(_play(contract, steps, seed, sample))
            yield Played(f"{name}~{sample}" if sample else name, *step, before, exchanges)


def _play(contract: Contract, steps: tuple[Step, ...], seed: int, sample: int) -> Iterator[Exchange]:
    config = Config(tokens=(TOKEN,) if steps[-1].example.requires_token else ())
    engine = Engine(contract, config, seed=seed + 1000 * sample, clock=lambda: NOW)
    before: Sent | None = None
    for operation, example in steps:
        varied = replace(example, body=_varied(example, seed, sample)[0])
        filled = _filled(varied, before) if before else varied
        path = path_of(operation, filled)
        exchange = engine.play(Request(filled.method, path, filled.query, filled.headers, filled.body))
        _verify(operation, example, exchange)
        yield replace(exchange, operation=operation.id, clauses=example.shows)
        before = Sent(exchange, filled.path)


def _filled(example: Example, before: Sent) -> Example:
    """Return an example as it is sent: what `set` takes from the exchange before is in its place."""
    parts = {"path": dict(example.path), "query": dict(example.query), "header": dict(example.headers)}
    body = example.body
    for key, expression in example.set.items():
        part, _, name = key.partition(".")
        try:
            taken = evaluate(expression, before)
        except LookupError as error:
            raise FixtureError(f"{example.name}: {error.args[0]}") from None
        if part in parts:
            parts[part][name.lower() if part == "header" else name] = as_text(taken)
        else:
            body = _with(body, key, taken)
    path, query, headers = parts.values()
    return replace(example, path=path, query=tuple(query.items()), headers=headers, body=body)


def _with(body: bytes, pointer: str, taken: JSON) -> bytes:
    """Return a JSON body with a value at the place that a pointer names."""
    value = orjson.loads(body)
    *parents, last = tokens_of(pointer)
    holder: Any = look_up(value, parents)
    holder[int(last) if isinstance(holder, list) else last] = taken
    return orjson.dumps(value)


def _verify(operation: Operation, example: Example, exchange: Exchange) -> None:
    reply = exchange.reply
    media_type = reply.headers.get("content-type", "").partition(";")[0]
    if (reply.status, media_type) != (example.status, example.media_type or media_type):
        raise FixtureError(
            f"{example.name}: the document promises {example.status} {example.media_type},"
            f" the mock answers {reply.status} {media_type}: {reply.content()[:200].decode()}"
        )
    for violation in check_reply(operation, reply):
        raise FixtureError(f"{example.name}: the mock's reply breaks {violation.pointer} at {violation.place}")


def _varied(example: Example, seed: int, sample: int) -> tuple[bytes, bool]:
    """Return an example's body, its prose replaced where a sample is asked for, and whether there was any."""
    written_as_value = isinstance(example.value, (dict, list)) and orjson.dumps(example.value) == example.body
    if not sample or not written_as_value:  # bytes that are written out show something that a value can't
        return example.body, False
    state = hashlib.blake2b(f"{seed}/{example.name}/{sample}".encode(), digest_size=8)
    replaced = 0

    def vary(value: Any) -> Any:
        nonlocal replaced
        if isinstance(value, str) and _PROSE.match(value):
            replaced += 1
            state.update(value.encode())
            return a_sentence(int.from_bytes(state.digest(), "big"))
        if isinstance(value, list):
            return [vary(item) for item in value]
        if isinstance(value, Mapping):
            return {name: vary(item) for name, item in value.items()}
        return value

    changed = vary(copy.deepcopy(example.value))
    return (orjson.dumps(changed) if replaced else example.body), replaced > 0
