"""A mock that varies its replies, and keeps what it varied."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from agent_contract.messages import Reply, Request
from client_check.variants import ServerVariant
from mockserver.core.player import BackendWrapper, Player
from mockserver.faults.broken_reply import BrokenReply

if TYPE_CHECKING:
    from mockserver.server.served import Served

API = "/api/"
#: Headers that a client acts on.
_HEADERS = ("allow", "location", "retry-after", "www-authenticate")
#: A time in seconds, and how much later a second mock may give it.
_TIME, _LATER = re.compile(rb"\b\d{10}\b"), 5
#: The spaces between the parts of JSON.
_SPACE = re.compile(rb"([:,]) ")


class Varied(NamedTuple):
    """A request, and the reply that was sent instead of the usual one."""

    request: Request
    reply: Reply


@dataclass
class VaryingEngine(BackendWrapper):
    """An engine whose replies a variant varies. Replies of the control interface stay as they are."""

    engine: Player
    variant: ServerVariant | None = None
    varied: list[Varied] = field(default_factory=list)
    seen: list[Varied] = field(default_factory=list)  #: every request to the API with its reply
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, request: Request) -> Reply:
        """Return the varied reply."""
        usual = self.engine.reply(request)
        if not request.path.startswith(API):
            return usual
        variation = self.variant.variation if self.variant else None
        reply = variation(request, usual) if variation else usual
        with self._lock:
            self.seen.append(Varied(request, reply))
            if reply is not usual:
                self.varied.append(Varied(request, reply))
        return reply

    def replies(self, requests: Sequence[Request]) -> Sequence[Reply]:
        """Return the varied replies."""
        return [self.reply(request) for request in requests]


def concerns(variant: ServerVariant, seen: Sequence[Varied]) -> bool:
    """Return whether a variant would vary one of the replies; a temporary failure concerns every client."""
    if variant.variation is None:
        return bool(seen)
    return any(variant.variation(request, reply) is not reply for request, reply in seen)


class Replayed(NamedTuple):
    """A request that a client sent, the reply of another mock, and what a client sees of that."""

    request: Request
    reply: Reply
    visible: tuple[object, ...]


def replayed(engine: Served, seen: Sequence[Varied]) -> tuple[Replayed, ...]:
    """Return what an engine replies to the requests of a client, in their order."""
    replies = [engine.handle(request).reply for request, _ in seen]
    return tuple(Replayed(request, reply, _visible(reply)) for (request, _), reply in zip(seen, replies, strict=True))


def differing(usual: Sequence[Replayed], others: Sequence[Replayed]) -> tuple[Varied, ...]:
    """Return those of the other replies that a client could tell from the usual ones."""
    return tuple(
        Varied(other.request, other.reply)
        for one, other in zip(usual, others, strict=True)
        if one.visible != other.visible
    )


def _visible(reply: Reply) -> tuple[object, ...]:
    """Return what a client sees of a reply, without the time of it and the way in which JSON is spaced."""
    now = time.time()
    kept = _TIME.sub(lambda found: b"-1" if abs(int(found[0]) - now) < _LATER else found[0], reply.content())
    body: object = kept
    with contextlib.suppress(ValueError):
        body = json.loads(kept)
    if not isinstance(reply.body, bytes):
        body = [_SPACE.sub(rb"\1", line) for line in kept.splitlines()]
    media_type = reply.headers.get("content-type", "").partition(";")[0]
    headers = [reply.headers.get(name) for name in _HEADERS]
    return reply.status, media_type, headers, isinstance(reply, BrokenReply), body


def environment_of(url: str, base_url: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that tell a client where the mock is; `given` may use `{url}` and `{base_url}`."""
    usual = {
        "AGENT_CONTRACT_URL": url,
        "AGENT_CONTRACT_BASE_URL": base_url,
        "OPENAI_BASE_URL": base_url,
        "OPENAI_API_KEY": "any",
    }
    return usual | {name: value.replace("{url}", url).replace("{base_url}", base_url) for name, value in given.items()}
