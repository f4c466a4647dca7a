"""The page treats everything that it shows as hostile, sends tokens in headers only, and needs nothing but the mock."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from agent_contract.messages import Request
from mockserver.config import Config
from mockserver.control.ui_files import FOLDER, UI, ui_files
from mockserver.core.tenants import Tenant
from tests.browser.support.mock_page import looking, scripted, serving
from tests.browser.support.vendored import FILES, PACKAGES, content_of
from tests.mockserver.support.chat_client import engine

#: Bytes of all files of the page.
MOST = 150_000
HOSTILE = "</script><script>window.hurt=1</script><img src=x onerror='window.hurt=1'>{{7*7}}${7*7}\"'`"
TOKEN, API_TOKEN = "token-of-the-control", "token-of-the-api"


def test_the_files_of_the_page_are_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) <= MOST


def test_every_file_is_sent_with_a_policy_that_lets_only_files_run() -> None:
    mock = engine()
    for path in ui_files():
        reply = mock.reply(Request("GET", path))
        if path == UI.removesuffix("/"):
            assert (reply.status, reply.headers["location"]) == (308, "ui/")
            continue
        assert reply.status == 200
        assert "script-src 'self';" in reply.headers["content-security-policy"]
        assert "unsafe" not in reply.headers["content-security-policy"]
    assert mock.reply(Request("GET", UI + "../pages.py")).status == 404
    assert mock.reply(Request("GET", "/__mock__/scope/mine" + UI)).status == 200


def test_a_mock_without_its_control_interface_has_no_page() -> None:
    assert engine(replace(Config(), control=False)).reply(Request("GET", UI)).status == 404


def test_the_first_page_links_to_it() -> None:
    assert b'href="__mock__/ui/"' in engine().reply(Request("GET", "/")).content()


@pytest.mark.parametrize("name", FILES)
def test_a_library_is_what_npm_has(name: str) -> None:
    if not (PACKAGES / FILES[name]).exists():
        pytest.skip("the Node packages are not installed")
    assert (FOLDER / "vendor" / name).read_text(encoding="utf-8") == content_of(name)


def test_content_of_requests_never_runs(browser: Browser) -> None:
    with serving() as mock, looking(browser, mock) as screen:
        mock.send({"messages": [{"role": "user", "content": HOSTILE}], HOSTILE: HOSTILE, "model": HOSTILE}, "demo-open")
        mock.send({"messages": [{"role": HOSTILE, "content": HOSTILE}]})
        mock.engine.reply(Request("GET", f"/{HOSTILE}", ((HOSTILE, HOSTILE),), {"x-odd": HOSTILE}))
        mock.control("POST", "/rules", {"name": HOSTILE[:90], "when": {"user": HOSTILE}, "answer": HOSTILE})
        mock.chat(HOSTILE, stream=True)
        page = screen.show("requests")
        expect(page.locator("[role=option]")).to_have_count(4)
        for number in range(1, 5):
            page = screen.show(f"requests/{number}")
            expect(page.locator(".reason")).to_be_visible()
            expect(page.locator(".detail")).to_contain_text("onerror=")
        assert page.evaluate("window.hurt") is None
        assert page.locator("img:not(header img)").count() == 0


def test_a_page_that_lacks_a_token_asks_for_it_and_sends_it_in_a_header(browser: Browser) -> None:
    config = replace(Config(), tokens=(API_TOKEN,), control_tokens=(TOKEN,))
    with serving(scripted(config)) as mock, looking(browser, mock) as screen:
        mock.send({"messages": [{"role": "user", "content": "Hello!"}]}, authorization=f"Bearer {API_TOKEN}")
        page = screen.show("requests")
        expect(page.get_by_text("The mock wants a token to show its requests.")).to_be_visible()
        page.get_by_label("Token of this page").fill(TOKEN)
        page.get_by_label("Token of the API").fill(API_TOKEN)
        page.get_by_role("button", name="Use them").click()
        page.locator("[role=option]").click()
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_text("Sent again: 200")).to_be_visible()
        urls = [url for url, _ in screen.requested]
        assert not any("token" in url for url in urls)
        assert any(headers.get("authorization") == f"Bearer {TOKEN}" for _, headers in screen.requested)
        # A refused first attempt is all that the console may report.
        assert all("401" in line for line in screen.printed)
        screen.printed.clear()


def test_a_tenant_sees_its_own_scopes(browser: Browser) -> None:
    config = replace(Config(), tokens=(API_TOKEN,), tenants=(Tenant(TOKEN, "red"),))
    with serving(scripted(config)) as mock, looking(browser, mock) as screen:
        for scope in ("red", "blue"):
            hello = {"messages": [{"role": "user", "content": f"Hello {scope}!"}]}
            mock.send(hello, authorization=f"Bearer {API_TOKEN}", x_mock_scope=scope)
        page = screen.show("requests")
        page.get_by_label("Token of this page").fill(TOKEN)
        page.get_by_role("button", name="Use them").click()
        expect(page.locator("[role=option]")).to_contain_text("Hello red!")
        expect(page.get_by_label("Scope").locator("option")).to_have_text(["red", "all scopes"])
        screen.printed.clear()  # the first attempt was refused


def test_the_page_asks_only_the_mock(browser: Browser) -> None:
    with serving() as mock, looking(browser, mock) as screen:
        screen.show("requests")
        expect(screen.page.locator(".live")).to_have_text("Live")
        assert all(url.startswith((mock.url, "data:")) for url, _ in screen.requested)


def test_a_request_of_another_origin_is_refused() -> None:
    mock = engine()
    for method, path in (("GET", "/summaries"), ("GET", "/events"), ("POST", "/rules"), ("DELETE", "/faults/fault-1")):
        headers = {"host": "127.0.0.1:8000", "origin": "http://evil.example", "content-type": "application/json"}
        reply = mock.reply(Request(method, f"/__mock__{path}", (), headers, json.dumps({}).encode()))
        assert reply.status == 403, path
