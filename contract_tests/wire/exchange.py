"""A request to the deployment and its reply, to the byte, and the `curl` command that repeats the request."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from agent_contract.curl import TOKEN_VARIABLE, curl_command
from agent_contract.printable import shorten
from contract_tests.wire import sse, strict_json

__all__ = ["EXCERPT", "TOKEN_VARIABLE", "Exchange", "status_line"]

if TYPE_CHECKING:
    from agent_contract.messages import JSON, Request

#: The most characters of a reply that are shown.
EXCERPT = 300
#: Bytes of a body that an excerpt is taken from: white space in it counts as one character.
_DESCRIBED = 16 * 1024


@dataclass(frozen=True)
class Exchange:
    """One request and its reply, or the reason for a missing one.

    `status` is 0 and `failure` is the reason if no complete reply came; header names are lower-case; `pieces` are the
    body's bytes, decoded from any content coding, each with the second after the request in which it came.
    """

    request: Request
    url: str
    operation: str = ""  #: the id of the operation that it was sent to
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[tuple[float, bytes], ...] = ()
    failure: str = ""
    lenient: bool = False  #: only a server error in the reply is reported
    protocol: str = ""  #: the protocol of the reply, as in `HTTP/2`
    lost: bool = False  #: the connection was lost before there was any reply
    given_up: bool = False  #: the reply is larger or slower than is read: `failure` is not the server's

    @property
    def body(self) -> bytes:
        """The body's bytes, joined."""
        return b"".join(piece for _, piece in self.pieces)

    def header(self, name: str) -> str:
        """Return the header's first value, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

    def json(self) -> JSON:
        """Return the body as JSON; None for any other body, and for one that did not arrive whole."""
        try:
            return None if self.failure else strict_json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def is_json(self) -> bool:
        """Whether the body arrived whole and is JSON."""
        return self.json() is not None or self.body.strip() == b"null"

    @property
    def events(self) -> sse.EventStream:
        """The events of the body. Those of the last few replies are kept: a run keeps every exchange."""
        return _events(self.pieces)

    def described(self) -> str:
        """Return the reply in a line: status, or what failed, and the beginning of its body."""
        if self.failure and not self.status:
            return f"no reply: {self.failure}"
        text = " ".join(self.body[:_DESCRIBED].decode("utf-8", "replace").split())
        excerpt = shorten(text, EXCERPT)
        failure = f", then {self.failure}" if self.failure else ""
        return f"{status_line(self.status)}{failure}{': ' if excerpt else ''}{excerpt}"

    def curl(self) -> str:
        """Return a shell command that sends the same request, the token as a variable."""
        return curl_command(self.request.method, self.url, self.request.headers, self.request.body)


@lru_cache(maxsize=4)
def _events(pieces: tuple[tuple[float, bytes], ...]) -> sse.EventStream:
    return sse.read(pieces)


def status_line(status: int) -> str:
    """Return the status with its phrase, as in `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
