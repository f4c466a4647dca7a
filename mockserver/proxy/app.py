"""The proxy as an ASGI application: passes requests to the upstream, checks both directions, and records them.

A stream passes piece by piece: nothing waits for it to be whole. What must be known before a reply is sent (a refusal,
the header `X-Contract-Violations`) is computed while the upstream works.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from agent_contract import Found
from agent_contract.document.errors import ContractError
from agent_contract.messages import Exchange, Reply, Request, Violation
from mockserver.adapters.asgi import (
    END_CONNECTION,
    End,
    create_app,
    read_body,
    request_of,
    send_beginning,
    send_broken,
    send_reply,
)
from mockserver.adapters.disconnect import App, Receive, Scope, Send, answer_non_http, cancel_on_disconnect, refusal
from mockserver.control import PREFIX
from mockserver.core.scopes import SCOPE_HEADER
from mockserver.engine import Engine
from mockserver.faults.broken_reply import BrokenReply, Ending
from mockserver.gateway.gateway import EarlyReply
from mockserver.proxy.checks import EventGate, check_head, check_whole, header_value, is_stream, of_message
from mockserver.proxy.headers import ENFORCE_HEADER, VIOLATIONS_HEADER, Fields, to_client, to_upstream
from mockserver.proxy.passage import Enforce, Passage
from mockserver.proxy.received import Received
from mockserver.proxy.recorder import ExchangeRecorder
from mockserver.proxy.script import ProxyScript, script_for
from mockserver.proxy.upstream import Upstream, UpstreamError, UpstreamReply
from mockserver.recording.recording_check import described
from mockserver.recording.replay import Miss, Replay, answer_from, with_length
from mockserver.scenarios.script import NoAnswer
from mockserver.server.access_log import RequestLog

#: A reply of JSON that announces no more than this is passed on when it is whole, with its violations in a header.
_SMALL = 64 * 1024
#: A body larger than this is checked in a thread.
_LARGE = 64 * 1024
_MOST_HINTS = 5
#: The status in the journal if the client left before the upstream answered, as nginx writes it.
_CLIENT_LEFT = 499

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Proxy:
    """What serves requests: `engine` has the contract and keeps the journal.

    `replay` answers before the upstream is asked; what it does not answer is refused unless the proxy `passes` it on.
    At most `most_kept` bytes of a reply are kept in memory. If the client closes within a reply, the upstream may still
    finish it for `finish` seconds.
    """

    engine: Engine
    upstream: Upstream
    log: RequestLog
    enforce: Enforce = Enforce.NONE
    recorder: ExchangeRecorder | None = None
    replay: Replay | None = None
    passes: bool = True
    most_kept: int = 8 * 1024 * 1024
    finish: float = 2.0


def create_proxy(proxy: Proxy) -> App:
    """Return the application."""
    control = create_app(proxy.engine)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await answer_non_http(scope["type"], receive, send)
        if scope["path"].startswith(PREFIX):
            return await control(scope, receive, send)
        body = await read_body(receive, proxy.engine.limits.body)
        if body is None:
            return None
        request = request_of(scope, body)
        if len(body) > proxy.engine.limits.body:
            why = f"The body has more than the {proxy.engine.limits.body} bytes that this proxy passes on."
            return await send_reply(refusal(413, why), send)
        passage = _passage(proxy, scope, request)
        if isinstance(passage, Reply):
            return await send_reply(passage, send)
        if proxy.replay is not None:
            recorded = await _replay(proxy, proxy.replay, passage)
            if isinstance(recorded, BrokenReply):
                return await send_broken(recorded, scope, receive, send)
            if recorded is not None:
                return await cancel_on_disconnect(send_reply(recorded, send), receive)
        end: End | None = scope.get("state", {}).get(END_CONNECTION)
        return await _serve(proxy, passage, receive, send, end)

    return app


def _passage(proxy: Proxy, scope: Scope, request: Request) -> Passage | Reply:
    """Return what begins now, or the reply to a header that is invalid."""
    wanted = request.headers.get(ENFORCE_HEADER, "").strip().lower()
    known = [one.value for one in Enforce]
    if wanted and wanted not in known:
        return refusal(400, f"X-Contract-Enforce must be one of {', '.join(known)}.")
    query: bytes = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    enforce = Enforce(wanted) if wanted else proxy.enforce
    passage = Passage(request, list(scope["headers"]), target, time.monotonic(), enforce)
    passage.number = proxy.recorder.number() if proxy.recorder else 0
    return passage


async def _replay(proxy: Proxy, replay: Replay, passage: Passage) -> Reply | None:
    """Return the reply of a recording, or the refusal of a request that is not passed on; None for one that is."""
    await _check_request(proxy, passage)
    request, operation = passage.request, passage.operation.id if passage.operation else ""
    uses = proxy.engine.replay_uses(passage.scope)
    try:
        script = script_for(proxy.engine, request, passage.scope, passage.parameters)
    except ContractError as error:
        return refusal(400, str(error))
    active, body = (script.active, script.sent.body) if script else (None, None)
    exchange = answer_from(replay, request, operation, uses, active, body, _with_length)
    if isinstance(exchange, Miss):
        if proxy.passes:
            return None
        exchange = Exchange(request, refusal(404, exchange.why), operation)
    _write_journal(proxy, passage, exchange)
    return exchange.reply


async def _serve(proxy: Proxy, passage: Passage, receive: Receive, send: Send, end: End | None) -> None:
    """Pass the request on until the client has the reply, or has gone and the upstream is done."""
    passing = asyncio.create_task(_pass(proxy, passage, send))
    leaving = asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait((passing, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not passing.done() and passage.received is not None:
            await asyncio.wait((passing,), timeout=proxy.finish)
        is_cut = not passing.done()
    finally:
        for task in (passing, leaving):
            task.cancel()
        result, _ = await asyncio.gather(passing, leaving, return_exceptions=True)
    if isinstance(result, UpstreamError):
        await _broken_off(proxy, passage, result, send, end)
    elif isinstance(result, Exception):
        raise result
    elif passage.ending is not None:
        _end_connection(end, passage.ending)
    elif is_cut and not (passage.received and passage.received.is_done):
        passage.notes.append("the client closed the connection before the reply was complete")
    exchange = await _journal(proxy, passage)
    await _record(proxy, passage, exchange)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pass(proxy: Proxy, passage: Passage, send: Send) -> None:
    """Send the request to the upstream and its reply to the client."""
    request = passage.request
    if passage.enforce.requests:
        await _check_request(proxy, passage)
        if passage.refused is not None:
            passage.notes.append("the proxy refused the request")
            return await _answer(proxy, passage, passage.refused.reply, send)
    body = request.body
    if proxy.engine.may_have_script(request):
        await _check_request(proxy, passage)
        try:
            exchange = _prepare_script(proxy, passage)
        except (ContractError, NoAnswer) as error:
            status = 400 if isinstance(error, ContractError) else 404
            return await _answer(proxy, passage, refusal(status, str(error)), send)
        if exchange is not None:
            return await _answer_faulty(proxy, passage, exchange, send)
        if passage.script is not None:
            body = passage.script.body()
            if body is not request.body:
                passage.notes.append("a fault changed the request")
    headers = to_upstream(passage.fields, proxy.upstream.host, body, request.method)
    sending = asyncio.create_task(proxy.upstream.send(request.method, passage.target, headers, body))
    try:
        await asyncio.sleep(0)  # the request is on its way while it is checked
        if not passage.enforce.requests:
            await _check_request(proxy, passage)
        reply = await sending
    finally:
        sending.cancel()
    try:
        await _pass_reply(proxy, passage, reply, send)
    finally:
        await reply.close()


async def _pass_reply(proxy: Proxy, passage: Passage, upstream: UpstreamReply, send: Send) -> None:
    fields = to_client(upstream.headers, upstream.status)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in fields}
    head = passage.reply = Reply(upstream.status, headers, b"")
    received = passage.received = Received(upstream.headers, proxy.most_kept, time.monotonic, passage.begun)
    if passage.script is not None and passage.script.may_change_reply:
        return await _pass_scripted(proxy, passage, passage.script, head, fields, upstream, received, send)
    if is_stream(head):
        return await _pass_stream(proxy, passage, head, fields, upstream, received, send)
    pieces = upstream.pieces
    if passage.enforce.replies or _is_small(head):
        whole = [piece async for piece in _kept(pieces, received, proxy.most_kept if passage.enforce.replies else None)]
        broken = await _in_thread(received.size, partial(check_whole, passage.operation, _plain(head, received)))
        passage.is_checked = True
        if passage.enforce.replies and (broken or received.problem):
            return await _refuse_reply(proxy, passage, broken, received, send)
        await _start(passage, fields, broken, send)
        passage.broken += of_message("reply", broken)
        return await _end(proxy, passage, b"".join(whole), send)
    await _start(passage, fields, check_head(passage.operation, head), send)
    async for piece in pieces:
        received.add(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    return await _end(proxy, passage, b"", send)


def _prepare_script(proxy: Proxy, passage: Passage) -> Exchange | None:
    """Find the rules and faults for a request; return the exchange with the reply that they send at once, if any.

    Raises `ContractError` for an invalid header, and `NoAnswer`.
    """
    passage.script = script_for(proxy.engine, passage.request, passage.scope, passage.parameters)
    return passage.script.instead(is_valid=passage.refused is None) if passage.script else None


async def _pass_scripted(
    proxy: Proxy,
    passage: Passage,
    script: ProxyScript,
    head: Reply,
    fields: Fields,
    upstream: UpstreamReply,
    received: Received,
    send: Send,
) -> None:
    """Pass on a reply that rules or faults may change: when it is whole."""
    pieces = [piece async for piece in _kept(upstream.pieces, received, proxy.most_kept)]
    if received.problem:
        raise UpstreamError(502, f"The proxy can't change the reply as rules and faults demand: {received.problem}.")
    plain = _plain(head, received)
    broken = await _in_thread(received.size, partial(check_whole, passage.operation, plain))
    passage.is_checked = True
    if passage.enforce.replies and broken:
        return await _refuse_reply(proxy, passage, broken, received, send)
    passage.broken += of_message("reply", broken)
    exchange = script.on_the_wire(replace(plain, body=received.pieces or b""))
    if exchange.faults or exchange.rule:
        return await _answer_faulty(proxy, passage, exchange, send)
    known = {name for name, _ in fields}
    more = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in exchange.reply.headers.items()]
    await _start(passage, [*fields, *((name, text) for name, text in more if name not in known)], (), send)
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    return await _end(proxy, passage, b"", send)


async def _answer_faulty(proxy: Proxy, passage: Passage, exchange: Exchange, send: Send) -> None:
    """Send a reply that rules or faults made or changed."""
    reply = exchange.reply
    if passage.broken:
        reply = replace(reply, headers={**reply.headers, VIOLATIONS_HEADER: header_value(passage.broken)})
    passage.reply, passage.faults, passage.rule = reply, exchange.faults, exchange.rule
    passage.received, passage.is_started = None, True
    await _journal(proxy, passage)
    if isinstance(reply, BrokenReply):
        await send_beginning(reply, send)
        passage.ending = reply.ending
    else:
        await send_reply(reply, send)


async def _pass_stream(
    proxy: Proxy,
    passage: Passage,
    head: Reply,
    fields: Fields,
    upstream: UpstreamReply,
    received: Received,
    send: Send,
) -> None:
    """Pass on a stream as it arrives; end it before the first event that breaks the contract, if that is enforced."""
    broken = check_head(passage.operation, head)
    gate = EventGate(passage.operation, head) if passage.enforce.replies and passage.operation else None
    if gate:  # what passes is decoded: an event must be readable before it passes
        fields = [(name, value) for name, value in fields if name not in (b"content-encoding", b"content-length")]
    await _start(passage, fields, broken, send)
    async for piece in upstream.pieces:
        plain = received.add(piece)
        if gate is None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            continue
        passed, wrong = gate.add(plain)
        if passed:
            await send({"type": "http.response.body", "body": passed, "more_body": True})
        if wrong or gate.size > proxy.most_kept or not received.is_readable:
            why = "breaks the contract" if wrong else "can't be read"
            raise UpstreamError(502, f"The proxy ended the stream before an event that {why}.")
    await _end(proxy, passage, gate.rest() if gate else b"", send)


async def _kept(pieces: AsyncIterator[bytes], received: Received, most: int | None) -> AsyncIterator[bytes]:
    """Yield pieces after they were added to what was received; stop at the limit."""
    async for piece in pieces:
        received.add(piece)
        if most is not None and received.size > most:
            return
        yield piece


async def _refuse_reply(
    proxy: Proxy, passage: Passage, broken: tuple[Violation, ...], received: Received, send: Send
) -> None:
    """Answer 502 instead of a reply that breaks the contract or can't be checked."""
    passage.notes.append("the proxy refused the reply")
    lines = list(described(proxy.engine.contract, passage.operation, broken)) or [received.problem]
    why = f"The reply of the upstream breaks the contract: {'; '.join(lines[:_MOST_HINTS])}"
    passage.broken += of_message("reply", broken)
    await _answer(proxy, passage, refusal(502, why), send)


async def _check_request(proxy: Proxy, passage: Passage) -> None:
    """Find the operation, and what the request breaks, once."""
    if passage.is_request_checked:
        return
    passage.is_request_checked = True
    headers = {name: text for name, text in passage.request.headers.items() if name != SCOPE_HEADER}
    request = replace(passage.request, headers=headers)
    admission = await _in_thread(len(request.body), partial(proxy.engine.api.admit, request))
    found = proxy.engine.contract.find(request.method, request.path)
    if isinstance(found, Found):
        passage.operation, passage.parameters = found.operation, found.parameters
    if isinstance(admission, EarlyReply) and admission.scope is not None and admission.exchange.violations:
        passage.refused = admission.exchange
        passage.broken += of_message("request", admission.exchange.violations)
        passage.clauses = admission.exchange.clauses


async def _start(passage: Passage, fields: Fields, broken: tuple[Violation, ...], send: Send) -> None:
    """Send the head of the reply, with the violations that are known by now."""
    known = (*passage.broken, *of_message("reply", broken))
    more = [(VIOLATIONS_HEADER.encode(), header_value(known).encode())] if known else []
    assert passage.reply is not None
    await send({"type": "http.response.start", "status": passage.reply.status, "headers": [*fields, *more]})
    passage.is_started = True


async def _answer(proxy: Proxy, passage: Passage, reply: Reply, send: Send) -> None:
    """Answer instead of the upstream."""
    shown = {VIOLATIONS_HEADER: header_value(passage.broken)} if passage.broken else {}
    passage.reply = replace(reply, headers={**reply.headers, "content-length": str(len(reply.content())), **shown})
    passage.received, passage.is_started = None, True
    await _journal(proxy, passage)
    await send_reply(passage.reply, send)


async def _broken_off(proxy: Proxy, passage: Passage, error: UpstreamError, send: Send, end: End | None) -> None:
    """Answer that the upstream did not, or end the connection if a part of its reply has been sent."""
    passage.notes.append(str(error))
    if not passage.is_started:
        return await _answer(proxy, passage, refusal(error.status, str(error)), send)
    return _end_connection(end, Ending.CLOSE)


def _end_connection(end: End | None, ending: Ending) -> None:
    if end is None:
        raise ConnectionAbortedError(f"The connection is {ending.value}.")  # servers drop the connection
    end(ending)


async def _end(proxy: Proxy, passage: Passage, body: bytes, send: Send) -> None:
    """Send the end of the reply, after the journal has the exchange: a client may ask for it at once."""
    await _journal(proxy, passage)
    await send({"type": "http.response.body", "body": body})


async def _journal(proxy: Proxy, passage: Passage) -> Exchange:
    """Check what has arrived of the reply and write the exchange to the journal and the log, once."""
    if passage.exchange is not None:
        return passage.exchange
    reply, received = passage.reply or Reply(_CLIENT_LEFT, {}, b""), passage.received
    if received is not None:
        reply = _plain(reply, received)
        if not passage.is_checked:
            check = check_head if received.problem and not is_stream(reply) else check_whole
            broken = await _in_thread(received.size, partial(check, passage.operation, reply))
            passage.broken += of_message("reply", broken)
        if received.problem:
            passage.notes.append(f"not all of the reply was checked: {received.problem}")
    exchange = passage.exchange = _exchange(proxy, passage, reply)
    _write_journal(proxy, passage, exchange)
    return exchange


def _write_journal(proxy: Proxy, passage: Passage, exchange: Exchange) -> None:
    proxy.engine.record_in(exchange, passage.scope, passage.parameters)
    proxy.log.add(exchange, time.monotonic() - passage.begun, proxy.engine.redaction)


async def _record(proxy: Proxy, passage: Passage, exchange: Exchange) -> None:
    """Record the exchange if the whole reply is known."""
    received = passage.received
    if proxy.recorder is None or received is None:
        return
    if passage.notes:
        proxy.recorder.skip(exchange, passage.notes[0])
        return
    pieces = received.pieces
    waits = received.delay + sum(piece.delay for piece in pieces[:1])
    reply = replace(exchange.reply, delay=waits if len(pieces) == 1 else received.delay)
    reply = replace(reply, body=pieces) if len(pieces) > 1 else reply
    recorded = proxy.recorder.record(passage.number, replace(exchange, reply=reply))
    # A server that stops cancels this task, but what the reply left behind is still written.
    await asyncio.shield(asyncio.wrap_future(recorded))


def _exchange(proxy: Proxy, passage: Passage, reply: Reply) -> Exchange:
    """Return the exchange as the journal shows it."""
    operation = passage.operation
    # A request that is refused for what is wrong with it needs no hint.
    hinted = [one for one in passage.broken if reply.status < 400 or one.where[0] == "reply"]
    lines = list(described(proxy.engine.contract, operation, hinted))
    more = [f"and {len(lines) - _MOST_HINTS} more"] if len(lines) > _MOST_HINTS else []
    return Exchange(
        passage.request,
        reply,
        operation.id if operation else "",
        passage.clauses,
        passage.broken,
        (*passage.notes, *lines[:_MOST_HINTS], *more),
        passage.rule,
        passage.faults,
    )


def _with_length(exchange: Exchange) -> Exchange:
    return replace(exchange, reply=with_length(exchange.reply))


def _plain(head: Reply, received: Received) -> Reply:
    """Return the reply without its content-encoding."""
    headers = {name: text for name, text in head.headers.items() if name != "content-encoding"}
    return replace(head, headers=headers, body=received.content)


def _is_small(head: Reply) -> bool:
    length = head.headers.get("content-length", "")
    return length.isascii() and length.isdigit() and int(length) <= _SMALL


async def _in_thread(size: int, work: partial[T]) -> T:
    """Return the result of `work`, computed in a thread if `size` bytes are many."""
    return await asyncio.to_thread(work) if size > _LARGE else work()
