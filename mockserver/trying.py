"""A request to try the mock with, as a `curl` that works when it is pasted."""

from __future__ import annotations

import shlex
from urllib.parse import quote, urlencode

from agent_contract import Contract, Example, Operation


def example_request(contract: Contract) -> tuple[Operation, Example] | None:
    """Return the first named example that gets a success; None where the document has none."""
    for operation in contract.operations.values():
        for example in operation.examples:
            if example.status < 300 and not example.after and not example.requires_token:
                return operation, example
    return None


def path_of(operation: Operation, example: Example) -> str:
    """Return the decoded path that an example is sent to."""
    path = operation.path
    for name, value in example.path.items():
        path = path.replace("{" + name + "}", value)
    return path


def as_curl(operation: Operation, example: Example, url: str, with_token: bool) -> str:
    """Return the command that sends an example to the server at `url`; a token stands in `$AGENT_CONTRACT_TOKEN`."""
    query = f"?{urlencode(example.query)}" if example.query else ""
    words = ["curl", url + quote(path_of(operation, example)) + query]
    if example.method != ("POST" if example.body else "GET"):
        words += ["-X", example.method]
    for name, value in example.headers.items():
        words += ["-H", f"{name}: {value}"]
    if example.body:
        words += ["-d", example.body.decode()]
    token = ' -H "Authorization: Bearer $AGENT_CONTRACT_TOKEN"' if with_token else ""
    return " ".join(shlex.quote(word) for word in words) + token
