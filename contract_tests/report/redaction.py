"""Hides secrets in whatever is shown or written, in the spellings in which servers repeat them."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import quote, quote_plus, unquote, urlsplit

from contract_tests.wire.exchange import TOKEN_VARIABLE

Hide: TypeAlias = Callable[[str], str]

#: What stands where a secret was that has no variable.
HIDDEN = "[redacted]"
#: Headers whose values are secrets whatever they hold; a request's own `authorization` has the variable already.
SECRET_HEADERS = frozenset(("authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"))
#: A shorter secret is hidden as a whole word alone: otherwise ordinary words would be taken apart.
LONG_ENOUGH = 8
#: So many characters of a secret that an excerpt cut off are hidden too.
_TRACE = 6
_ESCAPED = "\"'/\\"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
#: Control characters, but for tab and line feed, as their pictures: they would steer a terminal.
_PICTURES = {code: 0x2400 + code for code in range(32) if code not in (9, 10)} | {0x7F: 0x2421}
_PICTURES |= dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


def hiding(token: str, others: Iterable[str] = ()) -> Hide:
    """Return what replaces a token by its variable's name, and every other secret and spelling by `[redacted]`."""
    return _hiding(token, tuple(others))


def proxy_passwords(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the passwords that the environment's proxies are given."""
    for name, value in environment.items():
        if name.lower() in _PROXIES and "@" in value:
            try:
                password = urlsplit(value).password
            except ValueError:
                continue
            if password:
                yield from {password, unquote(password)}


def visible(text: str) -> str:
    """Return the text with its control characters as pictures: what a server sends must not steer a terminal."""
    return text.translate(_PICTURES)


@lru_cache(maxsize=8)
def _hiding(token: str, others: tuple[str, ...]) -> Hide:
    known = {token: f"${TOKEN_VARIABLE}"} if token else {}
    for secret in filter(None, (token, *others)):
        for form in (secret, *_spellings(secret)):
            known.setdefault(form, HIDDEN)
    ordered = sorted(known.items(), key=lambda pair: -len(pair[0]))
    whole = [(re.compile(_pattern(form)), instead) for form, instead in ordered]

    def hide(text: str) -> str:
        for pattern, instead in whole:
            text = pattern.sub(lambda _, instead=instead: instead, text)  # type: ignore[misc]
        return "…".join(_untraced(part, ordered) for part in text.split("…")) if known else text

    return hide


def _pattern(form: str) -> str:
    """Return a pattern of a spelling; JSON within JSON puts ever more backslashes before a quote or a slash."""
    text = "".join(rf"\\*{re.escape(sign)}" if sign in _ESCAPED else re.escape(sign) for sign in form)
    return text if len(form) >= LONG_ENOUGH else rf"(?<!\w){text}(?!\w)"


def _untraced(part: str, ordered: list[tuple[str, str]]) -> str:
    """Return the text without the beginning of a secret that stands at its end."""
    for form, _ in ordered:
        for length in range(len(form) - 1, _TRACE - 1, -1):
            if len(form) >= LONG_ENOUGH and part.endswith(form[:length]):
                return part[:-length] + HIDDEN
    return part


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret as URLs, JSON, HTML, base64 and hexadecimal digits spell it, where that differs."""
    if len(secret) < LONG_ENOUGH:
        return
    data = secret.encode("utf-8", "surrogatepass")
    yield from (quote(data, safe=""), quote_plus(data), html.escape(secret))
    yield from (json.dumps(secret, ensure_ascii=plain)[1:-1] for plain in (True, False))
    yield from (data.hex(), data.hex().upper())
    for before in range(3):
        # Wherever it begins in what was encoded, these characters depend on it alone.
        code = b64encode(bytes(before) + data).decode()
        core = code[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield from (core, core.replace("+", "-").replace("/", "_"))
