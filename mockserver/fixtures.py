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
from agent_contract.pointers import look_up, tokens_of
from agent_contract.values import JSON, Exchange, Reply, Request
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
    """An example with the exchanges that it takes, its own last; `sample` counts further ones of the same kind."""

    name: str
    operation: Operation
    example: Example
    sample: int
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
    before = [example.name for example in _chain(one.operation, one.example)[:-1]]
    names = [*before, one.name]
    return [{"example": name, **exchange_json(exchange)} for name, exchange in zip(names, one.exchanges, strict=True)]


def _play_all(contract: Contract, seed: int, count: int) -> Iterator[Played]:
    names: set[str] = set()
    for operation in contract.operations.values():
        for example in operation.examples:
            name = example.name if example.name not in names else f"{operation.id}.{example.name}"
            names.add(name)
            for sample in range(count + 1):
                if sample and not _varied(example, seed, sample)[1]:
                    break
                exchanges = tuple(_play(contract, operation, example, seed, sample))
                yield Played(f"{name}~{sample}" if sample else name, operation, example, sample, exchanges)


def _play(contract: Contract, operation: Operation, example: Example, seed: int, sample: int) -> Iterator[Exchange]:
    config = Config(tokens=(TOKEN,) if example.requires_token else ())
    engine = Engine(contract, config, seed=seed + 1000 * sample, clock=lambda: NOW)
    reply: Reply | None = None
    for one in _chain(operation, example):
        exchange = engine.play(_request(operation, one, _varied(one, seed, sample)[0], reply))
        _verify(operation, one, exchange)
        yield replace(exchange, operation=operation.id, clauses=one.shows)
        reply = exchange.reply


def _chain(operation: Operation, example: Example) -> list[Example]:
    """Return the examples that are played for one, in order, itself last."""
    chain = [example]
    while chain[0].after:
        chain.insert(0, operation.example(chain[0].after))
    return chain


def _request(operation: Operation, example: Example, body: bytes, before: Reply | None) -> Request:
    if example.set and before:
        value = orjson.loads(body)
        for pointer, expression in example.set.items():
            *parents, last = tokens_of(pointer)
            holder: Any = look_up(value, parents)
            holder[int(last) if isinstance(holder, list) else last] = _evaluate(expression, before)
        body = orjson.dumps(value)
    return Request(example.method, path_of(operation, example), example.query, example.headers, body)


def _evaluate(expression: str, reply: Reply) -> JSON:
    """Return what a runtime expression on a reply's body names; of a stream it is the first event's."""
    kind, _, pointer = expression.partition("#")
    if kind != "$response.body":
        raise FixtureError(f"{expression}: only $response.body#/… can be followed")
    content = reply.body if isinstance(reply.body, bytes) else reply.body[0].data
    return look_up(orjson.loads(content), tokens_of(pointer))


def _verify(operation: Operation, example: Example, exchange: Exchange) -> None:
    reply = exchange.reply
    media_type = reply.headers.get("content-type", "").partition(";")[0]
    if (reply.status, media_type) != (example.status, example.media_type):
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
