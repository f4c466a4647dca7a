"""Edits what a deployment replies, before the contract tests see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import httpx

from contract_tests.deployment import client
from contract_tests.deployment.bounded_http import ExchangeLimits, RawReply, send_within


@contextmanager
def editing(edit: Callable[[str, str, RawReply], bytes | None]) -> Iterator[None]:
    """Replace the body of each reply by what `edit` returns for method, URL and reply; None leaves it as it is."""

    def send(
        to: httpx.Client, method: str, url: str, headers: Mapping[str, str], content: bytes, limits: ExchangeLimits
    ) -> RawReply:
        received = send_within(to, method, url, headers, content, limits)
        body = edit(method, url, received)
        return received if body is None else replace(received, pieces=((0.0, body),))

    with patch.object(client, "send_within", send):
        yield
