"""What the journal keeps of an exchange: no secret, nothing without bound, and every odd byte."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from agent_contract.messages import Event, Exchange, Reply, Request, Violation
from agent_contract.redaction import redaction_of
from mockserver.core import keys
from mockserver.recording.journal import MOST_BODY, MOST_WAITING, Journal, Subject, encode_entry, readable_entry
from mockserver.stores import Entry, MemoryStore

TOKEN = 'the-server\'s "own" token/1'


def kept(request: Request, reply: Reply | None = None, *violations: Violation, tokens: tuple[str, ...] = ()) -> Any:
    exchange = Exchange(request, reply or Reply(200, {}, b""), violations=violations)
    return json.loads(encode_entry(exchange, Subject(1.0), redaction_of(tokens)))


def of_body(body: bytes, tokens: tuple[str, ...] = ()) -> Any:
    return kept(Request("POST", "/", (), {}, body), tokens=tokens)["request"]


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", f"/agents/{TOKEN}"),
        Request("GET", "/", (("name", TOKEN),)),
        Request("GET", "/", ((TOKEN, "1"),)),
        Request("GET", "/", (), {"referer": f"http://a/?key={quote(TOKEN, safe='')}"}),
        Request("POST", "/", (), {}, json.dumps({"user": TOKEN}).encode()),
        Request("POST", "/", (), {}, json.dumps({"arguments": json.dumps({"user": TOKEN})}).encode()),
        Request("POST", "/", (), {}, f"user={quote(TOKEN)}".encode()),
    ],
    ids=["path", "query", "parameter", "header", "JSON", "JSON in JSON", "form"],
)
def test_the_servers_token_is_hidden_however_it_is_spelled(request_: Request) -> None:
    entry = json.dumps(kept(request_, tokens=(TOKEN,)))

    assert "[redacted]" in entry
    assert "own" not in entry


def test_the_servers_token_is_hidden_in_the_name_of_an_agent_and_in_a_method() -> None:
    """A path may name anything in the place of an agent."""
    request = Request(TOKEN, f"/agents/{TOKEN}")
    exchange = Exchange(request, Reply(404, {}, b""))
    entry = json.loads(encode_entry(exchange, Subject(0.0, TOKEN), redaction_of((TOKEN,))))

    assert entry["agent"] == "[redacted]"
    assert "own" not in json.dumps(entry)


def test_the_servers_token_is_hidden_in_what_was_wrong_and_in_replies() -> None:
    violation = Violation(("body", TOKEN), "enum", None, "x" * 190 + TOKEN, "#")
    entry = kept(Request("GET", "/"), Reply(400, {}, (Event(TOKEN.encode()),)), violation, tokens=(TOKEN,))

    assert entry["violations"][0]["place"] == "body/[redacted]"
    assert entry["reply"]["events"] == [["", "[redacted]"]]
    assert "the-ser" not in json.dumps(entry)


@pytest.mark.parametrize("before", range(0, 40, 3))
def test_of_a_token_across_the_cut_nothing_is_left(before: int) -> None:
    token = "0123456789" * 4
    for padding in ("x" * (MOST_BODY - before), f"{token} " * 100 + "x" * (MOST_BODY - 4100 - before)):
        request = of_body((padding + token + "y" * 5000).encode(), (token,))

        assert request["cut"]
        assert "0123" not in request["text"]


def test_a_short_token_is_hidden_as_a_word_alone() -> None:
    assert of_body(b'{"a": "key", "b": "monkey"}', ("key",))["text"] == '{"a": "[redacted]", "b": "monkey"}'


@pytest.mark.parametrize(
    ("name", "value", "shown_as"),
    [
        ("authorization", "Bearer hunter2", "Bearer [redacted]"),
        ("authorization", "hunter2", "[redacted]"),
        ("proxy-authorization", "Basic aHVudGVyMg==", "Basic [redacted]"),
        ("cookie", "id=hunter2", "[redacted]"),
        ("x-api-key", "hunter2", "[redacted]"),
        ("x-auth-token", "hunter2", "[redacted]"),
        ("x-max-tokens", "12", "12"),
        ("x-mock-scope", "test-1", "test-1"),
    ],
)
def test_a_header_that_holds_a_secret_is_hidden(name: str, value: str, shown_as: str) -> None:
    assert kept(Request("GET", "/", (), {name: value}))["request"]["headers"] == {name: shown_as}


def test_an_entry_is_bounded_whatever_is_sent() -> None:
    long = "x" * 100_000
    request = Request(long, long, ((long, long),) * 1000, {f"{n}{long}": long for n in range(300)}, b"x" * 10**6)
    violations = [Violation(("body", long), "enum", long, long, "#")] * 1000

    assert len(json.dumps(kept(request, Reply(200, {}, b"x" * 10**6), *violations))) < 64 * 1024


def test_of_a_long_stream_the_first_and_the_last_events_are_kept() -> None:
    events = tuple(Event(b'{"n":%d}' % number) for number in range(5000))
    reply = kept(Request("GET", "/"), Reply(200, {}, events))["reply"]

    assert reply["cut"]
    assert reply["size"] == sum(len(event.data) for event in events)
    assert 500 < len(reply["events"]) < 5000
    assert reply["events"][0] == ["", '{"n":0}']
    assert reply["events"][-1] == ["", '{"n":4999}']
    assert sum(len(data) for _, data in reply["events"]) <= 8 * 1024


@pytest.mark.parametrize("size", [1, 100, 2000, 7000, 8192])
def test_a_stream_of_8_kib_is_kept_whole(size: int) -> None:
    events = tuple(Event(b"x" * size) for _ in range(8192 // size))
    reply = kept(Request("GET", "/"), Reply(200, {}, events))["reply"]
    assert len(reply["events"]) == len(events)
    assert not reply["cut"]


def test_the_delays_of_a_reply_are_recorded() -> None:
    events = tuple(Event(b"x", delay=0.25) for _ in range(4))
    assert kept(Request("GET", "/"), Reply(200, {}, events, delay=0.5))["reply"]["seconds"] == 1.5
    assert kept(Request("GET", "/"), Reply(200, {}, b"", delay=0.5))["reply"]["seconds"] == 0.5


def as_shown(body: bytes) -> Any:
    entry = kept(Request("POST", "/", (), {}, body))
    return readable_entry(1, entry)["request"]


def test_json_is_shown_as_it_was_sent_numbers_of_any_size_included() -> None:
    body = b'{"n": 123456789012345678901234567890, "x": 1.0}'
    assert body in orjson.dumps(as_shown(body))


@pytest.mark.parametrize(
    ("body", "text"),
    [(b'{"a":', '{"a":'), (b"\xff\xfe", "\\xff\\xfe"), (b'{"a": NaN}', '{"a": NaN}'), ("é☃".encode(), "é☃")],
)
def test_a_body_other_than_json_is_shown_as_text(body: bytes, text: str) -> None:
    assert as_shown(body)["text"] == text


def test_half_of_a_surrogate_pair_is_kept() -> None:
    assert kept(Request("GET", "/\ud800"))["request"]["path"] == "/\ud800"


def test_what_a_request_authenticates_with_is_hidden_wherever_it_is_repeated() -> None:
    key = "gateway-key-123456"
    sent = Request("GET", f"/agents/{key}", (("sig", "abc"),), {"Ocp-Apim-Subscription-Key": key})
    entry = json.dumps(kept(sent, Reply(401, {}, f"unknown key \\u0067{key[1:]}".encode())))

    assert "abc" not in entry
    assert "123456" not in entry


class HoldingStore(MemoryStore):
    """A store in memory that shows which entries it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Entry] = []

    def append(self, log: str, entry: Entry, keep: int) -> int:
        self.given.append(entry)
        return super().append(log, entry, keep)


def journal_entry(body: bytes, *violations: Violation) -> tuple[Entry, bytes]:
    """Return what a journal gives its store, and what the store returns to a reader."""
    store = HoldingStore()
    exchange = Exchange(Request("POST", "/", (), {}, body), Reply(200, {}, b"{}"), violations=violations)
    Journal(store, 10, redaction_of([TOKEN])).write("", exchange, Subject(1.0))
    return store.given[0], store.entries(keys.scope("") + keys.JOURNAL)[0][1]


def test_an_entry_is_encoded_and_redacted_when_it_is_read() -> None:
    entry, read = journal_entry(json.dumps({"user": TOKEN}).encode())

    assert not isinstance(entry, bytes)
    assert json.loads(read)["request"]["text"] == '{"user": "[redacted]"}'


@pytest.mark.parametrize("size", [MOST_WAITING, 10 * MOST_WAITING])
def test_an_entry_with_a_large_body_is_encoded_at_once_and_the_body_released(size: int) -> None:
    entry, read = journal_entry(b"x" * size)

    assert entry == read
    assert len(entry) < MOST_BODY + 1000


def test_the_parsed_values_of_a_refused_body_count_as_much_as_they_may_take() -> None:
    entry, _ = journal_entry(b"[[],[]]" * (MOST_WAITING // 100), Violation(("body",), "type", None, [], "#"))

    assert isinstance(entry, bytes)
