"""Who may use the mock's own interface from a browser: pages of its own origin, at hosts that it knows.

Without these checks a page of any site could read the journal, by a name of its own that resolves to this machine (DNS
rebinding), and reset the mock by a request across origins.
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
    """Return why a request is not answered by the mock's own interface, or None if it is.

    Known hosts are IP addresses, `localhost` and names below it, names without a dot, which no site on the internet
    has, and `allowed`. A request without `Host` or `Origin` is no browser's.
    """
    if ANY in allowed:
        return None
    host, origin = request.headers.get("host"), request.headers.get("origin")
    if host is not None and not _is_known(_name(host), allowed):
        return (
            f"The mock's own interface does not answer at the host {_name(host)[:100]!r}. "
            "Use its IP address, or start it with --allow-host."
        )
    if origin is not None and not _is_same(origin, host) and _name(_authority(origin)) not in allowed:
        return f"The mock's own interface does not answer pages of another origin, as {origin[:100]!r} is."
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
    """Return host and port of an origin; "" for one that has none, as `null`."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _name(host: str) -> str:
    """Return a host without its port, without brackets, and in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()
