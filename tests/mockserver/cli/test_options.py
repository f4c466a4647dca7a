"""Addresses that a server listens at, as URLs."""

from __future__ import annotations

import pytest

from mockserver.cli.options import url_of


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("fe80::1", "http://[fe80::1]:80"),
        ("mock.example", "http://mock.example:80"),
    ],
)
def test_the_url_of_a_server_leads_to_it_from_the_same_machine(host: str, url: str) -> None:
    assert url_of(host, 80) == url
