"""What a streamed answer looks like, judged on its bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from contract_tests.assertions import expect
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.payloads import plain
from contract_tests.suite.constants import COUNTS, FINISH_REASONS
from contract_tests.verdict import NotPassed, failed, not_supported, not_tested
from contract_tests.wire import sse, stream_rules
from contract_tests.wire.exchange import Exchange

EVENT_STREAM = "text/event-stream"
#: Number of events from which arrival in one piece is reported.
FEW = 3
#: Seconds that a stream in one piece must have taken, and how often it is asked for again, before that is reported.
SLOW = 0.2
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """A streamed answer, and how many choices were asked for."""

    exchange: Exchange
    events: sse.EventStream
    n: int = 1


def _stream(deployment: Deployment, n: int = 1, *, again: int = 0, **fields: object) -> StreamedAnswer:
    """Return a streamed answer; raises the verdict `not tested` without one."""
    several = {"n": n, "temperature": 0.7} if n > 1 else {}
    exchange = deployment.chat({**plain(stream=True), **several, **fields}, again=again)  # type: ignore[dict-item]
    events = exchange.events
    if exchange.status != expect.OK or not (events.events or events.ignored or exchange.media_type == EVENT_STREAM):
        raise not_tested(f"no stream to look at: {exchange.described()}")
    return StreamedAnswer(exchange, events, n)


def _streams(deployment: Deployment) -> list[StreamedAnswer]:
    """Return a stream of one choice and, if the server offers it, one of two."""
    found = [_stream(deployment)]
    if deployment.chat(plain(n=2, temperature=0.7)).status == expect.OK:
        found.append(_stream(deployment, n=2))
    return found


def _judge(deployment: Deployment, rule: str) -> None:
    """Want streams that keep the rule of the state machine."""
    for found in _streams(deployment):
        for fault in stream_rules.faults(found.events, found.n, found.exchange.failure):
            if fault.rule == rule:
                raise failed(fault.expected, fault.got, found.exchange)


@pytest.mark.clause("chat.stream-content-type")
def test_a_stream_has_the_content_type_of_events(deployment: Deployment) -> None:
    """Parameters of the content type are free."""
    exchange = deployment.chat(plain(stream=True))
    if exchange.status != expect.OK or exchange.media_type != EVENT_STREAM:
        got = f"{exchange.header('content-type') or 'none'}; {exchange.described()}"
        raise failed(f"200 OK with content type {EVENT_STREAM}", got, exchange)


@pytest.mark.clause("chat.stream-framing")
def test_each_event_is_a_chunk_or_the_end(deployment: Deployment) -> None:
    """Comments, names, ids, retry times, line ends and the borders of what arrives are free."""
    found = _stream(deployment)
    if not found.events.events:
        raise failed("events", f"none; {found.exchange.described()}", found.exchange)
    _judge(deployment, "framing")


@pytest.mark.clause("chat.stream-done")
def test_a_stream_ends_with_done(deployment: Deployment) -> None:
    """Once, and nothing after it, not even a usage that was asked for."""
    _judge(deployment, "done")
    if "stream_options" in deployment.newer_fields():
        return
    with_usage = deployment.chat(plain(stream=True, stream_options={"include_usage": True}))
    if with_usage.media_type == EVENT_STREAM:
        for fault in stream_rules.faults(with_usage.events, 1, with_usage.failure):
            if fault.rule == "done":
                raise failed(fault.expected, fault.got, with_usage)


@pytest.mark.clause("chat.stream-constant")
def test_all_chunks_have_one_id_time_and_model(deployment: Deployment) -> None:
    """A chunk without an id is innocent."""
    _judge(deployment, "constant")


@pytest.mark.clause("chat.stream-role")
def test_no_role_comes_after_content(deployment: Deployment) -> None:
    """It may come in the same chunk, or not at all."""
    _judge(deployment, "role")


@pytest.mark.clause("chat.stream-finish")
def test_each_choice_ends_once(deployment: Deployment) -> None:
    """With a finish_reason."""
    _judge(deployment, "finish")


@pytest.mark.clause("chat.stream-after-finish")
def test_nothing_is_said_after_the_finish(deployment: Deployment) -> None:
    """Neither in the finishing chunk's successors nor in the usage's chunk."""
    _judge(deployment, "after-finish")


@pytest.mark.clause("chat.stream-index")
def test_each_index_is_one_of_the_choices(deployment: Deployment) -> None:
    """And each choice occurs."""
    _judge(deployment, "index")


@pytest.mark.clause("chat.stream-chunk")
def test_each_chunk_conforms_to_its_schema(deployment: Deployment) -> None:
    """The document gives it as the content of an event's data."""
    for found in _streams(deployment):
        for chunk in _chunks(found):
            if faults := deployment.conformity.chunk_faults(chunk.value):
                got = f"event {chunk.place}: {'; '.join(faults)}"
                raise failed("a chunk as the document describes it", got, found.exchange)


@pytest.mark.clause("chat.stream-object")
def test_each_chunk_has_its_object_type(deployment: Deployment) -> None:
    """If it has the field."""
    for found in _streams(deployment):
        for chunk in _chunks(found):
            name = chunk.value.get("object", "chat.completion.chunk")
            if name != "chat.completion.chunk":
                raise failed("object chat.completion.chunk", f"event {chunk.place}: {json.dumps(name)}", found.exchange)


@pytest.mark.clause("chat.reply-finish-reason")
def test_a_stream_ends_for_a_known_reason(deployment: Deployment) -> None:
    """As a plain answer does."""
    for found in _streams(deployment):
        for chunk in _chunks(found):
            for _, _, reason in chunk.choices():
                if reason not in FINISH_REASONS:
                    raise failed("one of the known reasons, or null", json.dumps(reason), found.exchange)


@pytest.mark.clause("chat.stream-usage")
def test_the_usage_that_was_asked_for_comes_just_before_the_end(deployment: Deployment) -> None:
    """In one chunk that follows the last finish; earlier chunks may carry one too."""
    found = _with_usage(deployment)
    given = stream_rules.usages(found.events)
    chunks = _chunks(found)
    if not given:
        raise failed("a chunk with the usage, just before [DONE]", "no usage in any chunk", found.exchange)
    ends = [place for place, event in enumerate(found.events.events, 1) if event.data == stream_rules.DONE]
    if ends and given[-1][0].place > ends[0]:
        raise failed("the usage just before [DONE]", f"[DONE] as event {ends[0]}, the usage after it", found.exchange)
    if given[-1][0].place != chunks[-1].place:
        got = f"the last usage in event {given[-1][0].place}, the last chunk is event {chunks[-1].place}"
        raise failed("the usage in the last chunk, just before [DONE]", got, found.exchange)


@pytest.mark.clause("chat.stream-usage-sum")
def test_the_usage_in_a_stream_adds_up(deployment: Deployment) -> None:
    """The total is that of prompt and completion."""
    found = _with_usage(deployment)
    given = stream_rules.usages(found.events)
    if not given:
        raise not_tested("no usage in any chunk")
    counts = [given[-1][1].get(name) for name in COUNTS]
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise failed(f"{', '.join(COUNTS)}, integers from 0", json.dumps(given[-1][1]), found.exchange)
    prompt, completion, total = (int(str(count)) for count in counts)
    if prompt + completion != total:
        raise failed(f"total_tokens {prompt} + {completion}", str(total), found.exchange)


@pytest.mark.clause("chat.stream-usage-unasked")
def test_a_usage_that_was_not_asked_for_is_not_sent(deployment: Deployment) -> None:
    """A null in its place is innocent."""
    found = _stream(deployment)
    if given := stream_rules.usages(found.events):
        raise failed("no usage", f"a usage in event {given[0][0].place}", found.exchange)


@pytest.mark.clause("chat.stream-incremental")
def test_a_stream_arrives_piece_by_piece(deployment: Deployment) -> None:
    """A proxy may have gathered it, unless the whole stream is so short that its pieces meet on the way."""
    found = _stream(deployment)
    if len(found.events.events) <= FEW:
        raise not_tested("the stream has too few events")
    streams = [found]
    while len(streams[-1].exchange.pieces) == 1:
        if len(streams) == ATTEMPTS:
            raise _gathered(streams)
        streams.append(_stream(deployment, again=len(streams)))


@pytest.mark.clause("chat.stream-same-as-plain")
def test_a_stream_has_the_content_of_the_plain_answer(deployment: Deployment) -> None:
    """At temperature 0; real models don't always repeat themselves."""
    found = _stream(deployment)
    said = stream_rules.spoken(found.events)
    whole = expect.content(expect.choices(deployment.chat(plain()))[0])
    if said != whole:
        raise failed(json.dumps(whole, ensure_ascii=False), json.dumps(said, ensure_ascii=False), found.exchange)


def _gathered(streams: Sequence[StreamedAnswer]) -> NotPassed:
    """Return the verdict on streams that each came in one piece; the slowest decides."""
    slowest = max((found.exchange for found in streams), key=lambda exchange: exchange.pieces[0][0])
    seconds = slowest.pieces[0][0]
    if seconds < SLOW:
        return not_tested(f"the whole stream came within {SLOW:g} s: too fast to distinguish pieces")
    return failed("several pieces", f"{len(slowest.events.events)} events in one piece after {seconds:.1f} s", slowest)


def _chunks(found: StreamedAnswer) -> tuple[stream_rules.Chunk, ...]:
    chunks = stream_rules.chunks(found.events)
    if not chunks:
        raise not_tested("the stream has no chunks")
    return chunks


def _with_usage(deployment: Deployment) -> StreamedAnswer:
    """Return a stream whose usage was asked for; a server may refuse the field as one that it does not list."""
    exchange = deployment.chat(plain(stream=True, stream_options={"include_usage": True}))
    if exchange.status in (expect.BAD_REQUEST, expect.UNPROCESSABLE):
        raise not_supported(f"stream_options is refused: {exchange.described()}")
    return _stream(deployment, stream_options={"include_usage": True})
