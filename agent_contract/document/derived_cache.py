"""Keeps a document that was derived from this kit's own, in Python's cache of bytecode and under the same rules.

To read the YAML and derive the newest API version takes longer than everything else at the start of a mock. A file that
is absent, out of date or damaged is derived again; `PYTHONDONTWRITEBYTECODE` keeps it from being written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from importlib.util import cache_from_source
from pathlib import Path

import orjson

from agent_contract.document.document import Document

_PACKAGE = Path(__file__).resolve().parents[1]


def cache_key(source: Path) -> bytes:
    """Return the digest of a document's text and of the state of the code that derives from it."""
    code = sorted(_PACKAGE.rglob("*.py"))
    states = [f"{path.relative_to(_PACKAGE)} {path.stat().st_mtime_ns} {path.stat().st_size}\n" for path in code]
    return hashlib.sha256(source.read_bytes() + "".join(states).encode()).hexdigest().encode()


def read_derived(source: Path, key: bytes) -> Document | None:
    """Return the document that was kept under this key; None if there is none that can be read."""
    with contextlib.suppress(OSError, ValueError, NotImplementedError):
        found, _, content = _file().read_bytes().partition(b"\n")
        if found == key:
            return Document(source, {"": orjson.loads(content)})
    return None


def keep_derived(document: Document, key: bytes) -> None:
    """Keep a document of one file, if this process may write bytecode and the place can be written."""
    if sys.dont_write_bytecode or len(document.files) > 1:
        return
    with contextlib.suppress(OSError, TypeError, NotImplementedError):
        file = _file()
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.with_suffix(f".{os.getpid()}")
        written.write_bytes(key + b"\n" + orjson.dumps(document.files[""]))
        written.replace(file)  # at once: another process may read it now


def _file() -> Path:
    """Return the file of the cache; NotImplementedError if this Python has no cache of bytecode."""
    return Path(cache_from_source(str(_PACKAGE / "openapi.py"))).with_suffix(".json")
