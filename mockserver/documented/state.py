"""Operations on the resources that a document's paths imply: what a client creates can be read, changed and deleted.

Only what the client has set is stored. An answer is the documented one, with what is stored in it. An item that was
never created is answered from the document, also after it was changed and deleted. One that was created and deleted
gets 404.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote

import orjson

from agent_contract import Contract
from agent_contract.messages import JSON, Reply
from agent_contract.model.operations import MediaType
from mockserver.core import keys
from mockserver.core.context import Behaviour, Context
from mockserver.core.outcome import Outcome, Rejection, Write
from mockserver.documented.answers import DocumentedAnswer, DocumentedAnswers
from mockserver.documented.collections import Action, Role, roles_of
from mockserver.documented.objects import holder_path, id_name, id_names, items_path, merge_patch, new_id, overlaid
from mockserver.documented.paging import page_fields, page_of
from mockserver.documented.preferences import NONE, Preferences, read_preferences

#: How many items of a collection a list looks at.
_MOST_ITEMS = 10_000
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class _Stored:
    """An item: its number in the collection, its fields, and whether the client has created it."""

    number: int
    fields: dict[str, JSON]
    created: bool

    def encoded(self) -> bytes:
        return orjson.dumps([self.number, self.fields, self.created])


_DELETED = b"null"


def state_behaviours(contract: Contract, answers: DocumentedAnswers) -> Mapping[str, Behaviour]:
    """Return the behaviours of the operations on resources, by operationId."""
    return {name: partial(_behave, answers, role) for name, role in roles_of(contract).items()}


def _behave(answers: DocumentedAnswers, role: Role, context: Context) -> Outcome:
    if read_preferences(context.call.request) != NONE:
        return answers.behaviour(context)  # the client chooses an answer
    return _ACTIONS[role.action](_Access(answers, role, context))


@dataclass(frozen=True, slots=True)
class _Access:
    """One operation on a resource."""

    answers: DocumentedAnswers
    role: Role
    context: Context

    @property
    def path(self) -> str:
        """The path of the collection, with the values of its parameters."""
        path = self.role.collection
        for name, value in self.context.call.parameters.items():
            path = path.replace("{" + name + "}", quote(_text(value), safe=""))
        return path

    @property
    def id(self) -> str:
        """The id in the path; of a resource without a collection a constant."""
        if self.role.alone:
            return "-"
        return _text(self.context.call.parameters.get(self.role.id_parameter, ""))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the property with the id may have."""
        return id_names(self.role.id_parameter, self.role.collection)

    @property
    def body(self) -> dict[str, JSON]:
        """The object in the body, without what it is wrapped in; empty for another body."""
        body: Any = self.context.call.body
        if not isinstance(body, dict):
            return {}
        if len(body) == 1:
            ((key, inner),) = body.items()
            if isinstance(inner, dict) and holder_path(self.documented().value, self.names) == (key,):
                return inner
        return body

    def documented(self, id: str = "") -> DocumentedAnswer:
        """Return the documented answer; that of different ids differs if it is sampled."""
        call = self.context.call
        wishes = replace(NONE, seed=self.answers.seed + zlib.crc32(id.encode())) if id else NONE
        streams = isinstance(call.body, dict) and call.body.get("stream") is True
        return self.answers.answer(call.operation, wishes, call.request.headers.get("accept"), streams=streams)

    def read(self, id: str) -> _Stored | None:
        """Return an item, None if it was not created; raises Rejection if it was deleted."""
        raw = self.context.transaction.get(keys.resource(self.path, id))
        if raw is None:
            return None
        if raw == _DELETED:
            raise Rejection(404, "", f"{self.path}/{id} was deleted.", ("path", self.role.id_parameter), None, id)
        return _Stored(*orjson.loads(raw))

    def all(self) -> list[tuple[str, _Stored]]:
        """Return the items of the collection with their ids, in the order of their creation."""
        prefix, after = keys.resources(self.path), ""
        found: list[tuple[str, _Stored]] = []
        for _ in range(_MOST_ITEMS // _AT_ONCE):
            page = self.context.transaction.items(prefix, after, _AT_ONCE)
            found += [(key[len(prefix) :], _Stored(*orjson.loads(raw))) for key, raw in page if raw != _DELETED]
            if len(page) < _AT_ONCE:
                break
            after = page[-1][0]
        return sorted(found, key=lambda item: item[1].number)

    def number(self) -> tuple[int, Write]:
        """Return the number of a new item, and the write that counts it."""
        key = keys.resource_count(self.path)
        number = int(self.context.transaction.get(key) or b"0") + 1
        return number, Write(key, str(number).encode())

    def answered(self, answer: DocumentedAnswer, fields: Mapping[str, JSON]) -> tuple[Reply, dict[str, JSON]]:
        """Return the documented reply with these fields in its object, and all fields of the object with them."""
        if answer.media is None or not isinstance(answer.value, dict):
            return answer.reply, dict(fields)
        path = holder_path(answer.value, self.names) or ()
        value = overlaid(answer.value, fields, answer.media, path)
        return _with_body(answer.reply, value), {**fields, **_held(value, path)}

    def identified(self, answer: DocumentedAnswer, fields: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the fields of an item with its id, in the type that the documented one has."""
        path = holder_path(answer.value, self.names)
        if path is None or not self.role.id_parameter:
            return dict(fields)
        holder = _held(answer.value, path)
        name = id_name(holder, self.names)
        is_number = isinstance(holder[name], int) and self.id.lstrip("-").isdigit()
        return {name: int(self.id) if is_number else self.id, **fields}

    def store(self, id: str, fields: dict[str, JSON], *, created: bool) -> tuple[Write, ...]:
        """Return the writes that store an item, and count it if it is new; the first one is checked for conflicts.

        `created` is whether this creates an item that does not exist.
        """
        key = keys.resource(self.path, id)
        raw = self.context.transaction.get(key)
        if raw is not None and raw != _DELETED:
            before = _Stored(*orjson.loads(raw))
            return (Write(key, _Stored(before.number, fields, before.created or created).encoded()),)
        number, counted = self.number()
        return counted, Write(key, _Stored(number, fields, created).encoded())


def _list(access: _Access) -> Outcome:
    answer = access.documented()
    hints = (answer.warning,) if answer.warning else ()
    path = items_path(answer.value, access.role.collection)
    is_changed = access.context.transaction.get(keys.resource_count(access.path)) is not None
    if not is_changed or answer.media is None or path is None:
        return Outcome(answer.reply, hints=hints)
    listing = _Listing(answer.value, answer.media, path, _template(access, answer, path))
    stored = {id: {**listing.template, **one.fields} for id, one in access.all()}
    page = page_of(stored, access.context.call.parameters)
    value = listing.value([item for _, item in page.items])
    if not listing.accepts(value):
        value = listing.value([listing.accepted(item) for _, item in page.items])
    if isinstance(value, dict):
        value = overlaid(value, page_fields(value, page), answer.media)
    if not listing.accepts(value):
        return Outcome(answer.reply, hints=(*hints, "The documented list has no place for what was created."))
    return Outcome(_with_body(answer.reply, value), hints=hints)


@dataclass(frozen=True, slots=True)
class _Listing:
    """A documented list: its value, its media type, the keys that lead to its items, and one of the items."""

    documented: JSON
    media: MediaType
    path: tuple[str, ...]
    template: dict[str, JSON]

    def value(self, items: list[dict[str, JSON]]) -> JSON:
        """Return the list with these items."""
        listed: list[JSON] = [*items]
        return {**self.documented, self.path[0]: listed} if isinstance(self.documented, dict) else listed

    def accepts(self, value: JSON) -> bool:
        """Return whether the schema accepts a list."""
        return self.media.validator is None or self.media.validator.is_valid(value)

    def accepted(self, item: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the documented item with those fields of another that the schema accepts."""
        found = dict(self.template)
        for name, one in item.items():
            if self.accepts(self.value([{**found, name: one}])):
                found[name] = one
        return found


def _template(access: _Access, answer: DocumentedAnswer, path: tuple[str, ...]) -> dict[str, JSON]:
    """Return a documented item of a list; a sampled one if the documented list is empty."""
    items = _held(answer.value, path)
    if not items:
        wishes = Preferences(dynamic=True, seed=access.answers.seed, array_size=1)
        items = _held(access.answers.answer(access.context.call.operation, wishes).value, path)
    first = items[0] if isinstance(items, list) and items else None
    return dict(first) if isinstance(first, dict) else {}


def _create(access: _Access) -> Outcome:
    answer, body = access.documented(), access.body
    hints = (answer.warning,) if answer.warning else ()
    if not isinstance(answer.reply.body, bytes) or answer.reply.status >= 300:
        return Outcome(answer.reply, hints=hints)
    number, _ = access.number()
    path = holder_path(answer.value, access.names)
    holder = _held(answer.value, path) if path is not None else {}
    name = id_name(holder, access.names) or id_name(body, access.names) or "id"
    given = body.get(name)
    identity = given if isinstance(given, (str, int)) else new_id(holder.get(name), number, access.context.fresh.id)
    reply, fields = access.answered(answer, {**body, name: identity})
    id = _text(fields.get(name, identity))
    if "location" in reply.headers:
        reply = _located(access, reply, f"{access.path}/{quote(id, safe='')}")
    # A member that the client names by the id of something else, as in `user_id`, is not the mock's own.
    is_own = name == "id" or identity is not given
    return Outcome(reply, access.store(id, fields, created=is_own), hints=hints)


def _located(access: _Access, reply: Reply, path: str) -> Reply:
    """Return a reply with the location of what was created; a full URL if the document wants one."""
    operation = access.context.call.operation
    response = operation.response(reply.status)
    for header in response.headers if response else ():
        if header.name == "location" and header.validator and not header.validator.is_valid(path):
            path = f"http://{access.context.call.request.headers.get('host', 'localhost')}{path}"
    return _with_header(reply, "location", path)


def _read(access: _Access) -> Outcome:
    stored, answer = access.read(access.id), access.documented(access.id)
    reply, _ = access.answered(answer, access.identified(answer, stored.fields if stored else {}))
    return Outcome(reply, hints=(answer.warning,) if answer.warning else ())


def _replace(access: _Access) -> Outcome:
    return _changed(access, {}, _target(access), created=access.role.put_creates)


def _change(access: _Access) -> Outcome:
    id = _target(access)
    stored = access.read(id)
    return _changed(access, stored.fields if stored else {}, id)


def _target(access: _Access) -> str:
    """Return the id of the item to change: that of the path, else that of the body."""
    if access.role.id_parameter or access.role.alone:
        return access.id
    return _text(access.body.get(id_name(access.body, access.names), ""))


def _changed(access: _Access, before: dict[str, JSON], id: str, *, created: bool = False) -> Outcome:
    answer = access.documented(id)
    hints = (answer.warning,) if answer.warning else ()
    if not isinstance(answer.reply.body, bytes) or answer.reply.status >= 300:
        return Outcome(answer.reply, hints=hints)
    changed: Any = merge_patch(before, access.body)
    reply, fields = access.answered(answer, access.identified(answer, changed))
    return Outcome(reply, access.store(id, fields, created=created), hints=hints)


def _delete(access: _Access) -> Outcome:
    stored, answer = access.read(access.id), access.documented(access.id)
    reply, _ = access.answered(answer, access.identified(answer, stored.fields if stored else {}))
    hints = (answer.warning,) if answer.warning else ()
    if stored is None:
        return Outcome(reply, hints=hints)
    deletion = Write(keys.resource(access.path, access.id), _DELETED if stored.created else None)
    below = keys.below_resource(access.path, access.id)
    return Outcome(reply, (deletion,), (below,), hints=hints)


def _held(value: Any, path: tuple[str, ...]) -> Any:
    """Return what the keys of a path lead to."""
    for key in path:
        value = value[key]
    return value


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _with_body(reply: Reply, value: JSON) -> Reply:
    return Reply(reply.status, reply.headers, orjson.dumps(value))


def _with_header(reply: Reply, name: str, value: str) -> Reply:
    return Reply(reply.status, {**reply.headers, name: value}, reply.body)


_ACTIONS = {
    Action.LIST: _list,
    Action.CREATE: _create,
    Action.READ: _read,
    Action.REPLACE: _replace,
    Action.CHANGE: _change,
    Action.DELETE: _delete,
}
