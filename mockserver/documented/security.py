"""Checks that a request carries the credentials that an operation requires; any value of them is accepted.

Source: OpenAPI 3.1.1, sections 4.8.27 and 4.8.30; RFC 7617.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from agent_contract import Contract, Operation
from agent_contract.document.json_pointer import Place
from agent_contract.messages import Request
from mockserver.core.outcome import Rejection

#: Returns what a request lacks, "" if it carries the credentials of a scheme.
_SchemeCheck: TypeAlias = Callable[[Mapping[str, Any], Request], str]


def refused_credentials(contract: Contract, operation: Operation, request: Request) -> Rejection | None:
    """Return the rejection of a request that meets none of an operation's security requirements; None if it meets one.

    A requirement is met if the credentials of all its schemes are present. One without schemes is always met.
    """
    if not operation.security:
        return None
    schemes = _schemes(contract)
    lacking = []
    for requirement in operation.security:
        missing = [lack for name in requirement if (lack := _lack(schemes.get(name), request))]
        if not missing:
            return None
        lacking.append(" and ".join(missing))
    challenges = dict.fromkeys(
        _challenge(schemes[name]) for names in operation.security for name in names if name in schemes
    )
    why = f"Credentials required: send {', or '.join(dict.fromkeys(lacking))}."
    headers = {"www-authenticate": ", ".join(challenges)}
    return Rejection(401, "", why, ("header", "authorization"), headers=headers)


@lru_cache(16)
def _schemes(contract: Contract) -> Mapping[str, Mapping[str, Any]]:
    components = contract.document.get("components")
    found = components.get("securitySchemes") if isinstance(components, dict) else None
    document = contract.schemas.document
    schemes: dict[str, Mapping[str, Any]] = {}
    for name in found if isinstance(found, dict) else ():
        scheme = document.at(document.follow(Place("", ("components", "securitySchemes", name))))
        if isinstance(scheme, dict):
            schemes[name] = scheme
    return schemes


def _lack(scheme: Mapping[str, Any] | None, request: Request) -> str:
    if scheme is None:  # the document does not describe it, which is reported when it is loaded
        return ""
    check = _CHECKS.get(str(scheme.get("type")))
    return check(scheme, request) if check else ""


def _http(scheme: Mapping[str, Any], request: Request) -> str:
    name = str(scheme.get("scheme", "bearer")).lower()
    sent, _, credentials = request.headers.get("authorization", "").strip().partition(" ")
    if sent.lower() == name and credentials.strip() and (name != "basic" or _is_basic(credentials.strip())):
        return ""
    form = {"bearer": "Bearer <token>", "basic": "Basic <base64 of user:password>"}.get(name, f"{name} <credentials>")
    return f"`Authorization: {form}`"


def _is_basic(credentials: str) -> bool:
    try:
        return b":" in base64.b64decode(credentials, validate=True)
    except (ValueError, binascii.Error):
        return False


def _api_key(scheme: Mapping[str, Any], request: Request) -> str:
    name, place = str(scheme.get("name", "")), scheme.get("in", "header")
    if place == "query":
        present = any(key == name and value for key, value in request.query)
    elif place == "cookie":
        pairs = (pair.strip().partition("=") for pair in request.headers.get("cookie", "").split(";"))
        present = any(key == name and value for key, _, value in pairs)
    else:
        present = bool(request.headers.get(name.lower()))
    return "" if present else f"the {place} `{name}`"


_CHECKS: Mapping[str, _SchemeCheck] = {
    "http": _http,
    "apiKey": _api_key,
    "oauth2": lambda _, request: _http({"scheme": "bearer"}, request),
    "openIdConnect": lambda _, request: _http({"scheme": "bearer"}, request),
}


def _challenge(scheme: Mapping[str, Any]) -> str:
    """Return the challenge of a scheme. Source: RFC 9110, section 11.6.1; an API key has no registered name."""
    kind = scheme.get("type")
    if kind == "http":
        name = str(scheme.get("scheme", "bearer"))
        return 'Basic realm="mock"' if name.lower() == "basic" else name.capitalize()
    return "ApiKey" if kind == "apiKey" else "Bearer"
