"""The deployment's base URL: the server and the agent in it, compared with an operation's path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

_PARAMETER = re.compile(r"\{([^{}]+)\}")


class TargetError(Exception):
    """A base URL that can't be used, with what to do about it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server's root, without a slash at its end, and the path parameters that the base URL gave."""

    root: str
    parameters: tuple[tuple[str, str], ...] = ()

    def url(self, template: str, **parameters: str) -> str:
        """Return the operation's URL; a parameter that is given here wins over the base URL's."""
        values = {**dict(self.parameters), **parameters}
        return self.root + _PARAMETER.sub(
            lambda match: quote(values[match[1]], safe="", errors="surrogatepass"), template
        )


def parse(base_url: str, template: str) -> Target:
    """Return the target that the base URL names: the server's root, or any longer beginning of the operation's URL.

    Raises `TargetError` for a URL that is not http or https, or has a query, a fragment or a password.
    """
    shown = "the base URL" if "@" in base_url else repr(base_url)  # text before an @ may be a password
    try:
        parts = urlsplit(base_url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        why = "" if "@" in base_url else f" ({error})"
        raise TargetError(f"{shown} is not a URL{why}; give one like https://host/") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TargetError(f"{shown} is not an http or https URL; give one like https://host/")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise TargetError("the base URL has a query, a fragment or a password; give it without, and the token apart")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    given = [unquote(segment) for segment in parts.path.split("/") if segment]
    wanted = [segment for segment in template.split("/") if segment]
    length = next(length for length in range(len(wanted), -1, -1) if _ends_with(given, wanted[:length]))
    rest = given[: len(given) - length]
    values = zip(wanted[:length], given[len(given) - length :], strict=True)
    parameters = tuple((match[1], value) for segment, value in values if (match := _PARAMETER.fullmatch(segment)))
    path = "".join(f"/{quote(segment, safe='')}" for segment in rest)
    return Target(f"{parts.scheme}://{host}{port}{path}", parameters)


def _ends_with(given: list[str], wanted: list[str]) -> bool:
    if len(wanted) > len(given):
        return False
    tail = given[len(given) - len(wanted) :]
    return all(_PARAMETER.fullmatch(want) or want == value for want, value in zip(wanted, tail, strict=True))
