"""Every resource that the document describes is created, read, changed, used and deleted, along its links."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from agent_contract import Contract, Exchange, Found, Link, Operation, Request, check_reply, check_request, parse_call
from agent_contract.model.operations import Example
from agent_contract.model.runtime_expressions import CompletedExchange, as_text, evaluate
from mockserver.engine import Engine
from mockserver.recording.example_request import path_of
from tests.mockserver.support.chat_client import CONTRACT, engine


def creations(contract: Contract) -> Iterator[Operation]:
    """Yield the operations that make something: their success has a link to a deletion."""
    for operation in contract.operations.values():
        targets = [contract.operations[link.operation_id] for link in links_of(operation)]
        if operation.method == "POST" and any(target.method == "DELETE" for target in targets):
            yield operation


def links_of(operation: Operation) -> tuple[Link, ...]:
    """Return the links of an operation's success; those to a deletion last, else in the document's order."""
    successes = [reply for status, reply in operation.responses.items() if status.startswith("2")]
    links = next((reply.links for reply in successes if reply.links), ())
    return tuple(sorted(links, key=lambda link: CONTRACT.operations[link.operation_id].method == "DELETE"))


def twin_of(operation: Operation, creation: Operation) -> Operation:
    """Return the operation on the path of the creation, if a shared link names one on another path."""
    for other in creations(CONTRACT):
        if operation.path.startswith(other.path) and links_of(other) == links_of(creation):
            path = creation.path + operation.path.removeprefix(other.path)
            return next(
                one for one in CONTRACT.operations.values() if (one.method, one.path) == (operation.method, path)
            )
    return operation


def successes(operation: Operation) -> list[Example]:
    return [one for one in operation.examples if one.status < 300 and not one.after and one.method == operation.method]


def can_be_followed(links: tuple[Link, ...], before: CompletedExchange) -> bool:
    try:
        return all(evaluate(text, before) is not None for link in links for text in link.parameters.values())
    except LookupError:
        return False


@dataclass
class LinkWalk:
    """A created thing as the mock has it now, and the exchange that created it."""

    creation: Operation
    engine: Engine = field(default_factory=engine)

    def create(self) -> CompletedExchange:
        """Return the exchange of the first example whose reply has everything that the links ask for."""
        for example in successes(self.creation):
            path = path_of(self.creation, example)
            request = Request(example.method, path, example.query, example.headers, example.body)
            before = CompletedExchange(self.play(self.creation, request), example.path)
            if can_be_followed(links_of(self.creation), before):
                return before
        raise AssertionError(f"{self.creation.id} has no example that its links can be followed from")

    def follow(self, link: Link, before: CompletedExchange) -> tuple[Operation, Exchange]:
        """Return the operation that a link leads to, and what it is asked and answers."""
        operation = twin_of(CONTRACT.operations[link.operation_id], self.creation)
        path, query = operation.path, []
        for name, text in link.parameters.items():
            parameter = operation.parameter(name)
            assert parameter is not None
            value = as_text(evaluate(text, before))
            if parameter.place == "path":
                path = path.replace("{" + parameter.name + "}", value)
            else:
                query.append((parameter.name, value))
        body, headers = self.body(operation, link)
        return operation, self.play(operation, Request(operation.method, path, tuple(query), headers, body))

    def body(self, operation: Operation, link: Link) -> tuple[bytes, Mapping[str, str]]:
        """Return what a link sends: its own body, else that of the operation's first example that succeeds."""
        if link.request_body is not None:
            return json.dumps(link.request_body).encode(), {"content-type": "application/json"}
        if operation.request_body is None:
            return b"", {}
        example = successes(operation)[0]
        return example.body, example.headers

    def play(self, operation: Operation, request: Request) -> Exchange:
        """Return the exchange of a valid request, which is answered as its operation documents it."""
        found = CONTRACT.find(request.method, request.path)
        assert isinstance(found, Found)
        assert found.operation is operation
        assert check_request(parse_call(found, request)) == ()
        exchange = self.engine.handle(request)
        assert check_reply(operation, exchange.reply) == ()
        return replace(exchange, operation=operation.id)


def holds(value: Any, thing: Any) -> bool:
    """Return whether a thing is a value, or stands somewhere in it."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(value == thing) or any(holds(one, thing) for one in inside)


CREATIONS = pytest.mark.parametrize("creation", list(creations(CONTRACT)), ids=lambda operation: operation.id)


def test_there_are_resources() -> None:
    assert {"createAgent", "createAssistant"} <= {operation.id for operation in creations(CONTRACT)}


@CREATIONS
def test_a_resource_is_created_read_listed_changed_used_and_deleted(creation: Operation) -> None:
    walk = LinkWalk(creation)
    before = walk.create()
    thing = json.loads(before.exchange.reply.content())
    walked = [creation.method]
    for link in links_of(creation):
        operation, exchange = walk.follow(link, before)
        assert exchange.reply.status < 300, (link.name, exchange.reply)
        walked.append(operation.method)
        if isinstance(link.request_body, dict):
            thing |= link.request_body
        if operation.method == "GET" or isinstance(link.request_body, dict):
            assert holds(json.loads(exchange.reply.content()), thing), link.name
    assert walked[0] == "POST"
    assert walked[-1] == "DELETE"
    assert walked.count("GET") >= 2


@CREATIONS
def test_a_deleted_resource_is_nowhere_any_more(creation: Operation) -> None:
    walk = LinkWalk(creation)
    before = walk.create()
    thing = json.loads(before.exchange.reply.content())
    *_, deletion = links_of(creation)
    assert walk.follow(deletion, before)[1].reply.status < 300
    for link in links_of(creation):
        operation, exchange = walk.follow(link, before)
        if any(parameter.place == "path" for parameter in operation.parameters):
            assert exchange.reply.status == 404, link.name
        else:
            assert exchange.reply.status < 300
        assert not holds(json.loads(exchange.reply.content()), thing)


@CREATIONS
def test_the_links_of_a_resource_lead_to_operations_beside_it(creation: Operation) -> None:
    """A twin is walked on its own paths, though it shares the links."""
    targets = [twin_of(CONTRACT.operations[link.operation_id], creation) for link in links_of(creation)]
    assert all(target.path.startswith(creation.path) for target in targets)
