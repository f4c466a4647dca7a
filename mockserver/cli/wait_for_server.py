"""Waits until a server answers: for scripts that start one in the background."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.client import HTTPException, InvalidURL
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

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
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not the URL of an HTTP server")
    health = urlunsplit((parts.scheme, parts.netloc, "/__mock__/health", "", ""))
    end = time.monotonic() + timeout
    last_error, slow = "", "no attempt was made"
    while True:
        left = end - time.monotonic()
        try:
            return _name(_answer(health, max(0.1, min(_MAX_ATTEMPT, left))))
        except InvalidURL as error:
            raise ValueError(str(error)) from None
        except TimeoutError as error:
            slow = str(error)
        except (OSError, HTTPException) as error:
            last_error = str(getattr(error, "reason", "") or error) or type(error).__name__
        if time.monotonic() + _PAUSE > end:
            raise TimeoutError(last_error or slow)  # the last attempt is short: an error explains more than its timeout
        time.sleep(_PAUSE)


def _answer(url: str, seconds: float) -> _Answer:
    """Return the answer to a GET within some seconds; raises TimeoutError, or what `urllib` raises.

    A socket's timeout limits each read, not the whole exchange. So a thread does the exchange, and may be abandoned.
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
    request = Request(url, headers={"accept": "application/json", "accept-encoding": "identity"})
    with _opener(url).open(request, timeout=seconds) as reply:
        try:
            body = reply.read(_MAX_BODY)
        except (OSError, HTTPException):  # the headers are answer enough
            body = b""
        return _Answer(reply.status, body)


def _opener(url: str) -> OpenerDirector:
    """Return an opener that follows no redirect and returns every status; ValueError for a proxy that isn't HTTP."""
    opener = OpenerDirector()
    proxy = proxy_for(url)
    if proxy and (kind := urlsplit(proxy).scheme) not in ("http", "https"):
        raise ValueError(f"the proxy of the environment is of the kind {kind}, and only http and https are supported")
    proxies = {urlsplit(url).scheme: proxy} if proxy else {}
    for handler in (ProxyHandler(proxies), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    return opener


def _name(reply: _Answer) -> str:
    try:
        health = json.loads(reply.body)
        if reply.status == 200 and health.get("status") == "ok":
            return printable_line(f"a mock of {health['title']} {health['version']}"[:200])
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        pass
    return f"a server that answers {reply.status}"
