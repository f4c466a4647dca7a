"""Broken replies through the transports, as the libraries raise them, and through ASGI and WSGI servers of others."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import httpx2
import pytest

from agent_contract.messages import Reply
from mockserver import Httpx2Transport, MockTransport
from mockserver.adapters.asgi import create_app as create_asgi_app
from mockserver.adapters.wsgi import create_app as create_wsgi_app
from tests.mockserver.support.chat_client import engine, path_of, user

BODY = {"messages": [user("Hello!")], "stream": True}
#: The name of the error that httpx and httpx2 raise.
ERRORS = [
    ("reset-before-headers", "ReadError"),
    ("reset-midway", "ReadError"),
    ("connection-refused", "ConnectError"),
    ("cut", "RemoteProtocolError"),
    ("truncated-body", "RemoteProtocolError"),
    ("stall:seconds=30", "ReadTimeout"),
    ("latency:seconds=30", "ReadTimeout"),
]


@pytest.mark.parametrize(("fault", "name"), ERRORS)
@pytest.mark.parametrize(("library", "transport"), [(httpx, MockTransport), (httpx2, Httpx2Transport)])
def test_a_transport_raises_what_the_library_raises(library: Any, transport: Any, fault: str, name: str) -> None:
    headers = {"X-Mock-Fault": fault}
    client = library.Client(transport=transport(engine()), base_url="http://mock", timeout=0.05)
    with client, pytest.raises(getattr(library, name)):
        client.post(path_of(), json=BODY, headers=headers)


@pytest.mark.parametrize(("fault", "name"), ERRORS)
@pytest.mark.parametrize(("library", "transport"), [(httpx, MockTransport), (httpx2, Httpx2Transport)])
def test_an_asynchronous_transport_raises_the_same(library: Any, transport: Any, fault: str, name: str) -> None:
    async def ask() -> None:
        async with library.AsyncClient(transport=transport(engine()), base_url="http://mock", timeout=0.05) as client:
            await client.post(path_of(), json=BODY, headers={"X-Mock-Fault": fault})

    with pytest.raises(getattr(library, name)):
        asyncio.run(ask())


def test_another_asgi_server_gets_an_error_after_the_beginning() -> None:
    app = create_asgi_app(engine())

    async def ask() -> Reply:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://mock") as client:
            await client.post(path_of(), json=BODY, headers={"X-Mock-Fault": "cut"})
        raise AssertionError

    with pytest.raises(ConnectionAbortedError, match="closed before the reply is complete"):
        asyncio.run(ask())


def test_another_wsgi_server_gets_an_error_after_the_beginning() -> None:
    app = create_wsgi_app(engine())
    client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://mock")
    with client, pytest.raises(ConnectionAbortedError, match="closed before the reply is complete"):
        client.post(path_of(), json=BODY, headers={"X-Mock-Fault": "cut"})


def test_another_asgi_server_gets_an_error_after_a_stall_of_the_given_time() -> None:
    app = create_asgi_app(engine())

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://mock") as client:
            await client.post(path_of(), json=BODY, headers={"X-Mock-Fault": "stall:seconds=0.01"})

    with pytest.raises(ConnectionAbortedError, match="without another byte"):
        asyncio.run(ask())
