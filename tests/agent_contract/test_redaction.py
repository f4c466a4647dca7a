"""A secret is hidden in every spelling in which a server repeats it, and nothing else is."""

from __future__ import annotations

import html
import json
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_contract.redaction import HIDDEN, Redaction, is_secret_name, proxy_passwords, redaction_of, secrets_in

TOKEN = 'sk-"Tök&n /+of~99\\'
#: Its base64 has a plus and a slash, wherever it begins.
SIGNS = "sk-\u03fb\u03ff>>>???~~~ooo\u03fb\u03ff"
#: What it may be encoded together with.
AROUND = ("", "a", "ab", "user:")


def hiding(token: str) -> Redaction:
    return redaction_of((), {token: "$AGENT_CONTRACT_TOKEN"} if token else {})


def every_character(form: str) -> str:
    return "".join(form.format(ord(character)) for character in TOKEN)


def test_a_token_gives_way_to_its_variable() -> None:
    assert hiding(TOKEN)(f"Bearer {TOKEN}!") == "Bearer $AGENT_CONTRACT_TOKEN!"


@pytest.mark.parametrize(
    "spelled",
    [
        quote(TOKEN, safe=""),
        quote(quote(TOKEN, safe=""), safe=""),
        quote(TOKEN, safe="").lower(),
        quote_plus(TOKEN),
        html.escape(TOKEN),
        every_character("&#{};"),
        every_character("&#x{:x};"),
        every_character("\\u{:04x}"),
        every_character("\\\\u{:04X}"),
        json.dumps(TOKEN, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(TOKEN))[3:-3],
        TOKEN.encode().hex(),
        TOKEN.encode().hex().upper(),
        TOKEN.swapcase().replace("Ö", "ö"),
    ],
)
def test_a_spelling_of_it_is_hidden(spelled: str) -> None:
    hidden = hiding(TOKEN)(f"before {spelled} after")
    assert hidden.startswith((f"before {HIDDEN}", "before $AGENT"))
    assert hidden.endswith(" after")
    assert "99" not in hidden
    assert "3939" not in hidden


@pytest.mark.parametrize("before", AROUND)
@pytest.mark.parametrize("after", AROUND)
@pytest.mark.parametrize(("encode", "bits"), [(b64encode, 6), (urlsafe_b64encode, 6), (b32encode, 5)])
@pytest.mark.parametrize("token", [TOKEN, SIGNS])
def test_an_encoding_of_it_is_hidden_wherever_it_begins(
    before: str, after: str, encode: Callable[[bytes], bytes], bits: int, token: str
) -> None:
    """All but the characters at its ends, which depend on its neighbours too."""
    spelled = encode(f"{before}{token}{after}".encode()).decode()
    start, end = len(before) * 8, len(before.encode() + token.encode()) * 8
    assert hiding(token)(spelled) == spelled[: -(-start // bits)] + HIDDEN + spelled[end // bits :]


@pytest.mark.parametrize("before", AROUND)
def test_the_encodings_of_the_second_token_have_both_signs(before: str) -> None:
    assert {"+", "/"} <= set(b64encode((before + SIGNS).encode()).decode())


@given(st.integers(12, len(TOKEN) - 1))
def test_a_beginning_of_twelve_characters_is_hidden_anywhere(length: int) -> None:
    assert hiding(TOKEN)(f"it said {TOKEN[:length]}, I think") == f"it said {HIDDEN}, I think"


@given(st.integers(6, len(TOKEN) - 1))
def test_a_shorter_beginning_is_hidden_at_the_end_of_a_cut_excerpt(length: int) -> None:
    cut = TOKEN[:length]
    assert hiding(TOKEN)(f'it said "{cut}…') == f'it said "{HIDDEN}…'
    assert hiding(TOKEN)(f"it said {cut}") == f"it said {HIDDEN}"


@pytest.mark.parametrize("most", range(1, 40))
def test_a_cut_string_has_no_part_of_a_token_that_the_cut_divides(most: int) -> None:
    shown = hiding("sk-a-secret-token-1")("") + hiding("sk-a-secret-token-1").beginning(
        "0123456789sk-a-secret-token-1 and more text", most
    )
    assert "sk-" not in shown


def test_a_short_token_is_hidden_as_a_word_and_takes_no_word_apart() -> None:
    assert hiding("any")("any company: Bearer any") == "$AGENT_CONTRACT_TOKEN company: Bearer $AGENT_CONTRACT_TOKEN"


@given(st.text(alphabet=st.characters(exclude_characters="@:=\"'")))
def test_without_a_secret_nothing_is_changed(text: str) -> None:
    assert hiding("")(text) == text


@given(st.text(), st.text(min_size=8))
def test_any_text_and_any_token_are_taken(text: str, token: str) -> None:
    assert isinstance(hiding(token)(text), str)


@pytest.mark.parametrize("token", ["sk-\ud800-a-secret", "sk-a-secret\udfff"])
def test_a_token_that_is_not_unicode_is_hidden(token: str) -> None:
    assert hiding(token)(f"a {token} b") == "a $AGENT_CONTRACT_TOKEN b"


def test_other_secrets_have_no_variable() -> None:
    assert redaction_of(["proxy-password"])("the proxy-password") == f"the {HIDDEN}"


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "Ocp-Apim-Subscription-Key", "X-Functions-Key"),
        *("X-Auth", "X-Jwt", "X-Gateway-Token", "Client-Secret", "X-Amz-Signature", "Authentication"),
        *("X-Sig", "X-Otp", "X-Pin", "X-Code", "X-Passphrase", "X-Bearer", "DPoP", "X-Goog-Iap-Jwt-Assertion"),
        *("sv-sig", "client_assertion", "SAMLResponse", "X-Sid"),
        *("sig", "code", "sas", "auth", "pwd", "key", "access_token", "password", "subscription-key"),
    ],
)
def test_a_secret_is_recognized_by_its_header_or_parameter(name: str) -> None:
    assert redaction_of(()).value(name, "the-value", 100) == HIDDEN


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "WWW-Authenticate",
        "X-Author",
        ":authority",
        "X-RateLimit-Limit-Tokens",
        "Idempotency-Key",
        "error_code",
        "x-status-code",
        "side",
    ],
)
def test_a_similar_name_does_not_mark_a_secret(name: str) -> None:
    assert not is_secret_name(name)


def test_of_an_authorization_the_scheme_stays_and_so_does_a_variable() -> None:
    hide = redaction_of(())
    assert hide.value("authorization", "Bearer abc", 100) == f"Bearer {HIDDEN}"
    assert hide.value("authorization", "Bearer $MY_TOKEN", 100) == "Bearer $MY_TOKEN"


def test_a_url_is_shown_without_its_user_and_its_secret_parameters() -> None:
    shown = redaction_of(())("https://user:pass@host/a?q=1"), redaction_of(()).url("http://host/a?sig=abc&q=1&pwd=x#f")
    assert shown == (f"https://{HIDDEN}@host/a?q=1", f"http://host/a?sig={HIDDEN}&q=1&pwd={HIDDEN}#f")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"api_key": "a\\"b", "max_tokens": 5}', f'{{"api_key": "{HIDDEN}", "max_tokens": 5}}'),
        ('{"text": "{\\"password\\": \\"hi\\"}"}', f'{{"text": "{{\\"password\\": \\"{HIDDEN}\\"}}"}}'),
        ("grant_type=password&client_secret=abc&scope=x", f"grant_type=password&client_secret={HIDDEN}&scope=x"),
        ('{"logprobs": [{"token": "Hello"}]}', '{"logprobs": [{"token": "Hello"}]}'),
        ('{"api_key": "cut of', f'{{"api_key": "{HIDDEN}'),
        ("Bearer abcdef123456 and", f"Bearer {HIDDEN} and"),
        ("a basic understanding", "a basic understanding"),
        ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln y", f"x {HIDDEN} y"),
    ],
)
def test_what_is_a_secret_by_its_place_is_hidden(text: str, shown: str) -> None:
    assert redaction_of(())(text) == shown


def test_the_tokens_of_a_request_are_found_by_the_names_that_carry_them() -> None:
    pairs = [("Authorization", "Bearer abcdefgh1"), ("X-Api-Key", "key-12345"), ("Accept", "application/json")]
    assert list(secrets_in(pairs)) == ["abcdefgh1", "key-12345"]


def test_the_passwords_of_proxies_are_secrets() -> None:
    environment = {
        "HTTPS_PROXY": "http://user:pass%20word@proxy:1",
        "all_proxy": "socks5://host",
        "OTHER": "http://a:b@c",
    }
    assert set(proxy_passwords(environment)) == {"pass%20word", "pass word"}


@given(
    st.text(alphabet=st.sampled_from("abcdefgh%\\&@=\"'-:. \n"), max_size=40),
    st.sampled_from(["abcdefgh", "%61bcdefgh"]),
)
def test_a_clean_text_is_shown_as_it_is(around: str, token: str) -> None:
    redaction = redaction_of(["abcdefgh"])
    for text in (around, around + token, token[:6] + around):
        assert not redaction.is_clean(text) or redaction.text(text) == text
    assert redaction.is_clean("application/json")
    assert not redaction.is_clean(around + token)
