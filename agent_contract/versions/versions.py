"""Which API versions have which part of a document: `x-since` is the first version of a part, `x-until` the last.

`info.x-versions` lists the versions, oldest first. A keyword has no place for an `x-since` or an `x-until`. A bound
that ended is written as `allOf` with a schema of its own; an enumeration whose items came one by one as `oneOf` with a
`const` in each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.json_pointer import Place
from agent_contract.document.walker import Walk

_ROOT = Place("", ())
#: The fields that name the first and the last version of a part.
SINCE, UNTIL = "x-since", "x-until"


def versions_of(document: Document) -> tuple[str, ...]:
    """Return the API versions in `info.x-versions`, oldest first; the document's own version if it lists none."""
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


def version_problems(document: Document, walk: Walk) -> Iterator[Problem]:
    """Yield each `x-since` and `x-until` that names no version of the document, or that ends before it begins."""
    known = versions_of(document)
    for place in walk.kinds:
        marks = {mark: version for mark in (SINCE, UNTIL) if (version := mark_of(document, place, mark))}
        unknown = {mark: version for mark, version in marks.items() if version not in known}
        for mark, version in unknown.items():
            problem = f"the version {version!r} is unknown"
            yield document.problem(place.child(mark), problem, "use one of info.x-versions")
        if len(marks) == 2 and not unknown and known.index(marks[UNTIL]) < known.index(marks[SINCE]):
            problem = f"it ends with {marks[UNTIL]}, before it begins with {marks[SINCE]}"
            yield document.problem(place.child(UNTIL), problem, "correct one of the two versions")


def has_ended_parts(document: Document, walk: Walk) -> bool:
    """Return whether a part or a clause of the document ends with one of the versions."""
    listed = ((place, document.at(place)) for place in walk.kinds)
    return any(
        isinstance(value, dict)
        and (UNTIL in value or any(isinstance(item, dict) and "until" in item for item in _list(value, "x-clauses")))
        for _, value in listed
    )


def absent_parts(document: Document, walk: Walk, version: str) -> set[Place]:
    """Return the parts that a version does not have, and the references to them; not what they hold."""
    known = versions_of(document)
    here = known.index(version)
    earlier, later = set(known[:here]), set(known[here + 1 :])
    found = {
        place
        for place in walk.kinds
        if mark_of(document, place, SINCE) in later or mark_of(document, place, UNTIL) in earlier
    }
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


def version_ranges(document: Document, walk: Walk) -> Mapping[Place, tuple[str, str]]:
    """Return the first and the last version in which an operation leads to a part; unreachable parts are absent."""
    ranges: dict[Place, tuple[str, str]] = {}
    for version in versions_of(document):
        for place in reached(walk, absent_parts(document, walk, version)):
            ranges[place] = (ranges.get(place, (version,))[0], version)
    return ranges


def versions_with(document: Document, ranges: Mapping[Place, tuple[str, str]], place: Place) -> tuple[str, str]:
    """Return the first and the last version that have a part.

    They are those in which an operation leads to it. For a part that no operation leads to, they are what the part, or
    what holds it, is marked with.
    """
    known = versions_of(document)
    enclosing = [Place(place.file, place.tokens[:length]) for length in range(len(place.tokens), -1, -1)]
    marked = [
        next((version for one in enclosing if (version := mark_of(document, one, mark))), default)
        for mark, default in ((SINCE, known[0]), (UNTIL, known[-1]))
    ]
    found = ranges.get(place, (marked[0], marked[1]))
    first, last = (mark if mark not in known else version for mark, version in zip(marked, found, strict=True))
    return first, last


def mark_of(document: Document, place: Place, mark: str) -> str:
    """Return the value of a part's `x-since` or `x-until`, "" if it has none."""
    value = document.at(place)
    return str(value[mark]) if isinstance(value, dict) and mark in value else ""


def _list(value: dict[str, Any], name: str) -> list[Any]:
    listed = value.get(name)
    return listed if isinstance(listed, list) else []
