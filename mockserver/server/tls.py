"""TLS for the server: its certificate, and the authority whose clients it accepts."""

from __future__ import annotations

import ssl
from pathlib import Path


class TlsError(Exception):
    """A certificate, key or authority can't be used: which file, why, and what to do."""


def server_context(certificate: Path, key: Path | None = None, client_authority: Path | None = None) -> ssl.SSLContext:
    """Return a context of TLS 1.2 or later that shows a certificate; raises `TlsError`.

    `certificate` has the certificate in PEM, followed by those of its authorities, and the key if `key` is not given.
    With `client_authority`, each client must show a certificate of that authority.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, _Encrypted) as error:
        remedy = "Name a certificate and its unencrypted key, both in PEM, with --tls-cert and --tls-key."
        raise TlsError(f"{key or certificate}: {_reason(error)}. {remedy}") from None
    if client_authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(client_authority)
        except OSError as error:
            remedy = "Name certificates in PEM with --tls-client-ca."
            raise TlsError(f"{client_authority}: {_reason(error)}. {remedy}") from None
    return context


class _Encrypted(Exception):
    """The key has a password."""


def _no_password() -> str:
    """Fail, because OpenSSL would ask for a password on the terminal."""
    raise _Encrypted("the key is encrypted")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"no certificate or key that can be read ({error.reason or error})"
    return getattr(error, "strerror", None) or str(error)
