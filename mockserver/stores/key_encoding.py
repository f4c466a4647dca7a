"""Keys as the stores outside of this process have them: bytes, which sort as the text does by code point."""

from __future__ import annotations


def encoded(key: str) -> bytes:
    """Return a key as its UTF-8; any text is a key, lone surrogates too."""
    return key.encode("utf-8", "surrogatepass")


def decoded(name: bytes) -> str:
    """Return the key that `encoded` made."""
    return name.decode("utf-8", "surrogatepass")


def behind(prefix: str) -> bytes:
    """Return what sorts behind every key that begins with `prefix`, and before all others: no UTF-8 holds byte 255."""
    return encoded(prefix) + b"\xff"
