"""Compares two contracts, versions of an API or documents, and reports what matters to a client."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from agent_contract.contract import Contract
from agent_contract.diff.fields import Field, reply_fields, request_fields
from agent_contract.document.json_pointer import Place, parse
from agent_contract.messages import JSON, Clause
from agent_contract.model.operations import Operation

Effect = Literal["breaking", "notable", "new"]

#: What a difference means to a client, worst first.
EFFECTS: Mapping[Effect, str] = {
    "breaking": "what a client does may fail, or what it reads may be absent",
    "notable": "a client may meet something that it has not met before",
    "new": "a client that knows nothing of it goes on as before",
}
#: The parts of a contract that are compared, in the order in which they are shown.
PARTS = ("operation", "request", "reply", "clause")
#: Keywords that accept less if their number is smaller; all other keywords accept less if it is larger.
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: the `part` of the contract and `what` of it, with the operations that have it in common.

    `clauses` names the clauses about it; `before` and `after` are empty if it exists on one side only. `pointer` is its
    place in the later contract, or in the earlier one if it was removed; "" if it has none.
    """

    effect: Effect
    part: str
    what: str
    change: str
    before: str = ""
    after: str = ""
    operations: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    pointer: str = ""

    @property
    def is_removed(self) -> bool:
        """Whether the later contract lacks it."""
        return self.change == _COMES[True]


def differences(before: Contract, after: Contract) -> tuple[Difference, ...]:
    """Return how two contracts differ, what breaks a client first; () for contracts that promise the same."""
    found = [*_operations(before, after), *clause_differences(before, after)]
    merged: dict[Difference, list[Difference]] = {}
    for one in found:
        merged.setdefault(replace(one, operations=(), clauses=(), pointer=""), []).append(one)
    together = [
        replace(
            key,
            operations=_unique(name for one in same for name in one.operations),
            clauses=_unique(name for one in same for name in one.clauses),
            pointer=same[0].pointer,
        )
        for key, same in merged.items()
    ]
    effects = list(EFFECTS)
    return tuple(sorted(together, key=lambda one: (effects.index(one.effect), PARTS.index(one.part))))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _operations(before: Contract, after: Contract) -> Iterator[Difference]:
    for name in dict.fromkeys((*before.operations, *after.operations)):
        old, new = before.operations.get(name), after.operations.get(name)
        if old is None or new is None:
            contract, there = (before, old) if old else (after, new)
            assert there is not None
            clauses = _speaking(contract, there, [parse(there.pointer)])
            effect: Effect = "breaking" if old else "new"
            yield Difference(
                effect, "operation", _address(there), _COMES[new is None], "", "", (name,), clauses, there.pointer
            )
        else:
            whole = (*_moved(old, new), *security_differences(old, new))
            for one in (*whole, *request_differences(before, after, old, new), *_replies(before, after, old, new)):
                yield replace(one, operations=(name,))


#: The description of a part that only one contract has, by whether it was removed.
_COMES: Mapping[bool, str] = {True: "removed", False: "added"}


def _address(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def _moved(old: Operation, new: Operation) -> Iterator[Difference]:
    if _address(old) != _address(new):
        addresses = (_address(old), _address(new))
        yield Difference("breaking", "operation", old.id, "moved", *addresses, pointer=new.pointer)


def security_differences(old: Operation, new: Operation) -> Iterator[Difference]:
    """Yield the difference between two operations if one of them needs a token and the other does not."""
    asked, asks = ((not one.security or () in one.security) for one in (old, new))
    if asked != asks:
        words = {True: "no token needed", False: "a token needed"}
        effect: Effect = "notable" if asks else "breaking"
        yield Difference(effect, "operation", old.id, "security", words[asked], words[asks], pointer=new.pointer)


def request_differences(before: Contract, after: Contract, old: Operation, new: Operation) -> Iterator[Difference]:
    """Yield how what a client may send to an operation differs, field by field."""
    was, now = request_fields(old), request_fields(new)
    for way in _ways(was, now):
        one, other = was.get(way), now.get(way)
        if one is None or other is None:
            effect: Effect = "breaking" if one or (other and other.required) else "new"
            change = _COMES[other is None] + (", required" if other and other.required else "")
            clauses = _of(before, after, old, new, one, other)
            yield Difference(effect, "request", way, change, clauses=clauses, pointer=_pointer(one, other))
        else:
            for change, is_less, left, right in _changes(one, other):
                effect = _REQUEST[is_less]
                clauses = _of(before, after, old, new, one, other)
                yield Difference(effect, "request", way, change, left, right, (), clauses, _pointer(one, other))


#: What it means to a client that a field accepts less (True), more (False), or something else (None).
_REQUEST: Mapping[bool | None, Effect] = {True: "breaking", False: "new", None: "notable"}
_REPLY: Mapping[bool | None, Effect] = {True: "new", False: "breaking", None: "notable"}


def _replies(before: Contract, after: Contract, old: Operation, new: Operation) -> Iterator[Difference]:
    for status in dict.fromkeys((*old.responses, *new.responses)):
        one, other = old.responses.get(status), new.responses.get(status)
        if one is None or other is None:
            operation, contract = (old, before) if one else (new, after)
            place = parse(operation.responses[status].pointer)
            effect: Effect = "notable" if other else "breaking" if status.startswith("2") else "new"
            clauses = _speaking(contract, operation, [place])
            yield Difference(effect, "reply", status, _COMES[other is None], clauses=clauses, pointer=str(place))
        else:
            yield from reply_differences(before, after, old, new, status, status)


def reply_differences(
    before: Contract, after: Contract, old: Operation, new: Operation, status: str, new_status: str
) -> Iterator[Difference]:
    """Yield how two documented replies of an operation differ, field by field."""
    was, now = reply_fields(old, status), reply_fields(new, new_status)
    for way in _ways(was, now):
        yield from _reply_field(before, after, old, new, f"{status} {way}", was.get(way), now.get(way))


def _reply_field(
    before: Contract, after: Contract, old: Operation, new: Operation, way: str, one: Field | None, other: Field | None
) -> Iterator[Difference]:
    clauses, pointer = _of(before, after, old, new, one, other), _pointer(one, other)
    if one is None or other is None:
        effect: Effect = "breaking" if one else "new"
        yield Difference(effect, "reply", way, _COMES[other is None], clauses=clauses, pointer=pointer)
        return
    for change, is_less, left, right in _changes(one, other):
        if change != "default":
            yield Difference(_REPLY[is_less], "reply", way, change, left, right, (), clauses, pointer)


def _ways(was: Mapping[str, Field], now: Mapping[str, Field]) -> Iterator[str]:
    """Yield the fields to compare; of what is on one side only, the outermost."""
    for way in dict.fromkeys((*was, *now)):
        outer = way.rpartition("/")[0]
        if (way in was and way in now) or outer not in (was.keys() ^ now.keys()):
            yield way


def _changes(one: Field, other: Field) -> Iterator[tuple[str, bool | None, str, str]]:
    """Yield what differs in a field: its name, whether the field accepts less now, the old and the new value."""
    if one.required != other.required:
        words = {True: "required", False: "optional"}
        yield "required", other.required, words[one.required], words[other.required]
    if one.types != other.types:
        yield "type", _less(one.types, other.types), _types(one), _types(other)
    was, now = ({_text(value) for value in field.values} for field in (one, other))
    if was != now:
        yield "values", _less(was, now), ", ".join(sorted(was)), ", ".join(sorted(now))
    for name in dict.fromkeys((*one.rules, *other.rules)):
        left, right = one.rules.get(name), other.rules.get(name)
        if left != right:
            yield name, _tighter(name, left, right), _text(left), _text(right)


def _less(was: frozenset[str] | set[str], now: frozenset[str] | set[str]) -> bool | None:
    """Return whether a set of accepted values became smaller, None for neither; an empty set accepts everything."""
    if not was or not now:
        return not was
    return True if now < was else False if was < now else None


def _tighter(name: str, left: JSON, right: JSON) -> bool | None:
    if name == "default":
        return None
    if left is None or right is None:
        return left is None
    if isinstance(left, (int, float)) and isinstance(right, (int, float)) and name in (*_UPPER, *_LOWER):
        return right < left if name in _UPPER else right > left
    return True


def _types(field: Field) -> str:
    return " or ".join(sorted(field.types, key=lambda name: (name == "null", name))) or "anything"


def _text(value: JSON) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _of(
    before: Contract, after: Contract, old: Operation, new: Operation, one: Field | None, other: Field | None
) -> tuple[str, ...]:
    """Return the clauses about a field of the later contract, or of the earlier one if it was removed."""
    if other is not None:
        return _speaking(after, new, other.places)
    return _speaking(before, old, one.places if one else ())


def _pointer(one: Field | None, other: Field | None) -> str:
    """Return the place of a field in the later contract, or in the earlier one if it was removed."""
    field = other or one
    return str(field.places[0]) if field and field.places else ""


def _speaking(contract: Contract, operation: Operation, places: Iterable[Place]) -> tuple[str, ...]:
    """Return the clauses about an operation at one of these places."""
    return tuple(
        clause.id for place in places for clause in contract.clauses_at(str(place)) if operation.id in clause.operations
    )


def clause_differences(before: Contract, after: Contract) -> Iterator[Difference]:
    """Yield which clauses were added, removed, reworded or graded differently."""
    was, now = ({clause.id: clause for clause in contract.clauses} for contract in (before, after))
    for name in dict.fromkeys((*was, *now)):
        old, new = was.get(name), now.get(name)
        if old is None or new is None:
            yield _one_sided(before, after, old, new)
            continue
        common = (new.operations, (name,), new.pointer)
        if old.sentence != new.sentence:
            yield Difference("notable", "clause", name, "reworded", old.sentence, new.sentence, *common)
        if old.grade != new.grade:
            effect: Effect = "breaking" if old.fails_a_run and not new.fails_a_run else "notable"
            yield Difference(effect, "clause", name, "regraded", old.grade, new.grade, *common)


def _one_sided(before: Contract, after: Contract, old: Clause | None, new: Clause | None) -> Difference:
    """Return the difference for a clause that was added or removed.

    A clause that was removed together with the bounds that it describes means that the server accepts more. An added
    clause on a part that existed before is a new promise about it.
    """
    clause = old or new
    assert clause is not None
    holder = parse(clause.pointer).parent.parent
    effect: Effect = "breaking" if clause.fails_a_run else "notable"
    if old and old.rules and not any(_has(after, holder.child(rule)) for rule in old.rules):
        effect = "new"
    elif new:
        effect = "notable" if _has(before, holder) else "new"
    said = f"{clause.sentence} ({clause.grade})"
    left, right = (said, "") if old else ("", said)
    common = (clause.operations, (clause.id,), clause.pointer)
    return Difference(effect, "clause", clause.id, _COMES[new is None], left, right, *common)


def _has(contract: Contract, place: Place) -> bool:
    try:
        contract.at(str(place))
    except LookupError:
        return False
    return True
