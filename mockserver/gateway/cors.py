"""Cross-origin requests: pages of every origin may use the mock.

Source: WHATWG Fetch, section "CORS protocol".
"""

from __future__ import annotations

from agent_contract.messages import Reply, Request

_MAX_AGE = "600"  # seconds; no browser keeps a preflight much longer


def is_preflight(request: Request) -> bool:
    """Return whether a request is a CORS preflight."""
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def preflight(request: Request, methods: tuple[str, ...]) -> Reply:
    """Return the reply that permits any of `methods` with the requested headers."""
    headers = {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": ", ".join(methods),
        "access-control-allow-headers": request.headers.get("access-control-request-headers", "*"),
        "access-control-max-age": _MAX_AGE,
    }
    return Reply(204, headers, b"")


def headers(request: Request) -> dict[str, str]:
    """Return the headers that let a page read the reply; none if the request has no `Origin`."""
    if "origin" not in request.headers:
        return {}
    return {"access-control-allow-origin": "*", "access-control-expose-headers": "*"}
