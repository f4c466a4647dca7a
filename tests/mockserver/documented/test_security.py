"""Credentials must be present as the document requires them; their value does not matter."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from mockserver.engine import Engine
from tests.mockserver.documented.support.played import document, getting, play, send

BASIC = "Basic " + base64.b64encode(b"me:secret").decode()
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "oauth": {"type": "oauth2", "flows": {}},
    "tls": {"type": "mutualTLS"},
}
REQUIREMENTS: dict[str, list[dict[str, list[str]]]] = {
    **{name: [{name: []}] for name in SCHEMES},
    "both": [{"header": [], "query": []}],
    "either": [{"bearer": []}, {"header": []}],
    "optional": [{"bearer": []}, {}],
    "open": [],
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    paths = {f"/{name}": getting(security=requirement, operationId=name) for name, requirement in REQUIREMENTS.items()}
    written = document(paths, components={"securitySchemes": SCHEMES}, security=[{"bearer": []}])
    return play(tmp_path_factory.mktemp("security"), written)


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("/bearer", {"Authorization": "Bearer x"}, 200),
        ("/bearer", {"Authorization": "bearer x"}, 200),
        ("/bearer", {"Authorization": "Bearer "}, 401),
        ("/bearer", {"Authorization": BASIC}, 401),
        ("/bearer", {}, 401),
        ("/basic", {"Authorization": BASIC}, 200),
        ("/basic", {"Authorization": "Basic x"}, 401),
        ("/header", {"X-Key": "1"}, 200),
        ("/header", {}, 401),
        ("/query?key=1", {}, 200),
        ("/query", {}, 401),
        ("/cookie", {"Cookie": "a=b; sid=1"}, 200),
        ("/cookie", {"Cookie": "sid="}, 401),
        ("/oauth", {"Authorization": "Bearer x"}, 200),
        ("/tls", {}, 200),
        ("/both?key=1", {"X-Key": "1"}, 200),
        ("/both?key=1", {}, 401),
        ("/either", {"X-Key": "1"}, 200),
        ("/either", {}, 401),
        ("/optional", {}, 200),
        ("/open", {}, 200),
    ],
)
def test_credentials_are_required_as_documented(
    engine: Engine, address: str, headers: dict[str, str], status: int
) -> None:
    assert send(engine, "GET", address, headers=headers).reply.status == status


def test_a_refusal_names_what_to_send(engine: Engine) -> None:
    reply = send(engine, "GET", "/either").reply

    assert b"send `Authorization: Bearer <token>`, or the header `X-Key`." in reply.content()
    assert reply.headers["www-authenticate"] == "Bearer, ApiKey"


def test_security_can_be_switched_off(tmp_path: Path) -> None:
    written = document({"/it": getting(security=[{"bearer": []}])}, components={"securitySchemes": SCHEMES})

    assert send(play(tmp_path, written, security=False), "GET", "/it").reply.status == 200


def test_a_refusal_has_the_documented_form(tmp_path: Path) -> None:
    error = {"type": "object", "required": ["error"], "additionalProperties": False, "properties": {
        "error": {"type": "object", "required": ["message", "code"], "properties": {
            "message": {"type": "string"}, "code": {"const": 7}}}}}  # fmt: skip
    path = getting(security=[{"bearer": []}])
    path["get"]["responses"]["401"] = {"description": "no", "content": {"application/json": {"schema": error}}}
    engine = play(tmp_path, document({"/it": path}, components={"securitySchemes": SCHEMES}))

    reply = send(engine, "GET", "/it").reply

    assert reply.status == 401
    assert b'"code":7' in reply.content()
    assert b"Credentials required" in reply.content()
    assert "Credentials required" in reply.headers["x-mock-warning"]
