"""Sends requests to the deployment, equal ones once, within a budget, and keeps the replies to the byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypedDict, Unpack
from urllib.parse import urlencode, urlsplit

import httpx

from agent_contract.curl import REFERENCE
from agent_contract.messages import Request
from contract_tests.deployment.auth import AuthError, Credentials, fixed
from contract_tests.deployment.bounded_http import LARGEST_REPLY, ExchangeLimits, bounded_client, send_within
from contract_tests.deployment.budget import Budget
from contract_tests.verdict import not_tested
from contract_tests.wire.exchange import TOKEN_VARIABLE, Exchange

if TYPE_CHECKING:
    from agent_contract.base_url import Target
    from agent_contract.messages import JSON

#: Once the replies of a run have this many bytes altogether, each further one may have no more than `SMALL_REPLY`.
MOST_RECEIVED = 64 * 1024 * 1024
SMALL_REPLY = 256 * 1024
#: How long the answer to a request that cleans up is waited for, in seconds; after a deadline all of them together.
LATE = 5.0
#: How long a server may ask to wait with a 429 or a 503, in seconds, and how often.
LONGEST_WAIT = 30.0
MOST_WAITS = 3

Headers: TypeAlias = Mapping[str, str | None]


class Endpoint(NamedTuple):
    """The destination of a request: the operation's id, the method, and its path with the parameters' names."""

    id: str
    method: str
    path: str


class Variation(TypedDict, total=False):
    """What distinguishes a request from the plain one to its endpoint.

    A header whose value is None is left out. `again` numbers repetitions of an equal request, each of which is sent.
    Of the reply to a `lenient` request only a server error is judged.
    """

    headers: Headers | None
    parameters: Mapping[str, str] | None
    query: Mapping[str, str] | None
    again: int
    lenient: bool


class RunEnded(Exception):
    """The run can't go on: the deployment is gone, or no longer takes the token."""


@dataclass(slots=True)
class DeploymentClient:
    """Sends requests to one operation of one deployment and remembers the answers.

    The same request is sent once, even if several tests need it; `again` distinguishes repetitions.
    """

    target: Target
    path: str
    token: Credentials | str = ""
    budget: Budget = field(default_factory=lambda: Budget(200))
    timeout: float = 60.0
    connect: Callable[[], httpx.Client] = bounded_client
    operation: str = ""
    token_variable: str = TOKEN_VARIABLE
    gateway_headers: Mapping[str, str] = field(default_factory=dict)  #: sent with every request, as `$VARIABLE` too
    variables: Mapping[str, str] = field(default_factory=dict)  #: the values of those variables
    log: list[Exchange] = field(default_factory=list)
    alive: Callable[[], str] = lambda: ""
    credentials: Credentials = field(init=False)
    _client: httpx.Client = field(init=False)
    _known: dict[tuple[object, ...], Exchange] = field(default_factory=dict)
    _called: set[str] = field(default_factory=set)
    _received: int = 0  #: bytes of all replies

    def __post_init__(self) -> None:
        self.credentials = fixed(self.token) if isinstance(self.token, str) else self.token
        self._client = self.connect()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def chat(self, body: JSON | bytes = None, *, method: str = "POST", **variation: Unpack[Variation]) -> Exchange:
        """Send a request to the operation, unless it was sent before, and return what became of it; see `ask`."""
        return self.ask(Endpoint(self.operation, method, self.path), body, **variation)

    def ask(self, operation: Endpoint, body: JSON | bytes = None, **variation: Unpack[Variation]) -> Exchange:
        """Send a request to an operation, unless it was sent before, and return what became of it.

        Raises the verdict `not tested` if the budget is used up or the server keeps asking to wait, and `RunEnded` if
        the deployment no longer answers.
        """
        headers, parameters = variation.get("headers"), variation.get("parameters")
        query, lenient = variation.get("query"), variation.get("lenient", False)
        self._called.add(operation.id)
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        wanted: dict[str, str | None] = {"content-type": "application/json" if content else None}
        wanted |= {"authorization": f"Bearer ${self.token_variable}" if self.credentials else None, **(headers or {})}
        sent = {name: value for name, value in wanted.items() if value is not None}
        url = self.target.url(operation.path, **(parameters or {})) + (
            f"?{urlencode(query, errors='surrogatepass')}" if query else ""
        )
        key = (operation.method, url, tuple(sorted(sent.items())), content, variation.get("again", 0))
        if key not in self._known:
            request = Request(operation.method, urlsplit(url).path, tuple((query or {}).items()), sent, content)
            self._known[key] = self._send_within_budget(Exchange(request, url, operation.id, lenient=lenient))
        return self._known[key]

    def count_as_asked(self, operation: str) -> None:
        """Take it that an operation was asked, by a test that looks at answers which another has collected."""
        self._called.add(operation)

    def operations_since(self) -> frozenset[str]:
        """Return the ids of the operations that were asked since the last call, of answers known before too."""
        ids = frozenset(self._called)
        self._called.clear()
        return ids

    def get(self, url: str) -> Exchange:
        """Send a GET without a token to any URL and return what became of it."""
        self.budget.spend()
        return self.send(Request("GET", urlsplit(url).path), url)

    def clean_up(self, operation: Endpoint, query: Mapping[str, str] | None = None, **parameters: str) -> Exchange:
        """Send a request that undoes a change of the run, also after deadline and budget; never raises."""
        url = self.target.url(operation.path, **parameters) + (
            f"?{urlencode(query, errors='surrogatepass')}" if query else ""
        )
        headers = {"authorization": f"Bearer ${self.token_variable}"} if self.credentials else {}
        request = Request(operation.method, urlsplit(url).path, tuple((query or {}).items()), headers)
        for _ in range(2):
            self.budget.sent += 1
            try:
                token = self.credentials.token() if self.credentials else ""
                exchange = replace(self.send(request, url, late=True), operation=operation.id)
                fresh = exchange.status in (401, 403) and bool(token) and self.credentials.renewed(token)
            except AuthError as error:
                return Exchange(request, url, operation.id, failure=str(error))
            if not exchange.lost and not fresh:
                break
        self.log.append(exchange)
        return exchange

    def forget(self) -> None:
        """Forget all answers, so that each request is sent again."""
        self._known.clear()
        self.log.clear()

    def _send_within_budget(self, planned: Exchange) -> Exchange:
        request, url = planned.request, planned.url
        reserved = self.budget.reserve(request.body)
        for _ in range(MOST_WAITS):
            exchange = self._send_with_token(request, url)
            if exchange.lost:
                # A proxy may close an idle connection at that moment; closing it twice is deliberate.
                exchange = self._send_with_token(request, url)
            exchange = replace(exchange, operation=planned.operation, lenient=planned.lenient)
            pause = _asks_to_wait(exchange)
            if pause is None:
                break
            self.budget.limiter.pause(pause)
        else:
            self.budget.settle(reserved, exchange)
            raise not_tested(f"the server answers {exchange.status} and asks to wait, {MOST_WAITS} times over")
        self.budget.settle(reserved, exchange)
        if exchange.failure:
            self.budget.limiter.check()  # the deadline has cut the reply: the deployment is not at fault
        self.log.append(exchange)
        self._check_alive(exchange)
        if exchange.status == httpx.codes.TOO_MANY_REQUESTS:
            raise not_tested("the server answers 429 Too Many Requests")
        return exchange

    def _send_with_token(self, request: Request, url: str) -> Exchange:
        """Send a request with a valid token, and again with a new one if the server refuses it."""
        wants_token = self._has_token(request)
        try:
            token = self.credentials.token() if wants_token else ""
            self.budget.spend()
            exchange = self.send(request, url)
            if wants_token and exchange.status in (401, 403) and self.credentials.renewed(token):
                self.budget.spend()
                exchange = self.send(request, url)
        except AuthError as error:
            raise RunEnded(str(error)) from error
        return exchange

    def _check_alive(self, exchange: Exchange) -> None:
        """Raise `RunEnded` if a failure is the deployment's or the token's, not this request's."""
        refused = exchange.status in (401, 403) and self._has_token(exchange.request)
        if (refused or (exchange.failure and not exchange.status)) and (reason := self.alive()):
            raise RunEnded(reason)

    def send(self, request: Request, url: str, *, late: bool = False) -> Exchange:
        """Send the request as it is, outside budget and memory, and return what became of it; never raises.

        The whole exchange takes no longer than `timeout`, and ends with the run's deadline. What is `late` may be sent
        after the deadline: all of it together ends `LATE` seconds after it.
        """
        left = self.budget.limiter.left
        seconds = min(self.timeout, LATE, left + LATE) if late else min(self.timeout, left)
        sent = {**self.gateway_headers, **request.headers}
        request = Request(request.method, request.path, request.query, sent, request.body)
        headers = {name: self._resolved(value) for name, value in sent.items()}
        bound = ExchangeLimits(seconds, LARGEST_REPLY if self._received < MOST_RECEIVED else SMALL_REPLY)
        got = send_within(self._client, request.method, url, headers, request.body, bound)
        self._received += sum(len(piece) for _, piece in got.pieces)
        return Exchange(
            request,
            url,
            status=got.status,
            headers=got.headers,
            pieces=got.pieces,
            failure=got.failure,
            protocol=got.protocol,
            lost=got.lost,
            given_up=got.given_up,
        )

    def _resolved(self, value: str) -> str:
        """Return a header's value with the token or another variable in the place of its name."""
        found = REFERENCE.fullmatch(value)
        if found is None:
            return value
        known = {**self.variables, **({self.token_variable: self.credentials.current} if self.credentials else {})}
        name = found["variable"]
        return value.replace(f"${name}", known[name]) if name in known else value

    def _has_token(self, request: Request) -> bool:
        return request.headers.get("authorization", "") == f"Bearer ${self.token_variable}"


def _asks_to_wait(exchange: Exchange) -> float | None:
    """Return the seconds that the server asks to wait, within reason; None if it doesn't."""
    value = exchange.header("retry-after")
    if exchange.status not in (429, 503) or not value:
        return None
    try:
        if value.isdecimal():
            return min(float(value), LONGEST_WAIT)
        pause = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(pause, 0.0), LONGEST_WAIT)
