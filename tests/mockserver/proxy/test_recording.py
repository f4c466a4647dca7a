"""What the proxy records: exchanges as they were, whole or not at all, and no secrets."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent_contract.messages import Reply
from mockserver.recording.recording import read_exchange
from tests.mockserver.proxy.support.running_proxy import RunningProxy, running, wait_until
from tests.mockserver.proxy.support.scripted_upstream import LIMIT, Asked, scripted
from tests.mockserver.support.chat_client import engine, request
from tests.mockserver.support.raw import connect

JSON = {"content-type": "application/json"}
HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}
GOOD = engine().reply(request(HELLO))
EVENTS = [event.encode() for event in engine().reply(request({**HELLO, "stream": True})).body]  # type: ignore[union-attr]
OK = Reply(200, JSON, GOOD.content())
KEY = "abcdef-caller-key-0123456789"
SCANNED = "sk-" + "proj4567890abcdefghij"


def read(proxy: RunningProxy, index: int = 0) -> Any:
    return json.loads(proxy.recordings(index + 1)[index].read_text(encoding="utf-8"))["exchanges"][0]


def post(proxy: RunningProxy, body: Any = HELLO, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(proxy.chat, json=body, headers=named, timeout=LIMIT)


def recorded(folder: Path, reply: Reply, body: Any = HELLO, **headers: str) -> tuple[str, list[str]]:
    """Return the text of what is recorded of one exchange, and what the proxy reports."""
    with scripted(lambda asked: asked.reply(reply)) as upstream, running(upstream.url, folder) as proxy:
        assert post(proxy, body, **headers).content == reply.content()
        wait_until(lambda: proxy.said or list(folder.glob("*.json")))
        return "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.json")), proxy.said


def test_a_recording_is_an_exchange_as_in_a_fixture(tmp_path: Path) -> None:
    with scripted(lambda asked: asked.reply(OK)) as upstream, running(upstream.url, tmp_path) as proxy:
        post(proxy)
        found = read(proxy)
        assert [path.name for path in proxy.recordings()] == ["0001-createAssistantChatCompletion.json"]
    assert found["request"]["json"] == HELLO
    assert found["reply"]["json"] == json.loads(GOOD.content())
    assert (found["reply"]["status"], found["reply"]["headers"]) == (200, JSON)


def test_the_pieces_of_a_stream_are_recorded_as_they_came(tmp_path: Path) -> None:
    whole = b"".join(EVENTS)
    sizes = [1, 300, 2, len(whole) - 303]
    gaps = [threading.Event() for _ in sizes]

    def answer(asked: Asked) -> None:
        asked.stream()
        start = 0
        for size, gap in zip(sizes, gaps, strict=True):
            asked.chunk(whole[start : start + size])
            start += size
            assert gap.wait(LIMIT)
        asked.chunk(b"")

    with scripted(answer) as upstream, running(upstream.url, tmp_path) as proxy:
        with httpx.stream("POST", proxy.chat, json=HELLO) as reply:
            for gap, _ in zip(gaps, reply.iter_raw(), strict=True):
                gap.set()
        found = read(proxy)["reply"]
    assert [size for size, _ in found["pieces"]] == sizes
    assert all(seconds >= 0 for _, seconds in found["pieces"])
    assert found["events"][-1] == {"data": "[DONE]"}


def test_a_stream_that_no_events_give_again_is_recorded_byte_for_byte(tmp_path: Path) -> None:
    odd = b": a comment\r\n\r\n" + EVENTS[0] + b"data:[DONE]\r\n\r\n"
    text, _ = recorded(tmp_path, Reply(200, {"content-type": "text/event-stream"}, odd))
    assert json.loads(text)["exchanges"][0]["reply"]["text"].encode() == odd


def test_the_recording_survives_a_client_that_closes_right_after_done(tmp_path: Path) -> None:
    def answer(asked: Asked) -> None:
        asked.stream()
        asked.chunk(*EVENTS)
        asked.is_left()  # the end of the body never comes

    with scripted(answer) as upstream, running(upstream.url, tmp_path, finish=0.05) as proxy:
        with httpx.stream("POST", proxy.chat, json=HELLO) as reply:
            got = b""
            for piece in reply.iter_raw():
                got += piece
                if got.endswith(b"data: [DONE]\n\n"):
                    break
        assert read(proxy)["reply"]["events"][-1] == {"data": "[DONE]"}
        assert proxy.said == []


def test_a_reply_that_its_client_does_not_wait_for_is_not_recorded(tmp_path: Path) -> None:
    def answer(asked: Asked) -> None:
        asked.stream()
        asked.chunk(EVENTS[0])
        asked.is_left()

    with scripted(answer) as upstream, running(upstream.url, tmp_path, finish=0.05) as proxy:
        with httpx.stream("POST", proxy.chat, json=HELLO) as reply:
            next(reply.iter_raw())
        wait_until(lambda: proxy.said)
    assert "the client closed the connection before the reply was complete" in proxy.said[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (404, JSON, b'{"detail":"Agent not found"}'),
        (429, {**JSON, "retry-after": "7"}, b'{"error":{"message":"slow down"}}'),
        (500, {"content-type": "text/html"}, b"<h1>Oops</h1>"),
        (307, {"location": "/elsewhere"}, b""),
        (200, JSON, b'{"half": '),
        (200, {"content-type": "application/octet-stream"}, b"\xff\x00"),
    ],
)
def test_a_reply_is_recorded_as_what_it_is(tmp_path: Path, status: int, headers: dict[str, str], body: bytes) -> None:
    reply = Reply(status, headers, body)
    with scripted(lambda asked: asked.reply(reply)) as upstream, running(upstream.url, tmp_path) as proxy:
        post(proxy)
        from_file = read(proxy)["reply"]
    assert (from_file["status"], from_file["headers"]) == (status, headers)
    assert from_file.get("json") == (json.loads(body) if status in (404, 429) else None)


def test_nothing_of_a_request_becomes_a_path(tmp_path: Path) -> None:
    folder, evil = tmp_path / "inside" / "recordings", "../../../outside"
    with scripted(lambda asked: asked.reply(OK)) as upstream, running(upstream.url, folder) as proxy:
        post(proxy, X_Mock_Scope=evil, X_Request_Id=evil, Host=evil, Content_Disposition=f"filename={evil}")
        with connect(proxy.url) as client:
            client.sendall(f"GET /{evil}/%2e%2e/%2Fetc HTTP/1.1\r\nHost: {evil}\r\n\r\n".encode())
            assert client.recv(1)
        proxy.recordings(2)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.parent for path in written} == {folder}
    assert all(re.fullmatch(r"\d{4}-\w+\.json", path.name) for path in written)


def test_recordings_are_numbered_after_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "0041-x.json").write_text("{}", encoding="utf-8")
    with scripted(lambda asked: asked.reply(OK)) as upstream, running(upstream.url, tmp_path) as proxy:
        post(proxy)
        assert proxy.recordings(2)[1].name == "0042-createAssistantChatCompletion.json"


def test_a_reply_that_is_larger_than_memory_may_hold_passes_and_is_not_recorded(tmp_path: Path) -> None:
    with scripted(lambda asked: asked.reply(OK)) as upstream, running(upstream.url, tmp_path, most_kept=100) as proxy:
        assert post(proxy).content == GOOD.content()
        wait_until(lambda: proxy.said)
    assert "it has more than 100 bytes" in proxy.said[0]


# Secrets


def test_the_callers_key_is_in_no_recording_however_it_is_spelled(tmp_path: Path) -> None:
    echo = json.dumps({"detail": f"key {KEY}", "code": f"{KEY[:20]}", "utf": "äö"}).replace("caller", "c\\u0061ller")
    text, said = recorded(tmp_path, Reply(401, JSON, echo.encode()), authorization=f"Bearer {KEY}", X_Api_Key=KEY)
    assert said == []
    assert not re.search("caller|0123456789", text)
    found = json.loads(text)["exchanges"][0]
    assert found["request"]["headers"]["authorization"] == "Bearer [redacted]"
    assert found["request"]["headers"]["x-api-key"] == "[redacted]"


def test_a_key_that_is_divided_among_pieces_is_hidden_and_the_borders_stay(tmp_path: Path) -> None:
    body = f'data: {{"id": "x", "echo": "{KEY}", "more": "text"}}\n\n'.encode()
    at = body.index(KEY.encode()) + 5

    def answer(asked: Asked) -> None:
        asked.stream()
        asked.chunk(body[:at])
        asked.chunk(body[at:-6], body[-6:], b"")

    with scripted(answer) as upstream, running(upstream.url, tmp_path) as proxy:
        assert post(proxy, authorization=f"Bearer {KEY}").content == body
        found = read(proxy)
    assert "caller" not in json.dumps(found)
    pieces = [piece.data for piece in read_exchange(found).reply.body]  # type: ignore[union-attr]
    assert pieces == [b'data: {"id": "x", "echo": "[redacted]', b'", "more": "te', b'xt"}\n\n']


@pytest.mark.parametrize(
    ("body", "headers", "reply", "place"),
    [
        (HELLO, {"X_Custom": "9f86d081884c7d659a2feaa0c55ad015"}, OK, "request/headers/x-custom"),
        (HELLO, {"X_Custom": "a8Fh3kLq9ZxVb2Nm7RtYw4Ec"}, OK, "request/headers/x-custom"),
        (
            {"messages": [{"role": "user", "content": f"my key is {SCANNED}"}]},
            {},
            OK,
            "request/body/messages/0/content",
        ),
        ({"messages": [], "metadata": {"note": "a8Fh3kLq9ZxVb2Nm7RtYw4Ec"}}, {}, OK, "request/body/metadata/note"),
        (HELLO, {}, Reply(200, JSON, b'{"note": "AKIAIOSFODNN7EXAMPLE"}'), "reply/body/note"),
        (HELLO, {}, Reply(200, {**JSON, "x-note": "a8Fh3kLq9ZxVb2Nm7RtYw4Ec"}, b"{}"), "reply/headers/x-note"),
    ],
)
def test_what_looks_like_a_token_is_not_written(
    tmp_path: Path, body: Any, headers: dict[str, str], reply: Reply, place: str
) -> None:
    text, said = recorded(tmp_path, reply, body, **headers)
    assert text == ""
    assert f"is not recorded: {place} looks like a token" in said[0]
    assert f"--redact {place.rpartition('/')[2]}" in said[0]


def test_a_token_that_a_stream_sends_in_parts_is_not_written(tmp_path: Path) -> None:
    parts = [SCANNED[start : start + 4] for start in range(0, len(SCANNED), 4)]
    events = [b"data: %s\n\n" % json.dumps({"delta": part}).encode() for part in parts]
    text, said = recorded(tmp_path, Reply(200, {"content-type": "text/event-stream"}, b"".join(events)))
    assert (text, "reply/body/delta looks like a token" in said[0]) == ("", True)


def test_a_known_key_that_a_stream_sends_in_parts_is_not_written(tmp_path: Path) -> None:
    events = [b"data: %s\n\n" % json.dumps({"delta": KEY[at : at + 5]}).encode() for at in range(0, len(KEY), 5)]
    reply = Reply(200, {"content-type": "text/event-stream"}, b"".join(events))
    text, said = recorded(tmp_path, reply, authorization=f"Bearer {KEY}")
    assert (text, "reply/body/delta looks like a token" in said[0]) == ("", True)


def test_secrets_of_a_form_are_hidden_or_not_written(tmp_path: Path) -> None:
    with scripted(lambda asked: asked.reply(OK)) as upstream, running(upstream.url, tmp_path) as proxy:
        httpx.post(proxy.chat, data={"client_secret": "hunter2hunter2", "token": "a1b2", "grant": "x"})
        assert read(proxy)["request"]["text"] == "client_secret=[redacted]&token=[redacted]&grant=x"
        httpx.post(proxy.chat, data={"note": "a8Fh3kLq9ZxVb2Nm7RtYw4Ec"})
        wait_until(lambda: proxy.said)
        assert "request/body/note looks like a token" in proxy.said[0]


RANDOM = "a8Fh3kLq9ZxVb2Nm7RtYw4Ec"


def test_secrets_of_a_multipart_form_are_hidden_or_not_written(tmp_path: Path) -> None:
    with scripted(lambda asked: asked.reply(OK)) as upstream, running(upstream.url, tmp_path, redact=("pet",)) as proxy:
        httpx.post(proxy.chat, files={"api_key": (None, RANDOM), "pet": (None, "rex-the-dog"), "name": (None, "x")})
        text = read(proxy)["request"]["text"]
        assert (text.count("[redacted]"), "rex" in text, RANDOM in text) == (2, False, False)
        httpx.post(proxy.chat, files={"note": (None, RANDOM)})
        wait_until(lambda: proxy.said)
        assert "request/body/note looks like a token" in proxy.said[0]


@pytest.mark.parametrize(
    ("media", "body", "place"),
    [
        ("text/plain", f"key={RANDOM}", "body"),
        ("text/html", f"<input value='{RANDOM}'>", "body"),
        ("application/x-ndjson", f'{{"a": 1}}\n{{"note": "{RANDOM}"}}\n', "body/note"),
        ("application/x-www-form-urlencoded", f"a=1&note={RANDOM}", "body/note"),
        ("application/json", json.dumps({"arguments": json.dumps({"note": RANDOM})}), "body/arguments/note"),
    ],
)
def test_a_token_is_found_in_a_body_of_any_form(tmp_path: Path, media: str, body: str, place: str) -> None:
    text, said = recorded(tmp_path, Reply(200, {"content-type": media}, body.encode()))
    assert (text, f"reply/{place} looks like a token" in said[0]) == ("", True)


def test_a_compressed_request_can_not_be_searched_and_is_not_written(tmp_path: Path) -> None:
    with scripted(lambda asked: asked.reply(OK)) as upstream, running(upstream.url, tmp_path) as proxy:
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        assert httpx.post(proxy.chat, content=gzip.compress(RANDOM.encode()), headers=headers).status_code == 200
        wait_until(lambda: proxy.said)
    assert "request/body has the content-encoding 'gzip' and can't be searched for tokens" in proxy.said[0]


@pytest.mark.parametrize(
    ("target", "kept", "reported"),
    [("/cb?code=hunter2hunter2&a=1", "/cb?code=[redacted]&a=1", ""), (f"/cb?note={RANDOM}", "", "headers/location")],
)
def test_a_redirect_to_a_url_with_a_secret(tmp_path: Path, target: str, kept: str, reported: str) -> None:
    text, said = recorded(tmp_path, Reply(302, {"location": target}, b""))
    assert (json.loads(text)["exchanges"][0]["reply"]["headers"]["location"] if text else "") == kept
    assert reported in "".join(said)


def test_a_name_that_the_user_gives_is_hidden(tmp_path: Path) -> None:
    names = ("X-Custom", "note")
    with scripted(lambda asked: asked.reply(OK)) as upstream, running(upstream.url, tmp_path, redact=names) as proxy:
        post(proxy, {**HELLO, "metadata": {"note": SCANNED}}, X_Custom="a8Fh3kLq9ZxVb2Nm7RtYw4Ec")
        found = read(proxy)["request"]
    assert (found["headers"]["x-custom"], found["json"]["metadata"]["note"]) == ("[redacted]", "[redacted]")


def test_a_body_in_an_encoding_that_can_not_be_read_is_not_recorded(tmp_path: Path) -> None:
    sent = Reply(200, {**JSON, "content-encoding": "br"}, b"\x00")
    with scripted(lambda asked: asked.reply(sent)) as upstream, running(upstream.url, tmp_path) as proxy:
        with httpx.stream("POST", proxy.chat, json=HELLO) as reply:
            assert b"".join(reply.iter_raw()) == b"\x00"
        wait_until(lambda: proxy.said)
    assert "its content-encoding 'br' can't be read" in proxy.said[0]


def test_a_folder_that_can_not_be_written_is_reported_and_the_reply_passes(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    with scripted(lambda asked: asked.reply(OK)) as upstream, running(upstream.url, folder) as proxy:
        folder.rmdir()
        assert post(proxy).status_code == 200
        wait_until(lambda: proxy.said)
    assert "No such file or directory" in proxy.said[0]


def test_the_upstream_may_close_each_connection(tmp_path: Path) -> None:
    def answer(asked: Asked) -> None:
        asked.send(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + GOOD.content())
        asked.connection.shutdown(socket.SHUT_RDWR)

    with scripted(answer) as upstream, running(upstream.url, tmp_path) as proxy:
        assert [post(proxy).content for _ in range(2)] == [GOOD.content()] * 2
        proxy.recordings(2)
