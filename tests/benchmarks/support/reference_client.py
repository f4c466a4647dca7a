"""Asks a deployment of the benchmarks in this process, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import httpx

from benchmarks.detection.reference_server import PATH, ServerHooks, create_app

HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}
Ask: TypeAlias = Callable[[Mapping[str, Any] | bytes], httpx.Response]


@contextmanager
def client_of(hooks: ServerHooks) -> Iterator[Ask]:
    """Yield a function that sends a body to the deployment, with its token, and returns the answer."""
    headers = {"content-type": "application/json"}
    if hooks.token is not None:
        headers["authorization"] = f"Bearer {hooks.token}"
    transport = httpx.ASGITransport(create_app(hooks))
    client = httpx.AsyncClient(transport=transport, base_url="http://deployment", headers=headers)
    path = PATH.format(agent_id=hooks.agent_id)

    def ask(body: Mapping[str, Any] | bytes) -> httpx.Response:
        sent = client.post(path, content=body) if isinstance(body, bytes) else client.post(path, json=body)
        return runner.run(sent)

    with asyncio.Runner() as runner:
        yield ask
        runner.run(client.aclose())
