"""Typical bugs of clients, each as the fields that it adds to a valid request."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VALID: Mapping[str, Any] = {"model": "llama-2-70b-chat-hf", "messages": [{"role": "user", "content": "Hello!"}]}


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug: its title, the field that is wrong, and the value."""

    title: str
    field: str
    value: object


BUGS = (
    Bug("`temperature: 3`", "temperature", 3),
    Bug("`n: 0`", "n", 0),
    Bug("`stop: []`", "stop", []),
    Bug("`max_tokens: 0`", "max_tokens", 0),
    Bug("a session id that is not a UUID", "store_in_session", "session-1"),
    Bug("an unknown session", "store_in_session", "00000000-0000-4000-8000-0000000000ff"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a server answered a buggy request: its status, and whether body or headers name the field or the value."""

    status: int
    names_field: bool

    @property
    def refused(self) -> bool:
        """Whether the client learns that its request is wrong."""
        return 400 <= self.status < 500

    def __str__(self) -> str:
        if not self.refused:
            return "accepted"
        return f"{self.status}, names the field" if self.names_field else f"{self.status}"


def answers(url: str) -> list[Answer]:
    """Return how the chat endpoint at `url` answers each of `BUGS`; ValueError if it refuses the valid request."""
    status, body = _post(url, VALID)
    if status != 200:
        raise ValueError(f"{url} answers a valid request with {status}: {body[-200:]}")
    return [_answer(url, bug) for bug in BUGS]


def _answer(url: str, bug: Bug) -> Answer:
    status, body = _post(url, {**VALID, bug.field: bug.value})
    names = re.search(rf"\b{bug.field}\b", body) or (isinstance(bug.value, str) and bug.value in body)
    return Answer(status, bool(names))


def _post(url: str, body: Mapping[str, Any]) -> tuple[int, str]:
    """Return the status, and headers and body as one string."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, f"{reply.headers}{reply.read().decode()}"
    except urllib.error.HTTPError as error:
        with error:
            return error.code, f"{error.headers}{error.read().decode(errors='replace')}"
