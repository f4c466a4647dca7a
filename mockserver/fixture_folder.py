"""A folder of fixtures: written, brought up to date and checked, and nothing else in it touched."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from agent_contract import Contract
from agent_contract.values import JSON
from mockserver.fixtures import make_fixtures
from mockserver.readable import pretty

MANIFEST = "manifest.json"
_MADE_BY = "agent-contract fixtures"
_OURS = re.compile(r"(?:exchanges|clauses)/[^/\\]+\.(?:json|sse)")


class FolderError(Exception):
    """A folder can't be used as it is; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """What writing did: how many files there are now, and which were changed, removed, or kept though stale."""

    files: int
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def write_fixtures(contract: Contract, folder: Path, seed: int, count: int) -> Written:
    """Bring `folder` up to date; raise `FolderError` before anything is written where a foreign file is in the way."""
    files = make_fixtures(contract, seed, count)
    old = _read_manifest(folder) or {"files": {}}
    listed: Mapping[str, str] = old["files"]
    for path in (*files, *(() if listed else (MANIFEST,))):
        if path not in listed and (folder / path).exists():
            raise FolderError(f"{folder / path} was not written by this command: move it, or choose another folder.")
    removed, kept = _remove_stale(folder, listed, files)
    manifest = pretty(_manifest(contract, seed, count, files)).encode()
    changed = []
    # The manifest goes first: a run that is broken off leaves no file that the next one takes for somebody else's.
    for path, content in {MANIFEST: manifest, **files}.items():
        target = folder / path
        if _content(target) != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            changed.append(path)
    return Written(len(files), tuple(path for path in changed if path != MANIFEST), removed, kept)


def check_fixtures(contract: Contract, folder: Path) -> Iterator[str]:
    """Yield what differs between a folder and what its manifest's seed and count give today."""
    manifest = _read_manifest(folder)
    if manifest is None:
        raise FolderError(f"There is no {folder / MANIFEST}: write fixtures first, without --check.")
    if manifest["contract"] != contract.digest:
        yield f"{MANIFEST}: the contract has changed: {manifest['contract']} then, {contract.digest} now"
    files = make_fixtures(contract, manifest["seed"], manifest["count"])
    for path, content in files.items():
        found = _content(folder / path)
        if found is None:
            yield f"{path}: is missing"
        elif found != content:
            yield f"{path}: {_first_difference(found, content)}"
        if found == content and manifest["files"].get(path) != _digest(content):
            yield f"{MANIFEST}: does not list {path} as it is"
    for path in manifest["files"]:
        if path not in files:
            yield f"{path}: is not made any more"


def _manifest(contract: Contract, seed: int, count: int, files: Mapping[str, bytes]) -> dict[str, JSON]:
    digests: dict[str, JSON] = {path: _digest(content) for path, content in sorted(files.items())}
    return {"made_by": _MADE_BY, "seed": seed, "count": count, "contract": contract.digest, "files": digests}


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the folder's manifest, None without one; raise `FolderError` for one that is not this command's."""
    content = _content(folder / MANIFEST)
    if content is None:
        return None
    try:
        manifest = orjson.loads(content)
        names = isinstance(manifest["files"], dict) and all(_OURS.fullmatch(path) for path in manifest["files"])
        numbers = isinstance(manifest["seed"], int) and isinstance(manifest["count"], int)
        if manifest["made_by"] == _MADE_BY and names and numbers and isinstance(manifest["contract"], str):
            return manifest  # type: ignore[no-any-return]
    except (ValueError, LookupError, TypeError):
        pass
    raise FolderError(f"{folder / MANIFEST} was not written by this command: move it, or choose another folder.")


def _remove_stale(
    folder: Path, listed: Mapping[str, str], files: Mapping[str, bytes]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove listed files that are not made any more; return them, and those kept because somebody changed them."""
    removed, kept = [], []
    for path, digest in listed.items():
        content = None if path in files else _content(folder / path)
        if content is not None and _digest(content) == digest:
            (folder / path).unlink()
            removed.append(path)
        elif content is not None:
            kept.append(path)
    return tuple(removed), tuple(kept)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FolderError(f"{path} can't be read: {error.strerror or error}.") from None


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _first_difference(found: bytes, expected: bytes) -> str:
    """Return the first line that differs, as found and as it must be."""
    there, wanted = found.decode("utf-8", "replace").splitlines(), expected.decode().splitlines()
    for number, (one, other) in enumerate(zip(there, wanted, strict=False), 1):
        if one != other:
            return f"line {number} is {_short(one)}, must be {_short(other)}"
    return f"has {len(there)} lines, must have {len(wanted)}"


def _short(line: str) -> str:
    return repr(line.strip()[:80])
