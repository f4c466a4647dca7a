"""Hides secrets in what is kept or shown: the journal, the log, recordings and reports use this module alone.

Two rules. A **named value** is a secret because of its name: a header, a query parameter, a field of a body, the user
part of a URL. A **known token** is hidden wherever it appears, in the spellings that `docs/reference/secrets.md` lists.
"""

from __future__ import annotations

import html
import re
from base64 import b32encode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import unquote, unquote_to_bytes, urlsplit

HIDDEN = "[redacted]"

#: A header or query parameter with one of these in its name holds a secret. `max_tokens`, `author`, `authority` and
#: `www-authenticate` don't.
_SECRET_NAME = re.compile(
    r"auth(?!enticate$|or(?!i[sz]))|cookie|token(?!s)|secret|passw|passphrase|pwd|credential|key(?!word|board)"
    r"|signature|jwt|saml|assertion|bearer|dpop|(?:^|[-_])(?:otp|pin|sas|sid|sig)$|^(?:x-)?(?:code|pass|sessionid)$",
    re.IGNORECASE,
)
_PLAIN_NAMES = frozenset(
    ("idempotency-key", "sec-websocket-key", "sec-websocket-accept", "access-control-allow-headers")
)
#: A field of a body needs a longer name: `token`, `key` and `code` are ordinary fields of this API.
_SECRET_FIELD = (
    r"[\w-]*(?:api[_-]?key|access[_-]?key|private[_-]?key|secret|passwd|password|pwd|credentials?|authorization"
    r"|(?:access|auth|bearer|id|refresh|security|session)[_-]?token)"
)
_FIELD = re.compile(
    rf'(?P<before>(?P<quote>\\*["\'])(?:{_SECRET_FIELD})(?P=quote)\s*:\s*(?P=quote))'
    r"(?P<value>(?:(?!(?P=quote))(?:\\.|[^\\]))*+)"
    rf"|(?P<form>(?:^|[?&;])(?:{_SECRET_FIELD})=)(?P<sent>[^&;\s\"'<>]+)",
    re.IGNORECASE | re.DOTALL,
)
_FIELD_HINTS = (
    *("secret", "passw", "pwd", "credential", "authorization"),
    *(f"{name}{end}" for name in ("key", "token") for end in ('"', "'", "\\", "=")),
)
#: `https://user:password@host`, `Bearer …`, and a JSON Web Token, which are secrets under any name.
_ANYWHERE = re.compile(
    r"(?P<scheme>://)[^\s/?#@\"'<>\\]+(?=@)"
    r"|(?P<bearer>\b(?:bearer|basic)(?:\s|%20|\+)+)(?:[\w.~+/=-]{16,}|(?=[^\s\d]*\d)[\w.~+/=-]{8,})"
    r"|(?P<jwt>\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*)",
    re.IGNORECASE,
)
_ANYWHERE_HINTS = ("@", "bearer", "basic", "eyj")
#: A shorter token is hidden as a whole word only: otherwise ordinary words would be cut apart.
LONG_ENOUGH = 8
#: The beginning of a token is hidden from this length on, from the second length on at the end of a cut string.
_PREFIX, _CUT_PREFIX = 12, 6
#: A character can take as many as this in one of the spellings, as in `&#x0041;` or `\\\\u0041`.
_WIDEST = 9
#: The layers of escaping that are undone: JSON in JSON in a URL has three.
_LAYERS = 3
#: Each alternative begins with one character, so that Python's regular expressions skip text without these fast.
_ESCAPE = re.compile(
    r"%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|%[0-9a-f]{2}"
    r"|\\\\*(?:u[0-9a-f]{4}|u\{0*[0-9a-f]{1,5}\}|x[0-9a-f]{2}|[\"'/\\])"
    r"|&(?:\#\d{1,7}|\#x[0-9a-f]{1,6}|[a-z]{2,6});",
    re.IGNORECASE,
)
_ESCAPE_SIGNS = ("%", "\\", "&")
#: The name of an environment variable in the place of a secret.
_VARIABLE = re.compile(r"\$[A-Za-z_]\w*")
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")

Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One spelling of a token, in lower case, and the replacement for a complete one."""

    text: str
    instead: str = HIDDEN
    plain: bool = False  #: the token as it is, not encoded
    start: str = field(init=False)  #: what text without any part of it lacks, which most text does

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.text[:_CUT_PREFIX])

    @property
    def head(self) -> str:
        """What is looked for: the beginning that is hidden by itself, or the whole of a short one."""
        return self.text[:_PREFIX]


@dataclass(frozen=True, slots=True)
class Redaction:
    """Hides named values and known tokens; `reach` bounds the length of a token in any spelling.

    `names` are further names, in lower case, whose values are secrets, `fields` finds these in bodies.
    """

    forms: tuple[_Spelling, ...] = ()
    words: tuple[tuple[re.Pattern[str], str], ...] = ()
    reach: int = 0
    names: frozenset[str] = frozenset()
    fields: re.Pattern[str] | None = None

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        return _replaced(text, self.spans(text))

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        return self.text(text)

    def beginning(self, text: str, most: int) -> str:
        """Return the first `most` characters without secrets; a secret that the cut divides is left out whole.

        `reach` characters more of the text are enough for that.
        """
        if len(text) <= most:
            return self.text(text)
        spans = list(self.spans(text[: most + self.reach]))
        end = next((start for start, stop, _ in spans if start < most < stop), most)
        return _replaced(text[:end], (span for span in spans if span[1] <= end))

    def value(self, name: str, value: str, most: int) -> str:
        """Return the beginning of a named value without secrets; the scheme of an authorization stays."""
        if not self.is_secret(name):
            return self.beginning(value, most)
        scheme, _, rest = value.partition(" ")
        if _VARIABLE.fullmatch(rest or value):
            return value
        keeps_scheme = rest and "authorization" in name.lower() and scheme.isalpha()
        return f"{scheme} {HIDDEN}" if keeps_scheme else HIDDEN

    def url(self, url: str) -> str:
        """Return a URL, or a path with a query, without secrets, the values of secret parameters included."""
        before, mark, query = url.partition("?")
        if not mark:
            return self.text(url)
        query, hash_sign, fragment = query.partition("#")
        pairs = (pair.partition("=") for pair in query.split("&"))
        shown = (
            f"{name}={HIDDEN}" if sign and self.is_secret(unquote(name)) else name + sign + value
            for name, sign, value in pairs
        )
        return self.text(f"{before}?{'&'.join(shown)}{hash_sign}{fragment}")

    def also(self, tokens: Iterable[str]) -> Redaction:
        """Return a redaction that hides these tokens too."""
        new = [_redaction(token, HIDDEN) for token in tokens]
        if not new:
            return self
        return Redaction(
            self.forms + tuple(form for one in new for form in one.forms),
            self.words + tuple(word for one in new for word in one.words),
            max(self.reach, *(one.reach for one in new)),
            self.names,
            self.fields,
        )

    def also_named(self, names: Iterable[str]) -> Redaction:
        """Return a redaction that also hides the values of these headers, parameters and fields."""
        known = self.names | {name.lower() for name in names}
        if not known:
            return self
        listed = "|".join(map(re.escape, sorted(known)))
        pattern = (
            rf'(?P<quote>\\*")(?:{listed})(?P=quote)\s*:\s*'
            r"(?:(?P=quote)(?P<text>(?:(?!(?P=quote))(?:\\.|[^\\]))*+)|(?P<bare>[\w.+-]+))"
            rf"|(?:^|[?&;])(?:{listed})=(?P<sent>[^&;\s]+)"
        )
        return replace(self, names=frozenset(known), fields=re.compile(pattern, re.IGNORECASE | re.DOTALL))

    def is_secret(self, name: str) -> bool:
        """Return whether the value of a header or a parameter with this name is a secret."""
        return name.lower() in self.names or is_secret_name(name)

    def is_clean(self, text: str) -> bool:
        """Return whether neither a string nor a part of it contains a secret; False if that takes a closer look."""
        if self.words or self.fields:
            return False
        low = _lower(text)
        hints = (*_ESCAPE_SIGNS, *_ANYWHERE_HINTS, *_FIELD_HINTS, *[form.start for form in self.forms])
        return not _has_one(hints, low)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the positions of secrets, in order, and the replacement of each."""
        low = _lower(text)
        found = [*self._tokens(text, low), *_named(text, low), *self._fields(text)]
        if not found:
            return
        end = 0
        for start, stop, instead in sorted(found, key=lambda span: (span[0], -span[1])):
            if stop <= end:
                continue
            yield max(start, end), stop, instead if start >= end else ""
            end = stop

    def _fields(self, text: str) -> Iterator[Span]:
        for match in self.fields.finditer(text) if self.fields else ():
            group = match.lastgroup or 0
            start, stop = match.span(group)
            if start < stop and not text.startswith(HIDDEN, start):
                # A number or a word of JSON gives way to a string.
                yield start, stop, f"{match['quote']}{HIDDEN}{match['quote']}" if group == "bare" else HIDDEN

    def _tokens(self, text: str, low: str) -> Iterator[Span]:
        if not self.forms and not self.words:
            return
        yield from self._as_written(text, low)
        views = [text]
        while len(views) <= _LAYERS and _has_one(_ESCAPE_SIGNS, views[-1]):
            views.append(_ESCAPE.sub(_unescaped, views[-1]))
            if views[-1] == views[-2]:
                return
            for start, stop, _ in self._as_written(views[-1], _lower(views[-1])):
                yield _origin(start, views[:-1]), _origin(stop, views[:-1]), HIDDEN

    def _as_written(self, text: str, low: str) -> Iterator[Span]:
        for pattern, instead in self.words:
            yield from ((match.start(), match.end(), instead) for match in pattern.finditer(text))
        for form in self.forms:
            if form.start in low:
                yield from _occurrences(form, low)
                if form.plain:
                    yield from _cut_off(form, low)


def redaction_of(tokens: Iterable[str], variables: Mapping[str, str] | None = None) -> Redaction:
    """Return what hides these tokens; `variables` maps a token to the text that is shown in its place."""
    instead = variables or {}
    redaction = Redaction()
    named = [_redaction(token, f"{shown}") for token, shown in instead.items() if token]
    for one in named:
        redaction = Redaction(redaction.forms + one.forms, redaction.words + one.words, max(redaction.reach, one.reach))
    return redaction.also(token for token in tokens if token and token not in instead)


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether the value of a header or a query parameter with this name is a secret."""
    return name.lower() not in _PLAIN_NAMES and bool(_SECRET_NAME.search(name))


def secrets_in(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the tokens that headers or parameters carry by their names, without an authorization's scheme."""
    for name, value in pairs:
        if LONG_ENOUGH <= len(value) <= 4096 and is_secret_name(name):
            scheme, _, rest = value.partition(" ")
            token = rest.strip() if rest and scheme.isalpha() else value
            if len(token) >= LONG_ENOUGH:
                yield token


def proxy_passwords(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the passwords of the proxies that the environment names."""
    for name, value in environment.items():
        if name.lower() in _PROXIES and "@" in value:
            try:
                password = urlsplit(value).password
            except ValueError:
                continue
            if password:
                yield from {password, unquote(password)}


def _lower(text: str) -> str:
    """Return the text with ASCII letters in lower case; no position changes."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def _replaced(text: str, spans: Iterable[Span]) -> str:
    parts, end = [], 0
    for start, stop, instead in spans:
        parts += [text[end:start], instead]
        end = stop
    return "".join([*parts, text[end:]]) if parts else text


def _has_one(parts: Iterable[str], text: str) -> bool:
    """Return whether the text contains one of these: in a plain loop, because every string of an entry is asked."""
    for part in parts:  # noqa: SIM110
        if part in text:
            return True
    return False


def _named(text: str, low: str) -> Iterator[Span]:
    """Yield the values that are secrets by the name or the sign in front of them."""
    if _has_one(_ANYWHERE_HINTS, low):
        for match in _ANYWHERE.finditer(text):
            kept = match["scheme"] or match["bearer"] or ""
            yield match.start() + len(kept), match.end(), HIDDEN
    if _has_one(_FIELD_HINTS, low):
        for match in _FIELD.finditer(text):
            start, stop = match.span("sent" if match["form"] else "value")
            if start < stop and not text.startswith((HIDDEN, "$"), start):
                yield start, stop, HIDDEN


def _occurrences(form: _Spelling, low: str) -> Iterator[Span]:
    """Yield the positions of the form, or of a beginning that is long enough, in lower-case text."""
    head, wanted = form.head, form.text
    at = low.find(head)
    while at >= 0:
        stop = at + len(head)
        while stop - at < len(wanted) and stop < len(low) and low[stop] == wanted[stop - at]:
            stop += 1
        yield at, stop, form.instead if stop - at == len(wanted) else HIDDEN
        at = low.find(head, stop)


def _cut_off(form: _Spelling, low: str) -> Iterator[Span]:
    """Yield the positions where text, or a part of it before "…", ends with the beginning of the form."""
    end = 0
    while end >= 0:
        end = low.find("…", end)
        stop = len(low) if end < 0 else end
        tail = low[max(0, stop - _PREFIX) : stop]
        length = next((size for size in range(len(tail), _CUT_PREFIX - 1, -1) if tail.endswith(form.text[:size])), 0)
        if length and length < len(form.text):
            yield stop - length, stop, HIDDEN
        end = end + 1 if end >= 0 else -1


def _unescaped(match: re.Match[str]) -> str:
    """Return the characters that an escape means; those of a percent-encoding one by one, as Latin-1, if not UTF-8."""
    escape = match[0]
    if escape[0] == "%":
        raw = unquote_to_bytes(escape)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")
    if escape[0] == "&":
        return html.unescape(escape)
    sign = escape.lstrip("\\")
    if not sign:
        return "\\" * (len(escape) // 2)
    return sign if sign[0] in "\"'/" else chr(int(sign[1:].strip("{}"), 16))


def _origin(place: int, views: list[str]) -> int:
    """Return the position in the first view for one in the last; each view has one layer of escapes less."""
    for view in reversed(views):
        place = _positions(view)[place]
    return place


@lru_cache(maxsize=4)
def _positions(text: str) -> list[int]:
    """Return, for each character of the text without escapes and for its end, its position in the text."""
    found: list[int] = []
    end = 0
    for match in _ESCAPE.finditer(text):
        found += range(end, match.start())
        size = len(_unescaped(match))
        found += [match.start() + index * len(match[0]) // size for index in range(size)]
        end = match.end()
    return [*found, *range(end, len(text) + 1)]


@lru_cache(maxsize=256)
def _redaction(token: str, instead: str) -> Redaction:
    """Return what hides one token."""
    if len(token) < LONG_ENOUGH:
        return Redaction((), ((re.compile(rf"(?<!\w){re.escape(token)}(?!\w)"), instead),), len(token))
    forms = dict.fromkeys(_lower(form) for form in _spellings(token))
    plain = _lower(token)
    known = tuple(_Spelling(form, instead if form == plain else HIDDEN, form == plain) for form in forms)
    return Redaction(known, (), max(len(form.text) for form in known) * _WIDEST)


def _spellings(token: str) -> Iterator[str]:
    """Yield the token as it is, and as base64, base32 and hexadecimal digits. `_unescaped` undoes escapes."""
    data = token.encode("utf-8", "surrogatepass")
    yield token
    yield data.decode("latin-1")
    yield from (token.replace(" ", "+"), data.hex())
    for encode, bits, most in ((b64encode, 6, 3), (b32encode, 5, 5)):
        for before in range(most):
            # Wherever it begins in what was encoded, these characters depend on the token alone.
            code = encode(bytes(before) + data).decode()
            core = code[-(-before * 8 // bits) : (before + len(data)) * 8 // bits]
            yield from (core, core.replace("+", "-").replace("/", "_"))
