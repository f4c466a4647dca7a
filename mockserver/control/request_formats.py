"""One request of the journal in a format of fixtures, and as a test.

The formats are above the control interface, because fixtures are played on a whole mock. So they are loaded by name, as
their own table loads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import orjson

from agent_contract import Contract
from agent_contract.curl import TOKEN_VARIABLE
from agent_contract.messages import Event, Exchange, Reply, Request
from agent_contract.model.operations import Example, plain_body
from mockserver.control.requests import find_request
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection, json_outcome

#: Headers that describe a connection, a browser or a client library, not the request.
_LEFT_OUT = frozenset(
    {"host", "content-length", "user-agent", "accept", "accept-encoding", "accept-language", "connection", "origin"}
    | {"referer", "cookie", "cache-control", "pragma", "transfer-encoding", "dnt", "priority", "authorization"}
)
_LEFT_OUT_PREFIXES = ("x-stainless-", "sec-", "x-mock-scope")
_TEST = '''\
import urllib.error
import urllib.request

BODY = {body!r}


def test_request_{number}(agent_mock):
    """{summary}"""
    headers = {headers!r}
    request = urllib.request.Request(agent_mock.url + {path!r}, BODY, headers, method={method!r})
    try:
        with urllib.request.urlopen(request) as reply:
            status, text = reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read().decode()
    assert status == {status}, text
'''


def format_request(context: Context, contract: Contract) -> Outcome:
    """Return a request, with its reply if the format has replies, as the text of files."""
    number, entry = find_request(context)
    name = str(context.call.parameters["format"])
    if entry["request"].get("cut"):
        why = "The journal has only the beginning of this request's body, so it can't be written."
        raise Rejection(409, "", why, ("path", "number"), None, number)
    headers = entry["request"]["headers"]
    with_token = "authorization" in {header.lower() for header in headers}
    exchange = _exchange(entry, headers_kept(headers))
    if name == "test":
        return json_outcome({"files": [{"path": "test_request.py", "text": _test(number, entry, exchange)}]})
    found = import_module("mockserver.fixtures.formats.table").FORMATS.get(name)
    if found is None:
        raise Rejection(404, "", f"{name[:50]} is not a format of requests.", ("path", "format"), None, name[:50])
    if with_token and name in ("curl", "http", "postman"):
        exchange = _with_token(exchange)
    source = _source(context, contract, number, entry, exchange)
    files = [
        {"path": path, "text": content if isinstance(content, str) else content.decode("utf-8", "replace")}
        for path, content in found.files(source)
    ]
    if not files:
        why = f"The format {name} can't contain this request: {found.left_out or 'it has no reply of that kind'}."
        raise Rejection(409, "", why, ("path", "format"), None, name)
    return json_outcome({"files": files})


def headers_kept(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that another client must send to make the same request; a type of JSON without parameters."""
    kept = {
        name.lower(): text
        for name, text in headers.items()
        if name.lower() not in _LEFT_OUT and not name.lower().startswith(_LEFT_OUT_PREFIXES)
    }
    if kept.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        kept["content-type"] = "application/json"
    return kept


def _exchange(entry: Mapping[str, Any], headers: dict[str, str]) -> Exchange:
    sent, got = entry["request"], entry["reply"]
    query = tuple((str(name), str(text)) for name, text in sent["query"])
    request = Request(sent["method"], sent["path"], query, headers, _compact(sent.get("text", "")))
    events = got.get("events")
    body: bytes | tuple[Event, ...] = (
        got.get("text", "").encode()
        if events is None
        else tuple(Event(data.encode(), name, *delay) for name, data, *delay in events)
    )
    reply = Reply(got["status"], got["headers"], body)
    return Exchange(request, reply, entry["operation"] or "", tuple(entry["clauses"]))


def _compact(text: str) -> bytes:
    """Return a body as the SDKs send it: JSON without spaces."""
    try:
        return orjson.dumps(orjson.loads(text))
    except (ValueError, TypeError):
        return text.encode()


def _with_token(exchange: Exchange) -> Exchange:
    request = exchange.request
    headers = {**request.headers, "authorization": f"Bearer ${TOKEN_VARIABLE}"}
    request = Request(request.method, request.path, request.query, headers, request.body)
    return Exchange(request, exchange.reply, exchange.operation, exchange.clauses)


def _source(context: Context, contract: Contract, number: int, entry: Mapping[str, Any], exchange: Exchange) -> Any:
    """Return the source that a format is written from: one example that was played."""
    play = import_module("mockserver.fixtures.play")
    request, reply = exchange.request, exchange.reply
    operation = contract.operations.get(exchange.operation) or next(iter(contract.operations.values()))
    is_refused = bool(entry["violations"])
    example = Example(
        name=f"request-{number}",
        pointer="",
        summary=_summary(number, entry),
        sent=plain_body(request.body),
        status=reply.status,
        media_type=str(reply.headers.get("content-type", "")).partition(";")[0],
        method=request.method,
        path={},
        query=request.query,
        headers=request.headers,
        requires_token=False,
        after="",
        set={},
        shows=exchange.clauses,
        declared=False,
    )
    breaks = exchange.clauses if is_refused else ()
    played = play.PlayedExample(example.name, operation, example, (), (exchange,), ({},), breaks)
    return play.FixtureSource((played,), (), _url(context))


def _url(context: Context) -> str:
    """Return the URL of the mock as the caller reaches it, in the scope of the request."""
    headers, scope = context.call.request.headers, context.transaction.scope
    scheme = "https" if headers.get("x-forwarded-proto") == "https" else "http"
    return f"{scheme}://{headers.get('host', '127.0.0.1:8000')}" + (f"/__mock__/scope/{scope}" if scope else "")


def _summary(number: int, entry: Mapping[str, Any]) -> str:
    broken = f" ({', '.join(entry['clauses'])})" if entry["clauses"] else ""
    return f"Request {number} of the journal got {entry['reply']['status']}{broken}."


def _test(number: int, entry: Mapping[str, Any], exchange: Exchange) -> str:
    """Return a test with the fixture `agent_mock` that sends the request and expects the status."""
    http_parts = import_module("mockserver.fixtures.formats.http_parts")
    request = exchange.request
    text = _TEST.format(
        body=request.body or None,
        number=number,
        summary=_summary(number, entry).replace("\\", "\\\\").replace('"', '\\"'),
        headers=dict(request.headers),
        path=http_parts.target_of(request),
        method=request.method,
        status=exchange.reply.status,
    )
    if not entry["violations"]:
        return text
    clause = repr(entry["clauses"][0]) if entry["clauses"] else ""
    return text.replace("    headers =", f"    agent_mock.expect_rejection({clause})\n    headers =", 1)
