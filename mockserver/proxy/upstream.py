"""The upstream of the proxy: one fixed origin, a pool of connections, and no redirects.

httpx's transport sends what it is given: it adds no headers, keeps no cookies and follows no redirects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent_contract.proxies import proxy_for
from mockserver.proxy.headers import Fields

if TYPE_CHECKING:
    import httpx

#: Seconds until a connection is open, and for which an unused one is kept.
_CONNECT = 10.0
_KEEP = 30.0
_STATUSES = range(200, 600)


class UpstreamError(Exception):
    """The upstream did not answer, or stopped; `status` is that of the reply to the client."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class UpstreamUrlError(ValueError):
    """The URL of an upstream can't be used; the message has the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class UpstreamReply:
    """The head of a reply, and its body as it arrives: without changes, and in the pieces that the network gives."""

    status: int
    headers: Fields
    pieces: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]


class Upstream:
    """Sends requests to one origin. A reply may be silent for `timeout` seconds before it is given up."""

    def __init__(self, url: str, timeout: float = 600.0) -> None:
        import httpx

        self.url = _checked(url)
        parts = urlsplit(self.url)
        self.host = parts.netloc.encode("ascii")
        self._origin = httpx.URL(f"{parts.scheme}://{parts.netloc}/")
        self._prefix = parts.path.rstrip("/").encode("ascii")
        self._timeout = {"connect": _CONNECT, "read": timeout, "write": timeout, "pool": None}
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=_KEEP)
        self._transport = httpx.AsyncHTTPTransport(limits=limits, proxy=proxy_for(self.url) or None)

    async def send(self, method: str, target: bytes, headers: Fields, body: bytes) -> UpstreamReply:
        """Send a request and return its reply when its headers have arrived; close it. Raises `UpstreamError`."""
        import httpx

        # The target goes on the request line as it is; the origin alone decides where the connection leads.
        extensions = {"timeout": self._timeout, "target": self._prefix + target}
        request = httpx.Request(
            method, self._origin, headers=headers, stream=httpx.ByteStream(body), extensions=extensions
        )
        try:
            response = await self._transport.handle_async_request(request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._error(error) from error
        if response.status_code not in _STATUSES:
            await response.aclose()
            raise UpstreamError(502, f"The upstream answered with the status {response.status_code}.")
        return UpstreamReply(response.status_code, response.headers.raw, self._pieces(response), response.aclose)

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def _pieces(self, response: httpx.Response) -> AsyncIterator[bytes]:
        import httpx

        assert isinstance(response.stream, httpx.AsyncByteStream)
        try:
            async for piece in response.stream:
                yield piece
        except httpx.HTTPError as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> UpstreamError:
        import httpx

        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
            seconds = self._timeout["read"]
            return UpstreamError(504, f"The upstream sent nothing for {seconds:g} s. Set --timeout to wait longer.")
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return UpstreamError(502, f"No connection to {self.url}: {what}. Is the deployment running?")
        return UpstreamError(502, f"The upstream broke off: {what}")


def _checked(url: str) -> str:
    remedy = "Expected a URL such as https://agents.example.com"
    try:
        parts = urlsplit(url)
        _ = parts.port
        url.encode("ascii")
    except ValueError as error:
        raise UpstreamUrlError(f"{error}. {remedy}.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UpstreamUrlError(f"{url} is not an HTTP URL. {remedy}.")
    if "@" in parts.netloc:
        raise UpstreamUrlError(f"The URL has a user part, but the proxy sends the caller's own key. {remedy}.")
    if parts.query or parts.fragment:
        raise UpstreamUrlError(f"The URL has a query or a fragment. {remedy}.")
    return url.rstrip("/")
