"""What of a document belongs to which API version: each part with an `x-since`, and what is reached through such parts.

`info.x-versions` lists the versions, oldest first. An enumeration whose items came one by one is written as `oneOf`
with a `const` in each, since a plain `enum` has no place for an `x-since`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.json_pointer import Place
from agent_contract.document.walker import Walk

_ROOT = Place("", ())


def versions_of(document: Document) -> tuple[str, ...]:
    """Return the API versions in `info.x-versions`, oldest first; the document's own version where it names none."""
    root = document.files[""]
    info: Any = root.get("info") if isinstance(root, dict) else None
    info = info if isinstance(info, dict) else {}
    return tuple(str(version) for version in info.get("x-versions") or (info.get("version", ""),))


def check_api_version(document: Document, version: str) -> None:
    """Raise ContractError for a version that the document doesn't know."""
    known = versions_of(document)
    if version not in known:
        place = _ROOT.child("info", "x-versions")
        problem = f"the API version {version!r} is unknown"
        raise ContractError([document.problem(place, problem, f"use one of {', '.join(known)}")])


def unknown_versions(document: Document, walk: Walk) -> Iterator[Problem]:
    """Yield each `x-since` that names no version of the document."""
    known = versions_of(document)
    for place in walk.kinds:
        since = _own(document, place)
        if since and since not in known:
            problem = f"the version {since!r} is unknown"
            yield document.problem(place.child("x-since"), problem, "use one of info.x-versions")


def later_parts(document: Document, walk: Walk, version: str) -> set[Place]:
    """Return the parts that came after a version, and those that do nothing but refer to one; not what they hold."""
    known = versions_of(document)
    later = set(known[known.index(version) + 1 :])
    if not later:
        return set()
    found = {place for place in walk.kinds if _own(document, place) in later}
    more = found
    while more:
        more = {place for place, target in walk.references.items() if place not in found and is_within(found, target)}
        found |= more
    return found


def is_within(parts: set[Place], place: Place) -> bool:
    """Return whether a place is one of these parts, or lies inside one."""
    return any(Place(place.file, place.tokens[:length]) in parts for length in range(len(place.tokens), -1, -1))


def reached(walk: Walk, without: set[Place]) -> set[Place]:
    """Return what a document's operations lead to, some parts left out."""
    waiting = [child for child in walk.edges.get(_ROOT, ()) if child.tokens != ("components",)]
    found = {_ROOT, *waiting}
    while waiting:
        for place in walk.edges.get(waiting.pop(), ()):
            if place not in found and not is_within(without, place):
                found.add(place)
                waiting.append(place)
    return found


def first_versions(document: Document, walk: Walk) -> Mapping[Place, str]:
    """Return for each part the first version in which an operation leads to it; a part that none leads to is absent."""
    versions = versions_of(document)
    first: dict[Place, str] = {}
    for version in versions:
        for place in reached(walk, later_parts(document, walk, version)):
            first.setdefault(place, version)
    return first


def since(document: Document, first: Mapping[Place, str], place: Place) -> str:
    """Return the version that brought a part: the first that leads to it; where none does, what its `x-since` says."""
    enclosing = (Place(place.file, place.tokens[:length]) for length in range(len(place.tokens), -1, -1))
    said = next((said for one in enclosing if (said := _own(document, one))), "")
    known = versions_of(document)
    return said if said and said not in known else first.get(place, said or known[0])


def _own(document: Document, place: Place) -> str:
    value = document.at(place)
    return str(value["x-since"]) if isinstance(value, dict) and "x-since" in value else ""
