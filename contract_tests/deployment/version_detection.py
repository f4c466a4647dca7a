"""Finds the API version of a deployment by the fields of a chat that it understands.

The rule: a deployment has a version if it understands at least one of the fields that this version added, and has every
version before. So of two versions that fit, the older one is tested. A field is understood if a wrong value of it is
refused; or, on a server that refuses fields which are not listed, if a right value of it is accepted; or if the answer
does what the field asks for. All but one of the requests are those that the tests send anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from contract_tests.deployment.payloads import HELLO, OUTSIDE, UNLISTED, USAGE, plain
from contract_tests.verdict import NotPassed
from contract_tests.wire import stream_rules

if TYPE_CHECKING:
    from agent_contract.messages import JSON
    from contract_tests.wire.exchange import Exchange

#: Sends a body to the chat, or returns the answer that it got before.
Chat = Callable[[dict[str, "JSON"]], "Exchange"]
#: How a server refuses a value.
_REFUSALS = (400, 422)


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """The version that a deployment is tested as, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"tested as version {self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class VersionMarker:
    """A field that came with a version: bodies with a wrong value, and one with a right value."""

    field: str
    wrong: dict[str, JSON]
    right: dict[str, JSON]
    obeyed: Callable[[Exchange], bool] | None = None  #: whether an answer to the right value does what it asks for


def _has_usage(exchange: Exchange) -> bool:
    return exchange.media_type == "text/event-stream" and bool(stream_rules.usages(exchange.events))


_TOOLS: list[JSON] = [{"type": "function", "function": {"name": "get_time"}}]
#: The fields that each version added, as far as one can see from outside whether they are understood.
SIGNS: Mapping[str, tuple[VersionMarker, ...]] = {
    "9.1": (
        VersionMarker("tools", plain(tools="get_weather"), plain(tools=_TOOLS)),
        VersionMarker(
            "stream_options", plain(stream=True, stream_options="usage"), plain(stream=True, **USAGE), _has_usage
        ),
    ),
    "9.1.1": (
        VersionMarker("top_p", plain(**OUTSIDE), plain(top_p=1)),
        VersionMarker("response_format", plain(response_format="json"), plain(response_format={"type": "text"})),
        VersionMarker(
            "max_completion_tokens", plain(max_completion_tokens=0), {"messages": HELLO, "max_completion_tokens": 2}
        ),
    ),
}


def detected(versions: tuple[str, ...], chat: Chat) -> ApiVersion:
    """Return the version by the rule above; the newest one if the deployment gives no answer to judge by."""
    found, understood = versions[0], ""
    try:
        unlisted_refused = chat(plain(**UNLISTED)).status in _REFUSALS
        for older, version in pairwise(versions):
            field = next(
                (sign.field for sign in SIGNS.get(version, ()) if _understood(sign, chat, unlisted_refused)), ""
            )
            if not field:
                unknown = ", ".join(sign.field for sign in SIGNS.get(version, ()))
                known = f"it understands {understood}, and " if understood else "it understands "
                return ApiVersion(older, f"{known}none of {version}'s {unknown}")
            found, understood = version, field
    except NotPassed as judged:
        return ApiVersion(versions[-1], f"the newest, as none could be detected: {judged}")
    return ApiVersion(found, f"it understands {understood}")


def _understood(sign: VersionMarker, chat: Chat, unlisted_refused: bool) -> bool:
    if unlisted_refused:
        return chat(sign.right).status == 200
    return chat(sign.wrong).status in _REFUSALS or (sign.obeyed is not None and sign.obeyed(chat(sign.right)))


def document_of(document: dict[str, Any], versions: tuple[str, ...], version: str) -> dict[str, Any]:
    """Return a document whose schemas lack what came after a version or ended before it."""
    here = versions.index(version)

    def has(part: Any) -> bool:
        marks = part if isinstance(part, dict) else {}
        since, until = marks.get("x-since", versions[0]), marks.get("x-until", versions[-1])
        return since not in versions or until not in versions or versions.index(since) <= here <= versions.index(until)

    def kept(part: Any) -> Any:
        if isinstance(part, list):
            return [kept(item) for item in part if has(item)]
        if not isinstance(part, dict):
            return part
        inner = {name: kept(value) for name, value in part.items() if has(value)}
        return {name: value for name, value in inner.items() if value != [] or part[name] == []}

    components = document.get("components", {})
    return {**document, "components": {**components, "schemas": kept(components.get("schemas", {}))}}
