"""The access token that requests carry: a fixed one, one from a file, or one that an OIDC provider gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contract_tests.options import Options

DISCOVERY = "/.well-known/openid-configuration"
#: A token is replaced so many seconds before it expires: a request takes its time.
LEEWAY = 5
#: How long a provider may take, in seconds.
TIMEOUT = 30.0


class AuthError(Exception):
    """No token can be had; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token, and what tells whether it has expired."""

    token: str
    expired: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Credentials:
    """Gives the token for each request, anew where it has expired or is refused; false where no token is known of.

    `seen` are all secrets that have been used, to be hidden in whatever is shown.
    """

    issue: Callable[[], Issued] | None
    seen: list[str] = field(default_factory=list)
    _issued: Issued | None = None
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __bool__(self) -> bool:
        return self.issue is not None

    @property
    def current(self) -> str:
        """The token that was given last; an empty text before the first."""
        return self._issued.token if self._issued else ""

    def token(self) -> str:
        """Return a token that has not expired; raises `AuthError` where none can be had."""
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
    """Return the credentials that are one token, or none where it is empty."""
    return Credentials((lambda: Issued(token)) if token else None)


def credentials(options: Options, environment: Mapping[str, str] = os.environ) -> Credentials:
    """Return the credentials that the options tell of; nothing is read or sent before the first request."""
    if options.token_file:
        return Credentials(lambda: Issued(from_file(options.token_file)))
    if options.oidc_client_id:
        secrets = [environment.get(name, "") for name in (options.oidc_client_secret_env, options.oidc_password_env)]
        return Credentials(Provider(options, *secrets), list(filter(None, secrets)))
    return fixed(options.token)


def from_file(name: str) -> str:
    """Return the token in a file, without white space around it; raises `AuthError` where there is none."""
    try:
        token = Path(name).read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII text"
        raise AuthError(f"the token file {name} can't be read: {reason}") from error
    if not token or len(token.split()) > 1:
        raise AuthError(f"the token file {name} must hold one token and nothing else")
    return token


@dataclass(slots=True)
class Provider:
    """Issues tokens as an OIDC provider gives them, by client credentials, or for a user by password.

    Source: RFC 6749, sections 4.3, 4.4 and 6; OpenID Connect Discovery 1.0, section 4.
    """

    options: Options
    secret: str = ""
    password: str = ""
    _method: str = ""
    _url: str = ""
    _refresh: str = ""

    def __call__(self) -> Issued:
        """Return a token: by the refresh token where there is one that is still good, else by asking anew."""
        import httpx

        try:
            from authlib.common.errors import AuthlibBaseError
        except ImportError as error:
            raise AuthError('OIDC needs the extra `oidc`: python -m pip install "agent-contract-kit[oidc]"') from error
        try:
            self._discover()
            with self._client() as client:
                token = self._refreshed(client) or client.fetch_token(self._url, **self._grant())
        except AuthlibBaseError as error:
            raise AuthError(f"the OIDC provider at {self._url} gives no token: {error}") from error
        except httpx.HTTPError as error:
            where = self._url or self.options.oidc_issuer
            raise AuthError(f"the OIDC provider at {where} can't be asked: {type(error).__name__}: {error}") from error
        except ValueError as error:
            raise AuthError(f"the OIDC provider at {self._url} answers no JSON with a token") from error
        if not isinstance(token.get("access_token"), str):
            raise AuthError(f"the OIDC provider at {self._url} answers without an access_token")
        self._refresh = token.get("refresh_token") or self._refresh
        return Issued(token["access_token"], lambda: bool(token.is_expired(leeway=LEEWAY)))

    def _grant(self) -> Mapping[str, str]:
        if not self.options.oidc_username:
            return {"grant_type": "client_credentials"}
        return {"grant_type": "password", "username": self.options.oidc_username, "password": self.password}

    def _refreshed(self, client: Any) -> Any:
        """Return the token that the refresh token gets; None without one, or where it is no longer good."""
        from authlib.common.errors import AuthlibBaseError

        try:
            return client.refresh_token(self._url, refresh_token=self._refresh) if self._refresh else None
        except AuthlibBaseError:
            self._refresh = ""
            return None

    def _discover(self) -> None:
        """Find the token endpoint, unless it was given, and how the client shows itself there."""
        import httpx

        from contract_tests.deployment.http import client

        if self._url:
            return
        metadata: Mapping[str, Any] = {}
        if not self.options.oidc_token_url:
            with client(self.options, httpx.Client, timeout=TIMEOUT) as plain:
                metadata = _discovered(plain, self.options.oidc_issuer)
        self._method = _method(self.secret, metadata)
        self._url = self.options.oidc_token_url or metadata["token_endpoint"]

    def _client(self) -> Any:
        from authlib.integrations.httpx_client import OAuth2Client

        from contract_tests.deployment.http import client

        return client(
            self.options,
            OAuth2Client,
            client_id=self.options.oidc_client_id,
            client_secret=self.secret or None,
            token_endpoint_auth_method=self._method,
            scope=self.options.oidc_scope or None,
            timeout=TIMEOUT,
        )


def _discovered(client: Any, issuer: str) -> Mapping[str, Any]:
    """Return the provider's metadata; raises `AuthError` where it is not this issuer's, or names no token endpoint."""
    url = f"{issuer.rstrip('/')}{DISCOVERY}"
    response = client.get(url)
    try:
        found = response.json() if response.status_code == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("token_endpoint"), str):
        raise AuthError(f"{url} names no token endpoint ({response.status_code}); give it with --oidc-token-url")
    if str(found.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise AuthError(f"{url} speaks for another issuer, {found.get('issuer')!r}: give that one with --oidc-issuer")
    return found


def _method(secret: str, metadata: Mapping[str, Any]) -> str:
    """Return how the client shows who it is: by HTTP Basic, unless the provider only takes it in the form."""
    if not secret:
        return "none"
    known = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"
