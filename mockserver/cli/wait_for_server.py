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

_PAUSE = 0.1  # seconds between two attempts
_MAX_ATTEMPT = 5.0  # seconds
_MAX_BODY = 64 * 1024  # bytes of an answer that are read


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


def wait_for(url: str, timeout: float) -> str:
    """Return a description of the server at `url` as soon as it answers; raise TimeoutError with the last error.

    The request goes to `/__mock__/health` at the URL's host; any HTTP answer counts. Raises ValueError for an invalid
    URL or proxy.
    """
    parts = urlsplit(url)
    health = urlunsplit((parts.scheme, parts.netloc, "/__mock__/health", "", ""))
    end = time.monotonic() + timeout
    last_error, slow = "", "no attempt was made"
    while True:
        left = end - time.monotonic()
        try:
            return _name(_answer(health, max(0.1, min(_MAX_ATTEMPT, left))))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ValueError(str(error)) from None
        except TimeoutError as error:
            slow = str(error)
        except httpx.HTTPError as error:
            last_error = str(error) or type(error).__name__
        if time.monotonic() + _PAUSE > end:
            raise TimeoutError(last_error or slow)  # the last attempt is short: an error explains more than its timeout
        time.sleep(_PAUSE)


def _answer(url: str, seconds: float) -> _Answer:
    """Return the answer to a GET within some seconds; raises TimeoutError, or what httpx raises.

    httpx limits each read, not the whole exchange. So a thread does the exchange, and is abandoned after the timeout.
    """
    results: SimpleQueue[_Answer | Exception] = SimpleQueue()

    def send() -> None:
        try:
            results.put(_exchange(url, seconds))
        except Exception as error:
            results.put(error)

    threading.Thread(target=send, daemon=True).start()
    try:
        found = results.get(timeout=seconds + 0.1)
    except Empty:
        raise TimeoutError(f"no complete response headers within {seconds:.1f} s") from None
    if isinstance(found, Exception):
        raise found
    return found


def _exchange(url: str, seconds: float) -> _Answer:
    # No content encoding: a small compressed answer could become a large one.
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
                if len(body) > _MAX_BODY:
                    break
        except httpx.HTTPError:  # the headers are answer enough
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
