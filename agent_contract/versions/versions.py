"""Which API versions have which part of a document: `x-since` is the first version of a part, `x-until` the last.

`info.x-versions` lists the versions, oldest first. A keyword has no place for an `x-since` or an `x-until`. A bound
that ended is written as `allOf` with a schema of its own; an enumeration whose items came one by one as `oneOf` with a
`const` in each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.json_pointer import Place
from agent_contract.document.walker import Walk

_ROOT = Place("", ())
#: The fields that name the first and the last version of a part.
SINCE, UNTIL = "x-since", "x-until"
#: The values of both fields, by part.
Marks: TypeAlias = dict[Place, tuple[str, str]]


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
    for place, found in marks_of(walk).items():
        marks = {mark: version for mark, version in zip((SINCE, UNTIL), found, strict=True) if version}
        unknown = {mark: version for mark, version in marks.items() if version not in known}
        for mark, version in unknown.items():
            problem = f"the version {version!r} is unknown"
            yield document.problem(place.child(mark), problem, "use one of info.x-versions")
        if len(marks) == 2 and not unknown and known.index(marks[UNTIL]) < known.index(marks[SINCE]):
            problem = f"it ends with {marks[UNTIL]}, before it begins with {marks[SINCE]}"
            yield document.problem(place.child(UNTIL), problem, "correct one of the two versions")


def has_ended_parts(walk: Walk) -> bool:
    """Return whether a part or a clause of the document ends with one of the versions."""
    return any(
        isinstance(value, dict)
        and (UNTIL in value or any(isinstance(item, dict) and "until" in item for item in _list(value, "x-clauses")))
        for value in walk.values.values()
    )


def marks_of(walk: Walk) -> Marks:
    """Return the `x-since` and the `x-until` of each part that has one of them; "" for the other."""
    found: Marks = {}
    for place, value in walk.values.items():
        if isinstance(value, dict) and (SINCE in value or UNTIL in value):
            found[place] = (str(value.get(SINCE, "")), str(value.get(UNTIL, "")))
    return found


def absent_parts(document: Document, walk: Walk, version: str, marks: Marks) -> set[Place]:
    """Return the parts that a version does not have, and the references to them; not what they hold."""
    known = versions_of(document)
    here = known.index(version)
    earlier, later = set(known[:here]), set(known[here + 1 :])
    found = {place for place, (since, until) in marks.items() if since in later or until in earlier}
    more = found
    while more:
        more = {place for place, target in walk.references.items() if place not in found and is_within(found, target)}
        found |= more
    return found


def is_within(parts: set[Place], place: Place) -> bool:
    """Return whether a place is one of these parts, or lies inside one."""
    file, tokens = place
    # A pair is equal to the place that it becomes: creating a place takes longer than all the rest.
    return bool(parts) and any((file, tokens[:length]) in parts for length in range(len(tokens), -1, -1))


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


def version_ranges(document: Document, walk: Walk, marks: Marks) -> Mapping[Place, tuple[str, str]]:
    """Return the first and the last version in which an operation leads to a part; unreachable parts are absent."""
    ranges: dict[Place, tuple[str, str]] = {}
    for version in versions_of(document):
        for place in reached(walk, absent_parts(document, walk, version, marks)):
            ranges[place] = (ranges.get(place, (version,))[0], version)
    return ranges


def versions_with(
    known: tuple[str, ...], marks: Marks, ranges: Mapping[Place, tuple[str, str]], place: Place
) -> tuple[str, str]:
    """Return the first and the last version that have a part.

    They are those in which an operation leads to it. For a part that no operation leads to, they are what the part, or
    what holds it, is marked with. `known` are the versions of the document.
    """
    enclosing = [Place(place.file, place.tokens[:length]) for length in range(len(place.tokens), -1, -1)]
    own = [marks[one] for one in enclosing if one in marks]
    marked = [
        next((mark[side] for mark in own if mark[side]), default) for side, default in ((0, known[0]), (1, known[-1]))
    ]
    found = ranges.get(place, (marked[0], marked[1]))
    first, last = (mark if mark not in known else version for mark, version in zip(marked, found, strict=True))
    return first, last


def _list(value: dict[str, Any], name: str) -> list[Any]:
    listed = value.get(name)
    return listed if isinstance(listed, list) else []
