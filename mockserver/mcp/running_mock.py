"""The control API of a running mock, for the tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

SECONDS = 10.0


class MockProblem(Exception):
    """The mock can't be reached, or refuses: what, why, and what to do."""


@dataclass(frozen=True, slots=True)
class RunningMock:
    """A mock at a URL, asked for one scope, "" for the default one; `token` is that of its control interface."""

    url: str
    token: str = field(default="", repr=False)

    def get(self, path: str, scope: str, query: Mapping[str, str | int] | None = None) -> httpx2.Response:
        """Return the reply to a GET below `/__mock__/`; raises `MockProblem`."""
        return self._send("GET", path, scope, params={key: value for key, value in (query or {}).items() if value})

    def post(self, path: str, scope: str, body: Any) -> httpx2.Response:
        """Return the reply to a POST below `/__mock__/`; raises `MockProblem`."""
        return self._send("POST", path, scope, json=body)

    def _send(self, method: str, path: str, scope: str, **parts: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        if scope:
            headers["x-mock-scope"] = scope
        try:
            reply = httpx2.request(method, f"{self.url}/__mock__/{path}", headers=headers, timeout=SECONDS, **parts)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            remedy = "Start one with `agent-contract serve`, or name it with --mock."
            raise MockProblem(f"No mock answers at {self.url}: {error}. {remedy}") from None
        if reply.status_code >= 400:
            raise MockProblem(f"The mock at {self.url} answers {reply.status_code}: {_detail(reply)}")
        return reply


def _detail(reply: httpx2.Response) -> str:
    """Return what a refusal says, cut if it is long."""
    try:
        return str(reply.json()["detail"])[:2000]
    except (ValueError, KeyError, TypeError):
        return reply.text[:500]
