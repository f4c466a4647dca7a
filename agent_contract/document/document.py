"""A document and the local files that it refers to, as plain JSON values."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin

from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.json_pointer import Place, look_up, tokens_of
from agent_contract.document.reader import decoded, line_of, parse_text, read_text
from agent_contract.messages import JSON

if TYPE_CHECKING:
    from agent_contract.document.remote import RemoteFiles

#: An address that begins with a scheme or an authority. Source: RFC 3986, sections 3.1 and 4.2.
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """The files of one contract: `files` holds their values, `texts` their text; "" is the document itself.

    Other files go by their path relative to the document's folder, with slashes. With
    `allow_outside` they may be anywhere. If values were taken out since the text was read, `moved` leads from the list
    items that moved to their places in the text. `repeated` has the keys that are given twice, if such a file is read
    at all. Remote files go by their URL; `remote` fetches them.
    """

    path: Path
    files: dict[str, JSON] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    allow_outside: bool = False
    moved: Mapping[Place, Place] = field(default_factory=dict)
    repeated: dict[str, list[str]] | None = None
    remote: RemoteFiles | None = None

    @property
    def is_3_0(self) -> bool:
        """Whether it is written in OpenAPI 3.0, whose schemas have words of their own."""
        root = self.files[""]
        return isinstance(root, dict) and str(root.get("openapi")).startswith("3.0")

    @property
    def is_3_2(self) -> bool:
        """Whether it is written in OpenAPI 3.2."""
        root = self.files[""]
        return isinstance(root, dict) and str(root.get("openapi")).startswith("3.2")

    def at(self, place: Place) -> JSON:
        """Return the value at a place; LookupError if it does not exist."""
        return look_up(self.files[place.file], place.tokens)

    def line(self, place: Place) -> int | None:
        """Return the line on which a place begins, None if it is not known."""
        written = place.tokens
        for length in range(len(written), 0, -1) if self.moved else ():
            if moved := self.moved.get(Place(place.file, written[:length])):
                written = moved.tokens + written[length:]
                break
        return line_of(self.texts.get(place.file, ""), written)

    def name(self, file: str) -> str:
        """Return what messages call a file: its path as the document was named."""
        if _REMOTE.match(file):
            return file
        return str(self.path.parent / file) if file else str(self.path)

    def problem(self, place: Place, problem: str, remedy: str) -> Problem:
        """Return a problem at a place, with its file and line."""
        line = self.line(place)
        return Problem(self.name(place.file) + (f":{line}" if line else ""), str(place), problem, remedy)

    def read(self, file: str) -> None:
        """Read one more file; ContractError if it can't be read or parsed, or is outside the document's folder."""
        if file not in self.files:
            name = self.name(file)
            if _REMOTE.match(file):
                self._fetch(file)
                return
            if not self.allow_outside and not _is_inside(Path(name), self.path.parent):
                raise UnresolvedError(
                    "leads out of the document's folder",
                    "move the file into the folder; check, clauses, diff and serve take --allow-outside",
                )
            self.texts[file] = read_text(Path(name), name)
            self.files[file] = self._parse(file, name)

    def _fetch(self, url: str) -> None:
        """Read a remote file; ContractError if its host is not allowed or does not send it."""
        if self.remote is None or not self.remote.allows(url):
            raise UnresolvedError(
                "is remote, and its host is not allowed",
                "copy the file next to the document and refer to it there, or allow the host with --allow-remote HOST",
            )
        self.texts[url] = decoded(self.remote.fetch(url), url)
        self.files[url] = self._parse(url, url)

    def _parse(self, file: str, name: str) -> JSON:
        """Return the value of a file; a key that is given twice is refused, or added to `repeated`."""
        if self.repeated is None:
            return parse_text(self.texts[file], name)
        found: list[str] = []
        value = parse_text(self.texts[file], name, found)
        if found:
            self.repeated[file] = found
        return value

    def target(self, reference: str, file: str) -> Place:
        """Return the place that a `$ref` in `file` names, and read its file; ContractError if it does not exist."""
        address, _, fragment = reference.partition("#")
        if address and (_REMOTE.match(address) or _REMOTE.match(file)):
            file = _joined(file, address)
            self.read(file)
        elif address:
            file = posixpath.normpath(posixpath.join(posixpath.dirname(file), unquote(address)))
            file = "" if self.name(file) == str(self.path) else file
            self.read(file)
        try:
            place = Place(file, tokens_of(fragment))
            self.at(place)
        except ValueError:
            raise UnresolvedError(
                "is an anchor", "refer by a JSON pointer, as in '#/components/schemas/Name'"
            ) from None
        except LookupError:
            raise UnresolvedError("names nothing", "correct the reference, or add what it names") from None
        return place

    def follow(self, place: Place) -> Place:
        """Return the place that a chain of references ends at; the place itself if it holds no reference."""
        seen = {place}
        while isinstance(value := self.at(place), dict) and isinstance(reference := value.get("$ref"), str):
            place = self.target(reference, place.file)
            if place in seen:
                raise UnresolvedError("refers to itself", "let the chain of references end at a definition")
            seen.add(place)
        return place

    def digest(self) -> str:
        """Return `sha256:` and the digest of the parsed files as canonical JSON: comments and layout don't count."""
        value: Mapping[str, JSON] | JSON = self.files if len(self.files) > 1 else self.files[""]
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class UnresolvedError(ContractError):
    """A reference that can't be followed; the caller knows the place and adds it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__([Problem("", "#", problem, remedy)])


def _is_inside(path: Path, folder: Path) -> bool:
    """Return whether a file is in a folder or below it, links followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a circle of links, a null character
        return False


def _joined(file: str, address: str) -> str:
    """Return the URL that an address in a file leads to; the address itself if it is none."""
    try:
        return urljoin(file or "https:", address)
    except ValueError:  # brackets without an IPv6 address
        return address


def read_document(
    path: Path, *, allow_outside: bool = False, strict: bool = True, allow_remote: Iterable[str] = ()
) -> Document:
    """Return the document at a path; its other files are read when something refers to them.

    They must be in the document's folder or below it, unless `allow_outside` is set, or at one of the hosts that
    `allow_remote` names. Without `strict`, the last one of two equal keys is read.
    """
    hosts = frozenset(host.lower() for host in allow_remote)
    document = Document(
        path, allow_outside=allow_outside, repeated=None if strict else {}, remote=_remote(hosts) if hosts else None
    )
    document.texts[""] = read_text(path, str(path))
    document.files[""] = document._parse("", str(path))
    return document


def _remote(hosts: frozenset[str]) -> RemoteFiles:
    from agent_contract.document.remote import RemoteFiles, default_folder

    return RemoteFiles(hosts, default_folder())
