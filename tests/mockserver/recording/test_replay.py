"""Replay: the same requests get the recorded answers, and a request without one is explained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_contract.messages import Exchange, Reply, Request
from agent_contract.redaction import redaction_of
from mockserver.build import with_replay
from mockserver.config import Config
from mockserver.engine import Engine
from mockserver.faults.broken_reply import Piece
from mockserver.proxy.recorder import without_secrets
from mockserver.recording.recording import read_exchange, recording_json
from mockserver.recording.recording_folder import write_recording
from mockserver.recording.request_key import Ignored, IgnoreError, canonical, differences, key_of, read_ignored
from mockserver.stores import open_store
from tests.mockserver.support.chat_client import engine, path_of, request

HIDE = redaction_of(())
STREAM = {"content-type": "text/event-stream"}
PIECES = (Piece(b"data: a\n", delay=0.5), Piece(b"\n", delay=0.25), Piece(b"data: [DONE]\n\n", delay=1.0))


def said(text: str, **fields: Any) -> Request:
    return request({"messages": [{"role": "user", "content": text}], **fields})


def answer(text: str) -> Reply:
    return Reply(200, {"content-type": "application/json"}, json.dumps({"answer": text}).encode())


def replaying(folder: Path, *exchanges: tuple[Request, Reply], **settings: Any) -> Engine:
    """Return a mock that replays these exchanges."""
    folder.mkdir(exist_ok=True)
    for number, (sent, reply) in enumerate(exchanges, 1):
        write_recording(folder, number, without_secrets(Exchange(sent, reply, "chat"), HIDE))
    return with_replay(engine(), folder, **settings)


def got(mock: Engine, sent: Request) -> Any:
    return json.loads(mock.reply(sent).content()).get("answer", "computed")


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.just("Bearer abcdefgh12345678"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
_requests = st.builds(
    Request,
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["/", path_of(), "/ä b"]),
    st.lists(st.tuples(st.sampled_from(["a", "api_key"]), st.text(max_size=9))).map(tuple),
    st.sampled_from([{}, {"content-type": "application/json", "authorization": "Bearer secret-token-1"}]),
    _values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=20)
    | st.just(b'{"a": "secret-token-1"}'),
)


@given(_requests)
def test_a_recording_has_the_key_of_the_request_that_it_was_made_of(sent: Request) -> None:
    ignored = Ignored()
    written = without_secrets(Exchange(sent, Reply(200, {}, b"")), HIDE)
    again = read_exchange(json.loads(json.dumps(recording_json(written)))).request
    assert key_of(canonical(again, ignored, HIDE)) == key_of(canonical(sent, ignored, HIDE))


def test_the_same_request_gets_the_recorded_answer(tmp_path: Path) -> None:
    mock = replaying(tmp_path, (said("a"), answer("1")), (said("b"), answer("2")))
    assert [got(mock, said("b")), got(mock, said("a"))] == ["2", "1"]
    assert [entry["rule"] for entry in mock.requests()] == ["0001-chat.json", "0002-chat.json"]


def test_a_stream_is_replayed_piece_for_piece_with_its_times(tmp_path: Path) -> None:
    mock = replaying(tmp_path, (said("a"), Reply(200, STREAM, PIECES, 2.0)))
    reply = mock.reply(said("a"))
    assert (reply.body, reply.delay) == (PIECES, 2.0)


@pytest.mark.parametrize(("speed", "times"), [(2.0, [0.25, 0.125, 0.5]), (0.0, [0.0, 0.0, 0.0])])
def test_the_speed_scales_all_times(tmp_path: Path, speed: float, times: list[float]) -> None:
    reply = replaying(tmp_path, (said("a"), Reply(200, STREAM, PIECES, 2.0)), speed=speed).reply(said("a"))
    assert [event.delay for event in reply.body] == times  # type: ignore[union-attr]
    assert reply.delay == (1.0 if speed else 0.0)


def test_a_body_in_pieces_that_is_not_a_stream_has_its_length(tmp_path: Path) -> None:
    pieces = (Piece(b'{"a":'), Piece(b"1}", delay=0.1))
    mock = replaying(tmp_path, (said("a"), Reply(200, {"content-type": "application/json"}, pieces)))
    assert mock.reply(said("a")).headers["content-length"] == "7"


def test_answers_to_one_request_are_first_in_first_out_and_the_last_one_stays(tmp_path: Path) -> None:
    mock = replaying(tmp_path, (said("a"), answer("1")), (said("b"), answer("x")), (said("a"), answer("2")))
    assert [got(mock, said("a")) for _ in range(4)] == ["1", "2", "2", "2"]


def test_each_scope_replays_from_the_beginning_and_so_does_a_reset(tmp_path: Path) -> None:
    mock = replaying(tmp_path, (said("a"), answer("1")), (said("a"), answer("2")))
    other = replace(said("a"), headers={**said("a").headers, "x-mock-scope": "other"})
    assert [got(mock, said("a")), got(mock, other), got(mock, said("a")), got(mock, other)] == ["1", "1", "2", "2"]
    mock.reset("other")
    assert [got(mock, other), got(mock, said("a"))] == ["1", "2"]


def test_processes_that_share_a_store_share_what_is_used(tmp_path: Path) -> None:
    replaying(tmp_path / "r", (said("a"), answer("1")), (said("a"), answer("2")))
    store = open_store(f"sqlite:///{tmp_path}/state.db")
    mocks = [with_replay(engine(store=store), tmp_path / "r") for _ in range(2)]
    assert [got(mock, said("a")) for mock in mocks] == ["1", "2"]
    store.close()


def test_a_reply_that_is_not_2xx_is_replayed_also_for_what_the_mock_refuses(tmp_path: Path) -> None:
    busy = Reply(429, {"content-type": "application/json", "retry-after": "7"}, b'{"answer":"busy"}')
    unknown = Request("GET", "/nowhere")
    mock = replaying(tmp_path, (said("a", temperature=9), busy), (unknown, Reply(418, {}, b"tea")))
    reply = mock.reply(said("a", temperature=9))
    assert (reply.status, reply.headers["retry-after"]) == (429, "7")
    assert mock.reply(unknown).status == 418


def test_a_session_of_a_deployment_goes_on_with_its_own_id(tmp_path: Path) -> None:
    id = "9b2f6a9e-64c5-4f0e-8f6a-0a8e6f6d2b11"
    created = Reply(200, {"content-type": "application/json"}, json.dumps({"session_id": id}).encode())
    mock = replaying(
        tmp_path,
        (said("Hello", create_session=True), created),
        (said("And?", store_in_session=id), answer("as I said")),
    )
    first = json.loads(mock.reply(said("Hello", create_session=True)).content())
    assert got(mock, said("And?", store_in_session=first["session_id"])) == "as I said"
    assert mock.reply(said("And?", store_in_session=id[:-1] + "2")).status == 404


# What counts as the same request


@pytest.mark.parametrize(
    ("sent", "is_same"),
    [
        (said("a", user="u"), True),
        (replace(said("a", user="u"), body=b'{"user":"u","messages":[{"content":"a","role":"user"}]}'), True),
        (replace(said("a", user="u"), headers={"content-type": "application/json", "user-agent": "other"}), True),
        (replace(said("a", user="u"), query=(("b", "2"), ("a", "1"))), False),
        (said("a", user="v"), False),
        (said("b", user="u"), False),
        (replace(said("a", user="u"), method="PUT"), False),
        (replace(said("a", user="u"), path=path_of("other")), False),
    ],
)
def test_what_counts_is_method_path_query_and_body(sent: Request, is_same: bool) -> None:
    forms = [canonical(one, Ignored(), HIDE) for one in (said("a", user="u"), sent)]
    assert (key_of(forms[0]) == key_of(forms[1])) is is_same
    assert (differences(*forms) == []) is is_same


def with_call(id: str, result_id: str) -> Request:
    call = {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    called = {"role": "assistant", "content": None, "tool_calls": [call]}
    return request({"messages": [called, {"role": "tool", "tool_call_id": result_id, "content": "1"}]})


def test_ids_of_tool_calls_do_not_count_but_what_they_refer_to_does(tmp_path: Path) -> None:
    mock = replaying(tmp_path, (with_call("call_1", "call_1"), answer("1")), strict=True)
    assert got(mock, with_call("other", "other")) == "1"
    assert mock.reply(with_call("call_1", "call_2")).status == 404


def test_a_date_in_the_prompt_is_ignored_on_request(tmp_path: Path) -> None:
    exchanges = (said("Today is 2026-11-25, 10:30. Hello!"), answer("1"))
    today = said("Today is 2027-01-01, 09:15. Hello!")
    assert got(replaying(tmp_path, exchanges, ignore=["dates", "times"]), today) == "1"
    assert replaying(tmp_path, ignore=["dates"], strict=True).reply(today).status == 404


@pytest.mark.parametrize("what", ["body/user", "body/*", "re:u[0-9]+", "uuids"])
def test_what_is_ignored_does_not_count(tmp_path: Path, what: str) -> None:
    ids = ("9b2f6a9e-64c5-4f0e-8f6a-0a8e6f6d2b11", "11111111-64c5-4f0e-8f6a-0a8e6f6d2b11")
    users = ids if what == "uuids" else ("u1", "u22")
    mock = replaying(tmp_path, (said("a", user=users[0]), answer("1")), ignore=[what], strict=True)
    assert got(mock, said("a", user=users[1])) == "1"


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("day", "day is not known. Use a place such as body/user, dates, times, uuids, or re:PATTERN."),
        ("re:(", "re:(: missing ), unterminated subpattern at position 0. Write a regular expression of Python"),
    ],
)
def test_a_wrong_setting_is_reported(what: str, why: str) -> None:
    with pytest.raises(IgnoreError) as error:
        read_ignored([what])
    assert str(error.value).startswith(why)


def form(boundary: str, **fields: str) -> Request:
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return Request("POST", "/upload", (), headers, "".join([*parts, f"--{boundary}--\r\n"]).encode())


def test_the_border_of_a_multipart_form_does_not_count_and_its_fields_do(tmp_path: Path) -> None:
    mock = replaying(tmp_path, (form("one", a="1", b="2"), answer("1")), strict=True)
    assert got(mock, form("two", b="2", a="1")) == "1"
    assert mock.reply(form("one", a="1", b="3")).status == 404


def test_a_secret_does_not_count(tmp_path: Path) -> None:
    def sent(token: str) -> Request:
        return replace(said(f"echo {token}"), headers={"authorization": f"Bearer {token}"})

    mock = replaying(tmp_path, (sent("first-token-123"), answer("1")), strict=True)
    assert got(mock, sent("second-token-456")) == "1"


def test_a_name_that_the_recorder_hid_does_not_count(tmp_path: Path) -> None:
    hide = HIDE.also_named(["note"])
    write_recording(tmp_path, 1, without_secrets(Exchange(said("a", note="x1"), answer("1")), hide), ["note"])
    assert got(with_replay(engine(), tmp_path, strict=True), said("a", note="y2")) == "1"


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 2000, b"\xff\xfe", b"9" * 400, b'{"a":' * 600 + b"1" + b"}" * 600])
def test_any_body_can_be_replayed(tmp_path: Path, body: bytes) -> None:
    sent = Request("POST", "/x", (), {"content-type": "application/json"}, body)
    assert got(replaying(tmp_path, (sent, answer("1")), strict=True), sent) == "1"


# A miss


def test_a_miss_is_computed_and_names_the_closest_recording(tmp_path: Path) -> None:
    mock = replaying(tmp_path, (said("Describe the sea", user="u"), answer("1")), (said("b"), answer("2")))
    assert got(mock, said("Describe the sky", user="u")) == "computed"
    assert mock.requests()[0]["hints"] == [
        "No recording matches. The closest is 0001-chat.json: "
        'body/messages/0/content: recorded "Describe the sea", sent "Describe the sky"'
    ]


def test_a_strict_miss_is_refused(tmp_path: Path) -> None:
    mock = replaying(tmp_path, (said("a"), answer("1")), strict=True)
    reply = mock.reply(said("b", n=2))
    assert reply.status == 404
    assert json.loads(reply.content())["detail"] == (
        "No recording matches. The closest is 0001-chat.json: "
        'body/messages/0/content: recorded "a", sent "b"; body/n: recorded nothing, sent 2'
    )


def test_a_strict_replay_refuses_what_is_used_up(tmp_path: Path) -> None:
    mock = replaying(tmp_path, (said("a"), answer("1")), strict=True)
    assert [mock.reply(said("a")).status for _ in range(2)] == [200, 404]
    assert (
        "Every recording of this request has been replayed: 0001-chat.json."
        in mock.requests()[0]["reply"]["json"]["detail"]
    )


def test_without_recordings_everything_is_a_miss(tmp_path: Path) -> None:
    assert b"there are none" in replaying(tmp_path, strict=True).reply(said("a")).content()


def test_a_replay_asks_for_the_mocks_token(tmp_path: Path) -> None:
    replaying(tmp_path, (said("a"), answer("1")))
    mock = with_replay(engine(Config(tokens=("secret-of-the-mock",))), tmp_path)
    assert mock.reply(said("a")).status == 401
