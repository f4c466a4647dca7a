"""The access token that requests carry: a fixed one, one from a file, or one that an OIDC provider gives."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from contract_tests.wire import strict_json
from contract_tests.wire.exchange import status_line

if TYPE_CHECKING:
    import httpx

    from contract_tests.deployment.bounded_http import RawReply
    from contract_tests.options import Options

DISCOVERY = "/.well-known/openid-configuration"
#: Seconds before its expiry at which a token is replaced: a request takes time.
LEEWAY = 5
#: How long a provider may take, in seconds.
TIMEOUT = 30.0
#: Bytes that an answer of a provider may have.
LARGEST_ANSWER = 256 * 1024


class AuthError(Exception):
    """A token is not available; the message contains the reason, and what to do."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token, and a function that returns whether it has expired."""

    token: str
    expired: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Credentials:
    """Gives the token for each request, a new one if it has expired or is refused; false without a token.

    `seen` are all secrets that have been used, to be hidden in whatever is shown.
    """

    issue: Callable[[], IssuedToken] | None
    seen: list[str] = field(default_factory=list)
    _issued: IssuedToken | None = None
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __bool__(self) -> bool:
        return self.issue is not None

    @property
    def current(self) -> str:
        """The last token; an empty string before the first."""
        return self._issued.token if self._issued else ""

    def token(self) -> str:
        """Return a token that has not expired; raises `AuthError` if it can't get one."""
        with self._lock:
            if self._issued is None or self._issued.expired():
                self._renew()
            return self.current

    def renewed(self, refused: str) -> bool:
        """Whether there is another token than the one that was refused; raises `AuthError` as `token` does."""
        with self._lock:
            if self.current == refused:
                self._renew()
            return self.current != refused

    def _renew(self) -> None:
        if self.issue is None:
            return
        self._issued = self.issue()
        if self.current not in self.seen:
            self.seen.append(self.current)


def fixed(token: str) -> Credentials:
    """Return the credentials for one token, none if it is empty."""
    return Credentials((lambda: IssuedToken(token)) if token else None)


def credentials(options: Options, environment: Mapping[str, str] = os.environ) -> Credentials:
    """Return the credentials for the options; nothing is read or sent before the first request."""
    if options.token_file:
        return Credentials(lambda: IssuedToken(from_file(options.token_file)))
    if options.oidc_client_id:
        secrets = [environment.get(name, "") for name in (options.oidc_client_secret_env, options.oidc_password_env)]
        return Credentials(TokenProvider(options, secrets[0], secrets[1]), list(filter(None, secrets)))
    return fixed(options.token)


def from_file(name: str) -> str:
    """Return the token in a file, without white space around it; raises `AuthError` without one."""
    try:
        token = Path(name).read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII text"
        raise AuthError(f"the token file {name} can't be read: {reason}") from error
    if not token or len(token.split()) > 1:
        raise AuthError(f"the token file {name} must hold one token and nothing else")
    return token


@dataclass(slots=True)
class TokenProvider:
    """Issues tokens as an OIDC provider gives them, by client credentials, or for a user by password.

    Source: RFC 6749, sections 4.3, 4.4 and 6; OpenID Connect Discovery 1.0, section 4.
    """

    options: Options
    secret: str = ""
    password: str = ""
    _method: str = ""
    _url: str = ""
    _refresh: str = ""
    _begun: float = field(default_factory=time.monotonic)

    @property
    def _seconds(self) -> float:
        """How long the next exchange may take; the run's deadline applies too."""
        left = self._begun + self.options.deadline - time.monotonic() if self.options.deadline else TIMEOUT
        return min(TIMEOUT, self.options.timeout, max(left, 0.0))

    def __call__(self) -> IssuedToken:
        """Return a token: by the refresh token if it is still valid, else by the grant."""
        try:
            from authlib.common.errors import AuthlibBaseError
        except ImportError as error:
            raise AuthError('OIDC needs the extra `oidc`: python -m pip install "agent-contract[oidc]"') from error
        self._discover()
        try:
            with _session(self.options, self._url, self._seconds) as session:
                client = self._client(session)
                token = self._refreshed(client) or client.fetch_token(self._url, **self._grant())
            value = token.get("access_token")
            # A token goes into a header: anything else would fail there, with another message.
            usable = isinstance(value, str) and value.isascii() and value.isprintable() and value != ""
        except AuthlibBaseError as error:
            raise AuthError(f"the OIDC provider at {self._url} gives no token: {error}") from error
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as error:
            raise AuthError(f"the OIDC provider at {self._url} answers no JSON with a token") from error
        if not usable:
            raise AuthError(f"the OIDC provider at {self._url} answers without an access_token")
        refresh = token.get("refresh_token")
        self._refresh = refresh if isinstance(refresh, str) and refresh else self._refresh
        return IssuedToken(value, lambda: bool(token.is_expired(leeway=LEEWAY)))

    def _grant(self) -> Mapping[str, str]:
        if not self.options.oidc_username:
            return {"grant_type": "client_credentials"}
        return {"grant_type": "password", "username": self.options.oidc_username, "password": self.password}

    def _refreshed(self, client: Any) -> Any:
        """Return the token for the refresh token; None without a refresh token, or if it is not valid any more."""
        from authlib.common.errors import AuthlibBaseError

        try:
            return client.refresh_token(self._url, refresh_token=self._refresh) if self._refresh else None
        except AuthlibBaseError:
            self._refresh = ""
            return None

    def _discover(self) -> None:
        """Find the token endpoint, unless it was given, and how the client authenticates there."""
        if self._url:
            return
        metadata: Mapping[str, Any] = {}
        if not self.options.oidc_token_url:
            with _session(self.options, self.options.oidc_issuer, self._seconds) as session:
                metadata = _discovered(session, self.options.oidc_issuer)
        self._method = _method(self.secret, metadata)
        self._url = self.options.oidc_token_url or metadata["token_endpoint"]

    def _client(self, session: _ProviderClient) -> Any:
        """Return Authlib's client of the protocol, which sends by our session: its own has no bounds."""
        from authlib.oauth2.auth import ClientAuth
        from authlib.oauth2.client import OAuth2Client

        class Client(OAuth2Client):  # type: ignore[misc]
            client_auth_class = ClientAuth

        return Client(
            session,
            client_id=self.options.oidc_client_id,
            client_secret=self.secret or None,
            token_endpoint_auth_method=self._method,
            scope=self.options.oidc_scope or None,
        )


@dataclass(slots=True)
class _ProviderClient:
    """Sends requests to a provider, each within some seconds and a bound on its answer."""

    client: httpx.Client
    seconds: float

    def get(self, url: str) -> RawReply:
        """Return the answer to a GET; raises `AuthError` if none came whole."""
        return self._send("GET", url, {"accept": "application/json"}, b"")

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> httpx.Response:
        """Return the answer to a form, as Authlib reads it; raises `AuthError` if none came whole."""
        import httpx

        url, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        found = self._send("POST", url, sent, body.encode())
        if found.status >= 500:
            raise AuthError(f"the OIDC provider at {url} answers {status_line(found.status)}")
        return httpx.Response(found.status, content=found.body)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> RawReply:
        from contract_tests.deployment.bounded_http import ExchangeLimits, send_within

        found = send_within(self.client, method, url, headers, body, ExchangeLimits(self.seconds, LARGEST_ANSWER))
        if found.failure:
            raise AuthError(f"the OIDC provider at {url.removesuffix(DISCOVERY)} can't be asked: {found.failure}")
        return found


@contextmanager
def _session(options: Options, url: str, seconds: float) -> Iterator[_ProviderClient]:
    from contract_tests.deployment.http import client

    with client(options, url) as found:
        yield _ProviderClient(found, seconds)


def _discovered(session: _ProviderClient, issuer: str) -> Mapping[str, Any]:
    """Return the provider's metadata; raises `AuthError` if it is another issuer's, or names no token endpoint."""
    url = f"{issuer.rstrip('/')}{DISCOVERY}"
    response = session.get(url)
    try:
        found = strict_json.loads(response.body) if response.status == 200 else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("token_endpoint"), str):
        raise AuthError(f"{url} names no token endpoint ({response.status}); give it with --oidc-token-url")
    if str(found.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise AuthError(f"{url} speaks for another issuer, {found.get('issuer')!r}: give that one with --oidc-issuer")
    return found


def _method(secret: str, metadata: Mapping[str, Any]) -> str:
    """Return how the client authenticates: by HTTP Basic, unless the provider only accepts fields of the form."""
    if not secret:
        return "none"
    known = metadata.get("token_endpoint_auth_methods_supported")
    known = known if isinstance(known, list) and known else ["client_secret_basic"]
    return "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"
