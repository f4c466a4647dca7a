"""Reads the links of a response: which operations can follow it, with which values of its exchange.

Source: OpenAPI 3.1.1, section 4.8.20.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent_contract.compiler.context import Builder
from agent_contract.document.document import Document, UnresolvedError
from agent_contract.document.errors import Problem
from agent_contract.document.json_pointer import Place, parse
from agent_contract.model.operations import Link, Operation
from agent_contract.model.runtime_expressions import REMEDY, as_text, unreadable


def build_links(builder: Builder, response: Place, value: Mapping[str, Any]) -> Iterator[Link]:
    """Yield a response's links; one into another document is left out, since nothing is fetched."""
    for name in value.get("links") or ():
        place, link = builder.at(response.child("links", name))
        parameters = link.get("parameters") or {}
        if not isinstance(parameters, dict):
            builder.report(place.child("parameters"), "'parameters' must be an object", "write each by its name")
            continue
        operation = _operation(builder, place, link)
        if operation:
            yield Link(
                name=name,
                operation_id=operation,
                parameters={key: as_text(text) for key, text in parameters.items()},
                request_body=link.get("requestBody"),
                pointer=str(place),
            )


def _operation(builder: Builder, place: Place, link: Mapping[str, Any]) -> str:
    """Return the id of the operation that a link names; "" if this document does not have it."""
    if "operationId" in link or "operationRef" not in link:
        if "operationId" not in link:
            builder.report(place, "the link names no operation", "add its 'operationId'")
        return str(link.get("operationId", ""))
    reference = str(link["operationRef"])
    try:
        target = builder.document.target(reference, place.file)
    except UnresolvedError as error:
        (why,) = error.problems
        if "remote" not in why.problem:
            builder.report(place.child("operationRef"), f"{reference!r} {why.problem}", why.remedy)
        return ""
    *_, template, method = ("", "", *target.tokens)
    return str(builder.at(target)[1].get("operationId") or f"{method.upper()} {template}")


def check_links(document: Document, operations: Mapping[str, Operation], problems: list[Problem]) -> None:
    """Add to `problems` the operations and parameters that links name and that are not there."""
    for operation in operations.values():
        for response in operation.responses.values():
            for link in response.links:
                problems.extend(document.problem(*fault) for fault in _faults(operations, link))


def _faults(operations: Mapping[str, Operation], link: Link) -> Iterator[tuple[Place, str, str]]:
    place = parse(link.pointer)
    target = operations.get(link.operation_id)
    if target is None:
        problem = f"unknown operation {link.operation_id!r}"
        yield place.child("operationId"), problem, "name one by its 'operationId'"
    for key, text in link.parameters.items():
        here = place.child("parameters", key)
        if target is not None and target.parameter(key) is None:
            known = ", ".join(f"{parameter.place}.{parameter.name}" for parameter in target.parameters) or "none"
            yield here, f"{link.operation_id!r} has no parameter {key!r}", f"use one of its own: {known}"
        if unreadable(text):
            yield here, f"{unreadable(text)!r} is not a runtime expression", REMEDY
    body = link.request_body
    if isinstance(body, str) and unreadable(body):
        yield place.child("requestBody"), f"{unreadable(body)!r} is not a runtime expression", REMEDY
