"""Waits until a server answers: for scripts that start one in the background."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from agent_contract.printable import printable_line
from agent_contract.proxies import proxy_for

_PAUSE = 0.1  # seconds between two tries
_LONGEST_TRY = 5.0  # seconds
_LARGEST = 64 * 1024  # bytes of an answer that are read


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


def wait_for(url: str, timeout: float) -> str:
    """Return what answers at `url` as soon as something does; raise TimeoutError with what was seen until then.

    A mock answers at `/__mock__/health` of the URL's host; any HTTP answer of another server counts. Raises
    ValueError for a URL or a proxy that can't be used.
    """
    parts = urlsplit(url)
    health = urlunsplit((parts.scheme, parts.netloc, "/__mock__/health", "", ""))
    end = time.monotonic() + timeout
    seen = "nothing was tried"
    while True:
        left = end - time.monotonic()
        try:
            return _name(_answer(health, max(0.1, min(_LONGEST_TRY, left))))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ValueError(str(error)) from None
        except (httpx.HTTPError, TimeoutError) as error:
            seen = str(error) or type(error).__name__
        if time.monotonic() + _PAUSE > end:
            raise TimeoutError(seen)
        time.sleep(_PAUSE)


def _answer(url: str, seconds: float) -> _Answer:
    """Return the answer to a GET within some seconds; raises TimeoutError, or what httpx raises.

    httpx bounds each read alone, so a thread that can be left alone does the exchange.
    """
    results: SimpleQueue[_Answer | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            results.put(_exchange(url, seconds))
        except Exception as error:
            results.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = results.get(timeout=seconds + 0.1)
    except Empty:
        raise TimeoutError(f"no whole head of an answer within {seconds:.1f} s") from None
    if isinstance(found, Exception):
        raise found
    return found


def _exchange(url: str, seconds: float) -> _Answer:
    # Nothing is decoded, so that a small answer can't become a large one.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    proxy: Any = proxy_for(url) or None
    with (
        httpx.Client(trust_env=False, proxy=proxy, headers=headers) as client,
        client.stream("GET", url, timeout=seconds) as reply,
    ):
        body = b""
        try:
            for piece in reply.iter_raw():
                body += piece
                if len(body) > _LARGEST:
                    break
        except httpx.HTTPError:  # its head was an answer
            pass
        return _Answer(reply.status_code, body)


def _name(reply: _Answer) -> str:
    try:
        health = json.loads(reply.body)
        if reply.status == 200 and health.get("status") == "ok":
            return printable_line(f"a mock of {health['title']} {health['version']}"[:200])
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        pass
    return f"a server that answers {reply.status}"
