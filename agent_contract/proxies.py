"""The proxy for a URL, from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit


def proxy_for(url: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the URL of the proxy for a URL, or "" for none.

    NO_PROXY lists host names, with their subdomains, addresses and networks such as `10.0.0.0/8` or `fd00::/8`; `*`
    means all hosts. Any other entry matches nothing.
    """
    lower = {name.lower(): value.strip() for name, value in environment.items() if name.lower().endswith("_proxy")}
    # A program that answers CGI requests gets HTTP_PROXY from the header `Proxy` of any client.
    if "REQUEST_METHOD" in environment:
        lower.pop("http_proxy", None)
    parts = urlsplit(url)
    proxy = lower.get(f"{parts.scheme}_proxy") or lower.get("all_proxy", "")
    if not proxy or _bypassed(parts.hostname or "", lower.get("no_proxy", "")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _bypassed(host: str, no_proxy: str) -> bool:
    entries = [_without_port(entry.strip().lower()) for entry in no_proxy.split(",") if entry.strip()]
    if "*" in entries:
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        names = [entry.lstrip("*").lstrip(".") for entry in entries]
        return any(host == name or host.endswith(f".{name}") for name in names if name)
    return any(_contains(entry, address) for entry in entries)


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def _contains(network: str, address: object) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False
