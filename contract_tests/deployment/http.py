"""How the deployment and an OIDC provider are reached: certificates, proxies and HTTP/2, as httpx has them."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import httpx

    from contract_tests.options import Options

    Client = TypeVar("Client", bound=httpx.Client)


class ConnectionSettingError(Exception):
    """A certificate, key or proxy can't be used; the text says which, and why."""


def client(options: Options, kind: Callable[..., Client] | None = None, **settings: Any) -> Client:
    """Return an HTTP client, by default httpx's own, with the options' certificates and proxy.

    It speaks HTTP/2 where the server offers it in the TLS handshake, and HTTP/1.1 otherwise.
    Without `proxy` those of the environment are taken: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY. Raises
    `ConnectionSettingError` for what can't be used.
    """
    import httpx

    make: Callable[..., Any] = kind or httpx.Client
    proxy = {"proxy": options.proxy} if options.proxy else {}
    try:
        made: Client = make(verify=context(options), http2=True, **proxy, **settings)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConnectionSettingError(f"the proxy can't be used: {error}") from error
    return made


def context(options: Options) -> ssl.SSLContext:
    """Return what TLS is done with; without a CA bundle the authorities that httpx trusts are trusted."""
    import httpx

    if options.ca_bundle:
        try:
            found = ssl.create_default_context(cafile=options.ca_bundle)
        except OSError as error:
            raise ConnectionSettingError(f"the CA bundle {options.ca_bundle} can't be used: {_why(error)}") from error
    else:
        found = httpx.create_ssl_context()
    if options.client_cert:
        try:
            found.load_cert_chain(options.client_cert, options.client_key or None, password=_refused)
        except (OSError, ValueError) as error:
            files = " and ".join(filter(None, (options.client_cert, options.client_key)))
            raise ConnectionSettingError(f"the client certificate {files} can't be used: {_why(error)}") from error
    return found


def _refused() -> str:
    """Stand in for OpenSSL's question on the terminal, which would stop a pipeline."""
    raise ValueError("the key is encrypted; give one that is not")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"it holds no certificate, or not the key that belongs to it ({error.reason or 'no PEM'})"
    return getattr(error, "strerror", None) or str(error)
