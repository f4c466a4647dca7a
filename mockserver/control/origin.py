"""Checks of `Host` and `Origin` that protect the control interface from web pages.

Without them a page of any site could read the journal through a host name that resolves to this machine (DNS
rebinding), and could reset the mock with a cross-origin request.
Source: RFC 6454, section 7.3 (`Origin`); RFC 9110, section 7.2 (`Host`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from agent_contract.messages import Request

#: Allows every host, and pages of every origin.
ANY = "*"


def foreign(request: Request, allowed: Collection[str] = ()) -> str | None:
    """Return why the control interface refuses a request, or None if it accepts it.

    Accepted hosts are IP addresses, `localhost` and its subdomains, names without a dot (no site on the internet has
    one), and `allowed`. Requests without `Host` and `Origin` are accepted: a browser would send them.
    """
    if ANY in allowed:
        return None
    host, origin = request.headers.get("host"), request.headers.get("origin")
    if host is not None and not _is_known(_name(host), allowed):
        return (
            f"The control interface does not answer at the host {_name(host)[:100]!r}. "
            "Use the IP address, or start the mock with --allow-host."
        )
    if origin is not None and not _is_same(origin, host) and _name(_authority(origin)) not in allowed:
        return f"The control interface does not answer pages of other origins, such as {origin[:100]!r}."
    return None


def _is_known(name: str, allowed: Collection[str]) -> bool:
    if name in allowed or name.endswith(".localhost") or (name and "." not in name and ":" not in name):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_same(origin: str, host: str | None) -> bool:
    return host is not None and _authority(origin).lower() == host.lower()


def _authority(origin: str) -> str:
    """Return host and port of an origin; "" if it has none, like the origin `null`."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _name(host: str) -> str:
    """Return a host without its port, without brackets, and in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()
