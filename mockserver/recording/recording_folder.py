"""Recordings in files: a folder of `0001-OPERATION.json`, numbered in the order of the requests, or an HTTP archive."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from agent_contract import Contract
from agent_contract.messages import JSON, Exchange
from mockserver.recording.exchange_json import pretty
from mockserver.recording.har import IsKnown, ReadFile, RecordedExchanges, is_archive, read_archive
from mockserver.recording.recording import Recording, RecordingError, read_exchange, recording_json

_NAME = re.compile(r"(\d+)-[\w-]+\.json", re.ASCII)
#: The operation of a request that reaches none of the contract, in the name of its file.
_UNKNOWN = "unknown"
_ARCHIVES = (".har", ".zip", ".zhar")
_SUFFIXES = (".json", *_ARCHIVES)
#: The bytes with which a zip file begins, and one that mitmproxy compressed.
_ZIP, _ZLIB = b"PK\x03\x04", (b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_MOST_UNPACKED = 1024 * 1024 * 1024
_TOO_LARGE = "it is larger than 1 GiB when it is decompressed"


def next_number(folder: Path) -> int:
    """Return the number of the next recording."""
    numbers = [int(found[1]) for path in folder.glob("*.json") if (found := _NAME.fullmatch(path.name))]
    return max(numbers, default=0) + 1


def write_recording(folder: Path, number: int, exchange: Exchange, redact: Iterable[str] = ()) -> str:
    """Write an exchange that has no secrets, and return the name of its file, which is whole or does not exist.

    Only the number and the id of the operation are in the name. `redact` are the names whose values the user had
    hidden. Raises OSError.
    """
    operation = re.sub(r"[^\w-]", "_", exchange.operation, flags=re.ASCII)[:80] or _UNKNOWN
    hidden: list[JSON] = [*sorted(redact)]
    value: dict[str, JSON] = {"operation": exchange.operation or None, **({"redact": hidden} if hidden else {})}
    value["exchanges"] = [recording_json(exchange)]
    content = pretty(value).encode()
    unfinished = folder / f".{number:04}-{os.getpid()}.unfinished"
    try:
        unfinished.write_bytes(content)
        while True:
            name = f"{number:04}-{operation}.json"
            try:
                os.link(unfinished, folder / name)  # fails if another process has taken the name
            except FileExistsError:
                number += 1
            else:
                return name
    finally:
        unfinished.unlink(missing_ok=True)


def read_recordings(path: Path, is_known: IsKnown = lambda _: True) -> RecordedExchanges:
    """Return the recordings of a folder, or of a file: a recording, a fixture, or an HTTP archive.

    Every file `*.json`, `*.har`, `*.zhar` and `*.zip` of a folder must be one of these. Each exchange of a file is one
    recording. Entries of an archive are left out if their request is not known. Raises `RecordingError`.
    """
    if path.is_dir():
        found = [one for one in path.iterdir() if one.suffix in _SUFFIXES]
        files = [_read(one, is_known) for one in sorted(found, key=_order)]
    elif path.exists():
        files = [_read(path, is_known)]
    else:
        raise RecordingError(f"{path} does not exist. Record into it first: agent-contract proxy URL --record {path}")
    left_out = Counter[str]()
    for file in files:
        left_out.update(file.left_out)
    return RecordedExchanges(tuple(one for file in files for one in file.recordings), left_out)


def are_recordings(path: Path) -> bool:
    """Return whether a path is a folder, or a file that seems to have recordings. Raises OSError."""
    if path.is_dir() or path.suffix in _ARCHIVES:
        return True
    try:
        value = _parsed(path.read_bytes())
    except (RecursionError, TypeError, ValueError):
        return False
    return "exchanges" in value or is_archive(value)


def belongs_to(*contracts: Contract) -> IsKnown:
    """Return whether a request has a path of one of these contracts."""
    return lambda request: any(contract.find(request.method, request.path) is not None for contract in contracts)


def _order(path: Path) -> tuple[int, str]:
    found = _NAME.fullmatch(path.name)
    return (int(found[1]) if found else 0, path.name)


def _read(path: Path, is_known: IsKnown) -> RecordedExchanges:
    try:
        content, read_file = _opened(path)
        value = _parsed(content)
        if is_archive(value):
            return read_archive(path.name, value, is_known, read_file)
        redact = tuple(map(str, value.get("redact", ())))
        found = tuple(Recording(path.name, read_exchange(one), redact) for one in value["exchanges"])
    except OSError as error:
        raise RecordingError(f"{error.filename or path} can't be read: {error.strerror or error}.") from None
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        kind = "an HTTP archive" if path.suffix in _ARCHIVES else "a recording"
        raise RecordingError(f"{path} is not {kind}: {why}. Correct it, or remove it.") from None
    return RecordedExchanges(found)


def _opened(path: Path) -> tuple[bytes, ReadFile]:
    """Return the JSON of a file, which can be compressed, and what reads the files that it refers to."""
    content = path.read_bytes()
    if content.startswith(_ZIP):
        return _unzipped(content)
    if content.startswith(_ZLIB):
        decoder = zlib.decompressobj()
        content = decoder.decompress(content, _MOST_UNPACKED)
        if decoder.unconsumed_tail:
            raise ValueError(_TOO_LARGE)
    return content, lambda name: (path.parent / _plain_name(name)).read_bytes()


def _unzipped(content: bytes) -> tuple[bytes, ReadFile]:
    """Return the archive in a zip file, as Playwright writes it, and what reads the other files in it."""
    packed = zipfile.ZipFile(io.BytesIO(content))
    if sum(one.file_size for one in packed.infolist()) > _MOST_UNPACKED:
        raise ValueError(_TOO_LARGE)
    names = [one for one in packed.namelist() if one.endswith(".har")]
    if len(names) != 1:
        raise ValueError(f"it has {len(names)} files *.har, and one is expected")
    return packed.read(names[0]), packed.read


def _plain_name(name: str) -> str:
    """Return the name of a file next to an archive; raises ValueError for one that leads elsewhere."""
    if not name or name != Path(name).name:
        raise ValueError(f"it refers to {name!r}, which is not a file next to it")
    return name


def _parsed(content: bytes) -> Any:
    try:
        value = orjson.loads(content)
    except ValueError:  # halves of surrogate pairs, and integers over 64 bits
        value = json.loads(content)
    if not isinstance(value, dict):
        raise TypeError("it is not a JSON object")
    return value
