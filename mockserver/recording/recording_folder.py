"""A folder of recordings: `0001-OPERATION.json`, numbered in the order of the requests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from agent_contract.messages import JSON, Exchange
from mockserver.recording.exchange_json import pretty
from mockserver.recording.recording import Recording, read_exchange, recording_json

_NAME = re.compile(r"(\d+)-[\w-]+\.json", re.ASCII)
#: The operation of a request that reaches none of the contract, in the name of its file.
_UNKNOWN = "unknown"


class RecordingError(Exception):
    """Recordings can't be read; the message has the file, the reason and the remedy."""


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


def read_recordings(folder: Path) -> list[Recording]:
    """Return the recordings of a folder in the order of their names; raises `RecordingError`.

    Every file `*.json` must be a recording or a fixture. Each exchange of a file is one recording.
    """
    if not folder.is_dir():
        raise RecordingError(
            f"{folder} is not a folder. Record into it first: agent-contract proxy URL --record {folder}"
        )
    return [recording for path in sorted(folder.glob("*.json"), key=_order) for recording in _read(path)]


def _order(path: Path) -> tuple[int, str]:
    found = _NAME.fullmatch(path.name)
    return (int(found[1]) if found else 0, path.name)


def _read(path: Path) -> Iterator[Recording]:
    try:
        value: Any = orjson.loads(path.read_bytes())
        if not isinstance(value, dict):
            raise TypeError("it is not a JSON object")
        redact = tuple(map(str, value.get("redact", ())))
        found = [Recording(path.name, read_exchange(one), redact) for one in value["exchanges"]]
    except OSError as error:
        raise RecordingError(f"{path} can't be read: {error.strerror or error}.") from None
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise RecordingError(f"{path} is not a recording: {why}. Correct it, or remove it.") from None
    yield from found
