"""A request to try the mock with, as a `curl` that works when it is pasted."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from agent_contract import Contract, Example, Operation
from agent_contract.model.parameters import MISSING


def example_request(contract: Contract) -> tuple[Operation, Example] | None:
    """Return the first named example that gets a success, one that sends a body before others; None for none."""
    willing = [
        (operation, example)
        for operation, example in contract.examples
        if example.status < 300 and not example.after and not example.requires_token
    ]
    return next((pair for pair in willing if pair[1].body), next(iter(willing), None))


def path_of(operation: Operation, example: Example, instead: Mapping[str, str] | None = None) -> str:
    """Return the decoded path that an example is sent to; `instead` holds other values of its parameters."""
    path = operation.path
    for name, value in {**example.path, **(instead or {})}.items():
        path = path.replace("{" + name + "}", value)
    return path


def _plain_get(contract: Contract) -> str:
    """Return the path of an operation that needs no body and whose parameters have examples; "" where there is none."""
    for operation in contract.operations.values():
        needed = [parameter for parameter in operation.parameters if parameter.required]
        known = all(parameter.place == "path" and parameter.example is not MISSING for parameter in needed)
        if operation.method == "GET" and known:
            path = operation.path
            for parameter in needed:
                path = path.replace("{" + parameter.name + "}", str(parameter.example))
            return path
    return ""


def as_curl(contract: Contract, url: str, with_token: bool, instead: Mapping[str, str] | None = None) -> str:
    """Return a command that gets a success of the server at `url`; "" where the document shows none.

    A token stands in it as `$AGENT_CONTRACT_TOKEN`; `instead` holds values for the path that are not the example's.
    """
    found = example_request(contract)
    path = "" if found else _plain_get(contract)
    if not found and not path:
        return ""
    words = _words(*found, url, instead) if found else ["curl", url + quote(path)]
    token = ' -H "Authorization: Bearer $AGENT_CONTRACT_TOKEN"' if with_token else ""
    return " ".join(shlex.quote(word) for word in words) + token


def _words(operation: Operation, example: Example, url: str, instead: Mapping[str, str] | None) -> list[str]:
    query = f"?{urlencode(example.query)}" if example.query else ""
    words = ["curl", url + quote(path_of(operation, example, instead)) + query]
    if example.method != ("POST" if example.body else "GET"):
        words += ["-X", example.method]
    for name, value in example.headers.items():
        words += ["-H", f"{name}: {value}"]
    return [*words, "-d", example.body.decode()] if example.body else words
