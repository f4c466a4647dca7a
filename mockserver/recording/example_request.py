"""Examples of the document as requests and as `curl` commands."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from agent_contract import Contract, Example, Operation
from agent_contract.curl import TOKEN_VARIABLE, curl_command
from agent_contract.model.parameters import MISSING


def path_of(operation: Operation, example: Example, values: Mapping[str, str] | None = None) -> str:
    """Return the decoded path of an example; `values` override the values of its parameters."""
    path = operation.path
    for name, value in {**example.path, **(values or {})}.items():
        path = path.replace("{" + name + "}", value)
    return path


def example_command(contract: Contract, url: str, with_token: bool, values: Mapping[str, str] | None = None) -> str:
    """Return a command that the server at `url` answers with a success, "" if the document has no such example.

    The token is `$AGENT_CONTRACT_TOKEN`; `values` override the values of the path's parameters.
    """
    token = {"Authorization": f"Bearer ${TOKEN_VARIABLE}"} if with_token else {}
    found = _example(contract)
    if found is None:
        path = _plain_get(contract)
        return curl_command("GET", url + quote(path), token) if path else ""
    operation, example = found
    query = f"?{urlencode(example.query)}" if example.query else ""
    address = url + quote(path_of(operation, example, values)) + query
    return curl_command(example.method, address, {**example.headers, **token}, example.body)


def _example(contract: Contract) -> tuple[Operation, Example] | None:
    """Return the first example that gets a success; one with a body is preferred."""
    successful = [
        (operation, example)
        for operation, example in contract.examples
        if example.status < 300 and not example.after and not example.requires_token
    ]
    return next((pair for pair in successful if pair[1].body), next(iter(successful), None))


def _plain_get(contract: Contract) -> str:
    """Return the path of a GET that requires only path parameters with examples; "" if the document has none."""
    for operation in contract.operations.values():
        needed = [parameter for parameter in operation.parameters if parameter.required]
        known = all(parameter.place == "path" and parameter.example is not MISSING for parameter in needed)
        if operation.method == "GET" and known:
            path = operation.path
            for parameter in needed:
                path = path.replace("{" + parameter.name + "}", str(parameter.example))
            return path
    return ""
