"""Callbacks and webhooks of a document: what is to be sent, and where. Nothing here sends.

Source: OpenAPI 3.1.1, sections 4.8.18 (callback object) and 4.8.1 (webhooks).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import orjson

from agent_contract import Contract, Found, Operation, SampleError
from agent_contract.document.json_pointer import Place, parse
from agent_contract.document.object_types import METHODS
from agent_contract.messages import JSON, Exchange
from agent_contract.model.runtime_expressions import CompletedExchange, as_text, evaluate
from agent_contract.sampling.document_value import sample
from agent_contract.validation.check import is_json
from mockserver.core.outcome import Rejection


@dataclass(frozen=True, slots=True)
class Callback:
    """A request that a document describes: a callback of an operation, or a webhook, without an operation and a URL."""

    name: str
    method: str
    place: Place
    operation: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A callback that is ready to be sent, `delay` seconds from now."""

    name: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    delay: float = 0.0


@lru_cache(8)
def callbacks_of(contract: Contract) -> tuple[Callback, ...]:
    """Return the callbacks of all operations, then the webhooks."""
    found = [one for operation in contract.operations.values() for one in _of_operation(contract, operation)]
    return (*found, *_webhooks(contract))


def _of_operation(contract: Contract, operation: Operation) -> Iterator[Callback]:
    place = parse(operation.pointer).child("callbacks")
    for name, holder in _entries(contract, place):
        for url, item in _entries(contract, holder):
            for method, where in _methods(contract, item):
                yield Callback(name, method, where, operation.id, url)


def _webhooks(contract: Contract) -> Iterator[Callback]:
    for top in ("webhooks", "x-webhooks"):
        for name, item in _entries(contract, Place("", (top,))):
            for method, where in _methods(contract, item):
                yield Callback(name, method, where)


def _entries(contract: Contract, place: Place) -> Iterator[tuple[str, Place]]:
    """Yield the names at a place with their places, references followed."""
    document = contract.schemas.document
    try:
        value = document.at(place)
    except LookupError:
        return
    for name in value if isinstance(value, dict) else ():
        if not name.startswith("x-"):
            yield name, document.follow(place.child(name))


def _methods(contract: Contract, item: Place) -> Iterator[tuple[str, Place]]:
    value = contract.schemas.document.at(item)
    for method in METHODS if isinstance(value, dict) else ():
        if method in value:  # type: ignore[operator]  # it is a dict
            yield method.upper(), item.child(method)


def triggered(contract: Contract, exchange: Exchange) -> Iterator[tuple[Callback, str]]:
    """Yield the callbacks of the operation of a successful exchange, each with its URL.

    A callback whose URL can't be evaluated, because the request does not name it, is left out.
    """
    if exchange.reply.status >= 300 or not exchange.operation:
        return
    mine = [one for one in callbacks_of(contract) if one.operation == exchange.operation]
    if not mine:
        return
    found = contract.find_for(exchange.request.method, exchange.request)
    path = found.parameters if isinstance(found, Found) else {}
    for one in mine:
        try:
            yield one, as_text(evaluate(one.url, CompletedExchange(exchange, path)))
        except (LookupError, ValueError, TypeError):
            continue


def prepare(
    contract: Contract, callback: Callback, url: str, hosts: Iterable[str], *, seed: int = 0, delay: float = 0.0
) -> Prepared:
    """Return a callback with its documented or sampled body; Rejection if it may not be sent to the URL."""
    check_url(url, hosts)
    try:
        media, value = _content(contract, callback.place, seed)
    except SampleError as error:
        why = f"{callback.name} has no example, and no value of its schema was found: {error}."
        raise Rejection(400, "", why) from None
    headers = {"content-type": media} if media else {}
    is_text = isinstance(value, str) and not is_json(media)
    body = str(value).encode() if is_text else orjson.dumps(value) if media else b""
    return Prepared(callback.name, callback.method, url, headers, body, delay)


def check_url(url: str, hosts: Iterable[str]) -> None:
    """Raise Rejection unless a URL leads to one of the allowed hosts, which may have a port."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        why = f"{url[:200]!r} is not a URL such as http://127.0.0.1:9000/hook."
        raise Rejection(400, "", why, ("body", "url"), None, url[:200])
    if not {host, f"{host}:{port}"} & {one.lower() for one in hosts}:
        why = f"Nothing is sent to {host}: it is not allowed. Start the mock with --callback-host {host}."
        raise Rejection(400, "", why, ("body", "url"), None, url[:200])


def _content(contract: Contract, place: Place, seed: int) -> tuple[str, JSON]:
    """Return the media type and the value of a callback's body; no media type without one."""
    for name, media in _entries(contract, _followed(contract, place.child("requestBody")).child("content")):
        described: Any = contract.schemas.document.at(media)
        if not isinstance(described, dict):
            continue
        if "example" in described:
            return name, described["example"]
        for _, example in _entries(contract, media.child("examples")):
            value: Any = contract.schemas.document.at(example)
            if isinstance(value, dict) and "value" in value:
                return name, value["value"]
        return name, sample(contract, str(media.child("schema")), seed) if "schema" in described else {}
    return "", None


def _followed(contract: Contract, place: Place) -> Place:
    try:
        return contract.schemas.document.follow(place)
    except LookupError:
        return place
