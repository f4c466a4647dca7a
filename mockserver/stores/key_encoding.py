"""Keys as bytes, for stores outside this process; the bytes sort by code point, like the keys."""

from __future__ import annotations


def encoded(key: str) -> bytes:
    """Return a key as UTF-8; a key may contain lone surrogates."""
    return key.encode("utf-8", "surrogatepass")


def decoded(name: bytes) -> str:
    """Return the key that `encoded` encoded."""
    return name.decode("utf-8", "surrogatepass")


def end_of(prefix: str) -> bytes:
    """Return bytes that sort after every key that begins with `prefix`: UTF-8 never contains the byte 255."""
    return encoded(prefix) + b"\xff"
