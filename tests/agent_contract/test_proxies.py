"""Which proxy a URL is requested through."""

from __future__ import annotations

import pytest

from agent_contract.proxies import proxy_for

PROXIES = {"HTTP_PROXY": "http://one:1", "https_proxy": "two:2", "ALL_PROXY": "socks5://three"}


@pytest.mark.parametrize(
    ("url", "proxy"),
    [("http://host/a", "http://one:1"), ("https://host", "http://two:2"), ("ftp://host", "socks5://three")],
)
def test_the_environment_names_a_proxy_for_a_scheme(url: str, proxy: str) -> None:
    assert proxy_for(url, PROXIES) == proxy


@pytest.mark.parametrize(
    ("host", "no_proxy"),
    [
        ("agents.example.com", "example.com"),
        ("agents.example.com", ".example.com, other"),
        ("agents.example.com", "*.example.com"),
        ("host", "HOST:8080"),
        ("10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3:8080"),
        ("[fd00::1]", "fd00::/8"),
        ("[::1]", "::1"),
        ("[::1]", "[::1]:8080"),
        ("anything", "*"),
        ("[::1]", "a,*"),
    ],
)
def test_hosts_and_networks_are_left_out(host: str, no_proxy: str) -> None:
    assert proxy_for(f"http://{host}:8080/a", {**PROXIES, "NO_PROXY": no_proxy}) == ""


@pytest.mark.parametrize("no_proxy", ["", "ample.com", "fd00::/8", "10.0.0.0/99", "::::", "[", ",,", "256.1.1.1", "/"])
def test_every_other_entry_matches_nothing(no_proxy: str) -> None:
    assert proxy_for("http://example.com", {**PROXIES, "no_proxy": no_proxy}) == "http://one:1"
    assert proxy_for("http://10.1.1.1", {**PROXIES, "no_proxy": no_proxy}) == "http://one:1"
