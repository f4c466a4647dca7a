"""A secret is hidden in every spelling in which a server repeats it, and nothing else is."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.report.redaction import HIDDEN, hiding, proxy_passwords, visible

TOKEN = 'sk-"Tök&n /+of~99\\'
#: What it may be encoded together with.
AROUND = ("", "a", "ab", "user:")


def test_a_token_gives_way_to_its_variable() -> None:
    assert hiding(TOKEN)(f"Bearer {TOKEN}!") == "Bearer $AGENT_CONTRACT_TOKEN!"


@pytest.mark.parametrize(
    "spelled",
    [
        quote(TOKEN, safe=""),
        quote_plus(TOKEN),
        html.escape(TOKEN),
        json.dumps(TOKEN)[1:-1],
        json.dumps(TOKEN, ensure_ascii=False)[1:-1],
        TOKEN.encode().hex(),
        TOKEN.encode().hex().upper(),
    ],
)
def test_a_spelling_of_it_is_hidden(spelled: str) -> None:
    hidden = hiding(TOKEN)(f"before {spelled} after")
    assert spelled not in hidden
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")


@pytest.mark.parametrize("before", AROUND)
@pytest.mark.parametrize("after", AROUND)
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_base64_of_it_is_hidden_wherever_it_begins(before: str, after: str, encode: object) -> None:
    """All but the characters at its ends, which its neighbours have a part in."""
    spelled = encode(f"{before}{TOKEN}{after}".encode()).decode()  # type: ignore[operator]
    left = hiding(TOKEN)(spelled).replace(HIDDEN, "\n").split("\n")
    assert len(left) == 2
    assert all(part in spelled for part in left)
    assert sum(map(len, left)) <= 4 * (len(before + after) + 2)


@given(st.integers(6, len(TOKEN) - 1))
def test_a_beginning_that_an_excerpt_cut_off_is_hidden(length: int) -> None:
    cut = TOKEN[:length]
    assert hiding(TOKEN)(f'it said "{cut}…') == f'it said "{HIDDEN}…'
    assert hiding(TOKEN)(f"it said {cut}") == f"it said {HIDDEN}"


def test_a_short_token_is_hidden_as_a_word_and_takes_no_word_apart() -> None:
    assert hiding("any")("any company: Bearer any") == "$AGENT_CONTRACT_TOKEN company: Bearer $AGENT_CONTRACT_TOKEN"


@given(st.text())
def test_without_a_secret_nothing_is_changed(text: str) -> None:
    assert hiding("")(text) == text


def test_other_secrets_have_no_variable() -> None:
    assert hiding("", ["proxy-password"])("http://user:proxy-password@proxy") == f"http://user:{HIDDEN}@proxy"


def test_the_passwords_of_proxies_are_secrets() -> None:
    environment = {
        "HTTPS_PROXY": "http://user:pass%20word@proxy:1",
        "all_proxy": "socks5://host",
        "OTHER": "http://a:b@c",
    }
    assert set(proxy_passwords(environment)) == {"pass%20word", "pass word"}


def test_control_characters_become_visible() -> None:
    assert visible("a\x1b[31m\x00b\tc\nd\x9b") == "a␛[31m␀b\tc\nd\N{REPLACEMENT CHARACTER}"
