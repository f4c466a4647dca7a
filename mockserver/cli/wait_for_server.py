"""Waits until a server answers: for scripts that start one in the background."""

from __future__ import annotations

import time
from urllib.parse import urlsplit, urlunsplit

import httpx

_PAUSE = 0.1  # seconds between two tries


def wait_for(url: str, timeout: float) -> str:
    """Return what answers at `url` as soon as something does; TimeoutError says what was seen until then.

    A mock answers at `/__mock__/health` of the URL's host; of any other server every HTTP answer will do.
    """
    parts = urlsplit(url)
    health = urlunsplit((parts.scheme, parts.netloc, "/__mock__/health", "", ""))
    end = time.monotonic() + timeout
    seen = "nothing was tried"
    with httpx.Client(follow_redirects=False, headers={"accept": "application/json"}) as client:
        while True:
            left = end - time.monotonic()
            try:
                reply = client.get(health, timeout=max(0.1, min(5.0, left)))
                return _name(reply)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise ValueError(str(error)) from None
            except httpx.HTTPError as error:
                seen = str(error) or type(error).__name__
            if time.monotonic() + _PAUSE > end:
                raise TimeoutError(seen)
            time.sleep(_PAUSE)


def _name(reply: httpx.Response) -> str:
    try:
        health = reply.json()
        if reply.status_code == 200 and health.get("status") == "ok":
            return f"a mock of {health['title']} {health['version']}"
    except (ValueError, AttributeError, KeyError):
        pass
    return f"a server that answers {reply.status_code}"
