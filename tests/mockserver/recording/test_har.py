"""HTTP archives of any browser or proxy are read as recordings."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agent_contract.cli import main
from agent_contract.messages import Exchange, Reply, Request
from mockserver.build import with_replay
from mockserver.recording.recording import Recording, RecordingError
from mockserver.recording.recording_folder import belongs_to, read_recordings, write_recording
from tests.mockserver.fixtures.support.written import files, small_texts
from tests.mockserver.fixtures.support.written import write as write_fixtures
from tests.mockserver.recording.support.archives import compressed, elsewhere, entry, failed, write
from tests.mockserver.support.chat_client import CONTRACT, engine, path_of, request, user

KNOWN = belongs_to(CONTRACT)
CHAT = engine().handle(request({"messages": [user("Grüße 👋")]}))
STREAM = engine().handle(request({"messages": [user("Hello!")], "stream": True}))
PAGE = Exchange(elsewhere(), Reply(200, {"content-type": "text/html"}, b"<p>"))


def read(path: Path) -> list[Recording]:
    return list(read_recordings(path, KNOWN))


def same(one: Exchange, other: Exchange) -> bool:
    """Return whether the parts of two exchanges that a client sees are the same."""
    dropped = ("content-length", "date")
    headers = [
        {name: text for name, text in message.headers.items() if name not in dropped}
        for exchange in (one, other)
        for message in (exchange.request, exchange.reply)
    ]
    parts = [
        (sent.method, sent.path, sent.query, sent.body, reply.status, reply.content())
        for sent, reply in ((one.request, one.reply), (other.request, other.reply))
    ]
    return headers[:2] == headers[2:] and parts[0] == parts[1]


def test_an_entry_is_the_exchange_that_it_was_made_of(tmp_path: Path) -> None:
    listed = engine().handle(Request("GET", "/api/v1/compatibility/openai/v1/agents", (("limit", "5"),)))
    file = write(tmp_path / "trace.har", entry(CHAT), entry(listed), entry(STREAM))
    found = read(file)
    assert [one.name for one in found] == ["trace.har:1", "trace.har:2", "trace.har:3"]
    assert all(same(one.exchange, other) for one, other in zip(found, (CHAT, listed, STREAM), strict=True))


def test_what_is_not_of_this_api_is_left_out_and_counted(tmp_path: Path) -> None:
    preflight = Exchange(Request("OPTIONS", path_of()), Reply(204, {}, b""))
    socket = entry(CHAT, url="wss://agents.example.com")
    lost = entry(CHAT)
    del lost["response"]["content"]["text"]
    streamed = entry(STREAM)
    streamed["response"]["content"] |= {"text": None, "size": 0}
    file = write(tmp_path / "x.har", entry(PAGE), entry(preflight), socket, failed(CHAT), lost, streamed, entry(CHAT))
    found = read_recordings(file, KNOWN)
    assert [one.name for one in found] == ["x.har:7"]
    assert found.note == "Entries left out: 3 of other APIs, 3 without a complete reply."


@pytest.mark.parametrize("body", [b'{"a": "\xc3\xa4"}', b"\xff\xfe raw \x00", b""])
def test_a_body_of_any_bytes_is_read(tmp_path: Path, body: bytes) -> None:
    sent = Exchange(replace(CHAT.request, body=body), Reply(200, {"content-type": "application/json"}, body))
    (found,) = read(write(tmp_path / "x.har", entry(sent)))
    assert (found.exchange.request.body, found.exchange.reply.content()) == (body, body)


def test_a_compressed_body_is_read_whether_the_archive_has_it_decoded_or_not(tmp_path: Path) -> None:
    decoded = entry(CHAT)
    decoded["response"]["headers"].append({"name": "Content-Encoding", "value": "br"})
    found = read(write(tmp_path / "x.har", compressed(entry(CHAT)), decoded))
    assert all(same(one.exchange, CHAT) for one in found)


def test_a_form_that_has_only_parameters_is_read(tmp_path: Path) -> None:
    made = entry(CHAT)
    made["request"]["postData"] = {"mimeType": "x", "params": [{"name": "a", "value": "1 2"}, {"name": "b"}]}
    assert read(write(tmp_path / "x.har", made))[0].exchange.request.body == b"a=1+2&b="


def test_the_events_of_a_stream_are_spread_over_the_time_in_which_it_came(tmp_path: Path) -> None:
    events = len(STREAM.reply.body)
    (found,) = read(write(tmp_path / "x.har", entry(STREAM, wait=500, receive=1000.0 * (events - 1))))
    reply = found.exchange.reply
    assert reply.delay == 0.5
    assert [event.delay for event in reply.body] == [0.0] + [1.0] * (events - 1)  # type: ignore[union-attr]
    assert found.started == 1795600800.0


def test_headers_that_come_twice_are_joined_and_those_of_http_2_are_not_headers(tmp_path: Path) -> None:
    made = entry(CHAT)
    made["response"]["headers"] += [{"name": "Vary", "value": "a"}, {"name": "vary", "value": "b"}]
    exchange = read(write(tmp_path / "x.har", made))[0].exchange
    assert exchange.reply.headers["vary"] == "a, b"
    assert ":authority" not in exchange.request.headers


def test_an_archive_of_mitmproxy_can_be_compressed(tmp_path: Path) -> None:
    file = write(tmp_path / "x.zhar", entry(CHAT))
    file.write_bytes(zlib.compress(file.read_bytes(), 9))
    assert same(read(file)[0].exchange, CHAT)


def test_what_mitmproxy_exported_is_read() -> None:
    """mitmdump wrote the file, in front of a mock."""
    file = Path(__file__).parent / "support" / "mitmproxy-11.0.2.har"
    found = read_recordings(file, KNOWN)
    exchanges = [one.exchange for one in found]
    assert [one.reply.status for one in exchanges] == [200, 200, 422, 200]
    assert json.loads(exchanges[0].request.body) == {"messages": [user("Grüße 👋")]}
    assert "Grüße 👋" in json.loads(exchanges[0].reply.content())["choices"][0]["message"]["content"]
    assert exchanges[1].reply.content().endswith(b"data: [DONE]\n\n")
    assert exchanges[3].request.query == (("limit", "5"),)
    assert found.note == "Entries left out: 1 of other APIs."


def attached(folder: Path, name: str) -> dict[str, Any]:
    made = entry(CHAT)
    del made["response"]["content"]["text"]
    made["response"]["content"]["_file"] = name
    return made


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_body_in_a_file_of_its_own_is_read(tmp_path: Path, is_packed: bool) -> None:
    file = write(tmp_path / "x.har", attached(tmp_path, "ab12.json"))
    body = tmp_path / "ab12.json"
    body.write_bytes(CHAT.reply.content())
    if is_packed:
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as packed:
            packed.write(file, "har.har")
            packed.write(body, "ab12.json")
        file = tmp_path / "x.zip"
    assert same(read(file)[0].exchange, CHAT)


@pytest.mark.parametrize("name", ["../secret.json", "/etc/passwd", "", ".."])
def test_an_archive_reads_no_file_of_another_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.json").write_text("x", encoding="utf-8")
    folder = tmp_path / "inside"
    folder.mkdir()
    with pytest.raises(RecordingError, match=r"which is not a file next to it|can't be read"):
        read(write(folder / "x.har", attached(folder, name)))


def test_a_folder_may_have_recordings_and_archives(tmp_path: Path) -> None:
    write(tmp_path / "a.har", entry(CHAT), entry(PAGE))
    write(tmp_path / "b.har", entry(STREAM), entry(PAGE))
    found = read_recordings(tmp_path, KNOWN)
    assert ([one.name for one in found], found.left_out) == (["a.har:1", "b.har:1"], {"of other APIs": 2})


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"PK\x03\x04", b"\x78\x9cx", b"[" * 9000),
        *(b'{"log": {"entries": 1}}', b'{"log": {"entries": [1]}}', b'{"log": {"entries": [{"request": {}}]}}'),
        b'{"log": {"entries": [{"request": {"url": "http://[", "method": "GET", "headers": []}, "response": {}}]}}',
    ],
)
def test_a_file_that_is_not_an_archive_is_reported(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.har"
    file.write_bytes(content)
    with pytest.raises(RecordingError, match=r"x\.har is not an HTTP archive: .+ Correct it, or remove it\."):
        read(file)


def test_a_reply_that_decompresses_to_more_than_memory_may_hold_is_refused(tmp_path: Path) -> None:
    made = compressed(entry(replace(CHAT, reply=replace(CHAT.reply, body=b" " * (65 * 1024 * 1024)))))
    with pytest.raises(RecordingError, match="larger than 67108864 bytes"):
        read(write(tmp_path / "x.har", made))


def test_an_archive_is_replayed(tmp_path: Path) -> None:
    file = write(tmp_path / "x.har", entry(CHAT), entry(PAGE))
    mock = with_replay(engine(seed=7), file, strict=True)
    assert mock.reply(CHAT.request).content() == CHAT.reply.content()
    assert mock.reply(STREAM.request).status == 404
    assert mock.replay is not None
    assert mock.replay.note == "Entries left out: 1 of other APIs."
    assert mock.requests()[1]["rule"] == "x.har:1"


# The commands


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments])


def test_record_check_reads_an_archive(tmp_path: Path) -> None:
    wrong = replace(CHAT, request=request({"messages": [user("Hello!")], "temperature": 3}))
    file = write(tmp_path / "x.har", entry(CHAT), entry(wrong), entry(PAGE))
    result = run("record-check", str(file))
    assert result.exit_code == 1
    assert "x.har:2: request/body/temperature maximum: expected 2, got 3" in result.output
    assert "Entries left out: 1 of other APIs.\n" in result.output
    assert "1 of 2 recordings break Agent API 9.1.1." in result.output


def test_record_check_knows_what_a_version_lacks_from_what_is_of_another_api(tmp_path: Path) -> None:
    document = json.loads(json.dumps(CONTRACT.document))
    for path in [*document["paths"]]:
        if path.endswith("/models"):
            document["paths"][path]["x-since"] = "9.1.1"
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(document), encoding="utf-8")
    models = Exchange(Request("GET", "/api/v1/compatibility/openai/v1/models"), Reply(200, {}, b"{}"))
    file = write(tmp_path / "x.har", entry(models), entry(PAGE))
    result = run("record-check", str(file), "--spec", str(spec), "--api-version", "9.0")
    assert "x.har:1: request: the contract has no GET /api/v1/compatibility/openai/v1/models" in result.output
    assert "Entries left out: 1 of other APIs.\n" in result.output


def test_impact_reads_an_archive(tmp_path: Path) -> None:
    sampled = engine().handle(request({"messages": [user("Hello!")], "top_p": 0.5}))
    file = write(tmp_path / "x.har", entry(CHAT), entry(sampled), entry(PAGE))
    result = run("impact", str(file), "9.0", "9.1.1")
    assert (result.exit_code, "x.har:2" in result.output) == (1, True)
    assert "1 of 2 recorded calls affected\nEntries left out: 1 of other APIs.\n" in result.output
    value = json.loads(run("impact", str(file), "9.0", "9.1.1", "--format", "json").output)
    assert value["left_out"] == {"of other APIs": 1}


def misuse(folder: Path) -> Path:
    """Write an archive of a client that sends the id of its session in another field."""
    first = engine().handle(request({"messages": [user("Hello!")], "create_session": True}))
    session = json.loads(first.reply.content())["session_id"]
    second = engine().handle(request({"messages": [user("And?")], "session_id": session}))
    return write(folder / "x.har", entry(first), entry(second, started="2026-11-25T10:00:01Z"), entry(PAGE))


def test_lint_session_reads_an_archive(tmp_path: Path) -> None:
    result = run("lint-session", str(misuse(tmp_path)))
    assert result.exit_code == 1
    assert "other-field: request 2, turn 2 of session " in result.output


def test_coverage_reads_an_archive_and_a_folder(tmp_path: Path) -> None:
    for path in (misuse(tmp_path), tmp_path):
        result = run("coverage", str(path))
        assert (result.exit_code, "contract coverage of 2 exchanges:\n" in result.output) == (0, True)


def test_turns_that_overlap_in_time_are_found_and_recordings_without_times_never_overlap(tmp_path: Path) -> None:
    mock = engine()
    first = mock.handle(request({"messages": [user("Hello!")], "create_session": True}))
    session = json.loads(first.reply.content())["session_id"]
    turns = [mock.handle(request({"messages": [user(text)], "store_in_session": session})) for text in ("a", "b")]
    entries = [entry(first), *(entry(one, started="2026-11-25T10:00:05Z", wait=3000.0) for one in turns)]
    assert "parallel" in run("lint-session", str(write(tmp_path / "x.har", *entries))).output
    folder = tmp_path / "r"
    folder.mkdir()
    for number, one in enumerate((first, *turns), 1):
        write_recording(folder, number, replace(one, reply=replace(one.reply, delay=3.0)))
    assert run("lint-session", str(folder)).output == "no misuse of sessions\n"


@pytest.mark.parametrize("command", ["coverage", "lint-session", "record-check"])
def test_a_path_without_recordings_is_reported(command: str, tmp_path: Path) -> None:
    result = run(command, str(tmp_path / "x.har"))
    assert (result.exit_code, "does not exist" in result.output or "No such file" in result.output) == (2, True)


def test_every_fixture_in_the_format_har_is_read_back(tmp_path: Path) -> None:
    folder = write_fixtures(tmp_path, files("har"))
    for one in small_texts():
        found = list(read_recordings(folder / f"{one.file_name}.har"))
        assert len(found) == len(one.exchanges)
        assert all(same(read_back.exchange, made) for read_back, made in zip(found, one.exchanges, strict=True)), (
            one.name
        )
