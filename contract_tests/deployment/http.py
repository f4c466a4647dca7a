"""The HTTP client for the deployment and for an OIDC provider: certificates, proxies and HTTP/2."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from agent_contract.proxies import proxy_for

if TYPE_CHECKING:
    import httpx

    from contract_tests.options import Options


class ConnectionSettingError(Exception):
    """A certificate, key or proxy can't be used; the message names it and the reason."""


def client(options: Options, url: str) -> httpx.Client:
    """Return an HTTP client for requests to the server of a URL, with the options' certificates and proxy.

    It speaks HTTP/2 if the server offers it in the TLS handshake, and HTTP/1.1 otherwise. Without the option `proxy`
    the environment decides: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY. Raises `ConnectionSettingError` for a
    certificate or proxy that can't be used.
    """
    import httpx

    from contract_tests.deployment.bounded_http import bounded_client

    try:
        proxy = options.proxy or proxy_for(url)
        return bounded_client(verify=context(options), http2=True, **({"proxy": proxy} if proxy else {}))
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConnectionSettingError(f"the proxy can't be used: {error}") from error


def context(options: Options) -> ssl.SSLContext:
    """Return the TLS context; without a CA bundle it trusts the authorities that httpx trusts."""
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
    """Refuse OpenSSL's prompt for a password, which would block a pipeline."""
    raise ValueError("the key is encrypted; give one that is not")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"it holds no certificate, or not the key that belongs to it ({error.reason or 'no PEM'})"
    return getattr(error, "strerror", None) or str(error)
