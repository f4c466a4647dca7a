"""The chains of a contract's examples as an Arazzo description, which other tools run as workflows.

Source: OpenAPI Initiative, Arazzo Specification 1.0.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from agent_contract.compiler.example_chains import Step
from agent_contract.contract import Contract
from agent_contract.document.json_pointer import tokens_of
from agent_contract.messages import JSON
from agent_contract.model.operations import PlainBody
from agent_contract.validation.check import is_json

VERSION = "1.0.1"
#: The name of the contract in a description: tools take the server's address under it.
SOURCE = "contract"
_TOKEN: dict[str, JSON] = {"name": "Authorization", "in": "header", "value": "Bearer {$inputs.token}"}
_TOKEN_INPUT: dict[str, JSON] = {"type": "object", "properties": {"token": {"type": "string", "format": "password"}}}


class Arazzo(NamedTuple):
    """A description as plain values, and the names of the chains that it can't express, each with the reason."""

    description: dict[str, JSON]
    left_out: Mapping[str, str]


def to_arazzo(contract: Contract, document: str, *, with_token: bool = False) -> Arazzo:
    """Return a workflow for each chain of two or more examples; `document` is the URL of the OpenAPI document.

    `with_token` lets each step send the input `token` as its bearer token.
    """
    chains = [chain for step in contract.examples if len(chain := contract.chain(step)) > 1]
    taken = _taken(chains)
    left_out = {_name(chain[-1]): reason for chain in chains if (reason := _inexpressible(chain))}
    return Arazzo(
        {
            "arazzo": VERSION,
            "info": {"title": f"{contract.title}: workflows", "version": contract.version},
            "sourceDescriptions": [{"name": SOURCE, "url": document, "type": "openapi"}],
            "workflows": [_workflow(chain, taken, with_token) for chain in chains if _name(chain[-1]) not in left_out],
        },
        left_out,
    )


def _name(step: Step) -> str:
    return f"{step.operation.id}.{step.example.name}"


def _inexpressible(chain: Sequence[Step]) -> str:
    """Return why Arazzo has no words for a chain, "" if it has."""
    for step in chain:
        if not isinstance(step.example.sent, PlainBody) or (step.example.body and step.example.value is None):
            return f"the body of {_name(step)} is not JSON"
    for before, step in pairwise(chain):
        takes_reply = any("$response.body" in text for text in step.example.set.values())
        if takes_reply and not is_json(before.example.media_type):
            return f"{_name(step)} takes a value from an event stream"
        if any("{$" in text for text in step.example.set.values()):
            return f"{_name(step)} takes a value into a part of a string"
    return ""


def _taken(chains: Sequence[Sequence[Step]]) -> dict[str, dict[str, str]]:
    """Return the outputs of each example: the expressions that a later example of some chain takes, by their names.

    Redocly's linter merges the outputs of steps with one name, so a step has the same outputs in every workflow.
    """
    found: dict[str, dict[str, str]] = {}
    for chain in chains:
        for before, step in pairwise(chain):
            outputs = {_output(text): text for text in step.example.set.values()}
            found.setdefault(_name(before), {}).update(outputs)
    return found


def _workflow(chain: Sequence[Step], taken: Mapping[str, Mapping[str, str]], with_token: bool) -> dict[str, JSON]:
    last = chain[-1]
    found: dict[str, JSON] = {"workflowId": _name(last).replace(".", "-"), "summary": last.example.summary}
    if last.example.shows:
        found["description"] = f"Shows {', '.join(last.example.shows)}."
    if with_token:
        found |= {"inputs": _TOKEN_INPUT, "parameters": [_TOKEN]}
    return {**found, "steps": list(_steps(chain, taken))}


def _steps(chain: Sequence[Step], taken: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    before = ""
    for step in chain:
        found = _step(step, before)
        if outputs := taken.get(_name(step)):
            found["outputs"] = dict(outputs)
        yield found
        before = step.example.name


def _step(step: Step, before: str) -> dict[str, Any]:
    operation, example = step
    taken = {key: f"$steps.{before}.outputs.{_output(text)}" for key, text in example.set.items()}
    given = {
        **{f"path.{name}": value for name, value in example.path.items()},
        **{f"query.{name}": value for name, value in example.query},
        **{f"header.{name}": value for name, value in example.headers.items() if name != "content-type"},
        **{key: value for key, value in taken.items() if not key.startswith("/")},
    }
    parameters = [{"name": key.partition(".")[2], "in": key.partition(".")[0], "value": given[key]} for key in given]
    replaced = [{"target": key, "value": value} for key, value in taken.items() if key.startswith("/")]
    found: dict[str, Any] = {"stepId": example.name, "operationId": operation.id}
    if example.summary:
        found["description"] = example.summary
    if parameters:
        found["parameters"] = parameters
    if example.body:
        media_type = example.headers.get("content-type", "application/json")
        found["requestBody"] = {"contentType": media_type, "payload": example.value}
        if replaced:
            found["requestBody"]["replacements"] = replaced
    found["successCriteria"] = [{"condition": f"$statusCode == {example.status}"}]
    return found


def _output(expression: str) -> str:
    """Return the name of the output that holds the value of a runtime expression."""
    _, _, pointer = expression.partition("#")
    return "_".join(tokens_of(pointer)) if pointer else expression.rpartition(".")[2].lstrip("$")
