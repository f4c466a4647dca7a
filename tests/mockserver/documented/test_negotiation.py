"""Media types of requests and replies, and the methods that every path has."""

from __future__ import annotations

import pytest

from mockserver.engine import Engine
from tests.mockserver.documented.support.played import document, getting, play, send

STRING = {"schema": {"type": "string"}}
PATHS = {
    "/it": {
        **getting({"text/plain": STRING, "application/json": STRING, "application/xml": {"example": "<a/>"}}),
        "post": {
            "operationId": "write",
            "requestBody": {"content": {"application/json": {}, "text/*": {}}},
            "responses": {"200": {"description": "ok"}},
        },
    },
    "/image": {"get": {"operationId": "draw", "responses": {
        "200": {"description": "", "content": {"image/*": STRING}}}}},
    "/head": {"head": {"operationId": "look", "responses": {"200": {"description": "", "headers": {
        "X-Count": {"schema": {"const": 3}}, "X-List": {"schema": {"const": ["a", "b"]}}}}}}},
}  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return play(tmp_path_factory.mktemp("negotiation"), document(PATHS))


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "text/plain"),
        ("text/*", "text/plain"),
        ("application/xml;q=0.9, text/plain;q=0.5", "application/xml"),
        ("application/xml;q=0.5, text/plain;q=0.9", "text/plain"),
        ("application/json;q=0.1, */*;q=0.5", "text/plain"),
        ("text/plain;q=0, */*", "application/json"),
        ("image/gif, */*;q=0.1", "application/json"),
    ],
)
def test_the_accepted_media_type_is_sent(engine: Engine, accept: str, sent: str) -> None:
    reply = send(engine, "GET", "/it", headers={"Accept": accept} if accept else {}).reply

    assert (reply.status, reply.headers["content-type"]) == (200, sent)


def test_a_media_type_that_is_not_documented_is_not_acceptable(engine: Engine) -> None:
    reply = send(engine, "GET", "/it", headers={"Accept": "image/gif"}).reply

    assert reply.status == 406
    assert b"Documented: text/plain, application/json, application/xml." in reply.content()


@pytest.mark.parametrize(("accept", "sent"), [("", "image/png"), ("image/webp", "image/webp")])
def test_a_range_of_media_types_is_sent_as_one_of_them(engine: Engine, accept: str, sent: str) -> None:
    assert send(engine, "GET", "/image", headers={"Accept": accept}).reply.headers["content-type"] == sent


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("application/json", 200), ("application/vnd.x+json", 200), ("text/csv", 200), ("image/png", 415), ("", 200)],
)
def test_a_body_of_an_undocumented_media_type_is_refused(engine: Engine, content_type: str, status: int) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    reply = send(engine, "POST", "/it", b"1", headers).reply

    assert reply.status == status
    assert ("accept" in reply.headers) == (status == 415)


def test_head_is_answered_like_get_without_a_body(engine: Engine) -> None:
    reply = send(engine, "HEAD", "/it").reply

    assert (reply.status, reply.content(), reply.headers["content-type"]) == (200, b"", "application/json")


def test_a_documented_head_is_answered_with_its_headers(engine: Engine) -> None:
    headers = send(engine, "HEAD", "/head").reply.headers

    assert (headers["x-count"], headers["x-list"]) == ("3", "a,b")


def test_options_lists_the_methods_of_a_path(engine: Engine) -> None:
    reply = send(engine, "OPTIONS", "/it").reply

    assert (reply.status, reply.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert send(engine, "PUT", "/it").reply.headers["allow"] == "GET, HEAD, OPTIONS, POST"
