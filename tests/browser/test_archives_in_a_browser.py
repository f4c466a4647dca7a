"""The format `har` of the fixtures: Playwright's `route_from_har` answers a page in a real browser from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent_contract.messages import Exchange
from mockserver.fixtures.formats.http_parts import target_of
from tests.browser.support.chromium import browsing
from tests.mockserver.fixtures.support.written import URL, files, got, parts, small_texts, write

#: Sends a request and returns what came.
FETCH = """async ({method, target, headers, body}) => {
  const reply = await fetch(target, {method, headers, body: method === 'GET' ? undefined : body});
  return [reply.status, [...reply.headers], await reply.text()];
}"""


def first_of_equal_requests(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the exchanges without those that repeat a request: Playwright gives the first reply again."""
    return [one for number, one in enumerate(exchanges) if one.request not in [e.request for e in exchanges[:number]]]


def test_a_page_gets_every_exchange_from_its_archive(tmp_path: Path) -> None:
    folder = write(tmp_path, files("har"))
    with browsing() as window:
        page = window.browser.new_page()
        page.route(f"{URL}/", lambda route: route.fulfill(body="", content_type="text/html"))
        page.goto(f"{URL}/")
        for one in small_texts():
            page.unroute_all()
            page.route_from_har(folder / f"{one.file_name}.har", url=f"{URL}/**")
            for exchange in first_of_equal_requests(one.exchanges):
                sent = exchange.request
                asked: dict[str, Any] = {"method": sent.method, "target": target_of(sent)}
                asked |= {"headers": dict(sent.headers), "body": sent.body.decode()}
                status, headers, body = page.evaluate(FETCH, asked)
                assert got(status, headers, body.encode(), exchange) == parts(exchange), one.name
        page.close()
