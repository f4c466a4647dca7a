"""Bodies, content and methods that clients should not send, and sometimes do."""

from __future__ import annotations

import json

import pytest

from contract_tests.assertions import expect
from contract_tests.deployment.deployment import OPERATION, Deployment
from contract_tests.deployment.payloads import plain
from contract_tests.suite.request_values import NO_JSON, NO_OBJECT, OF_ALL, TEXTS, variety
from contract_tests.verdict import failed, not_supported, not_tested
from contract_tests.wire.exchange import Exchange

METHODS = ("GET", "PUT", "PATCH", "DELETE")


def _with(text: str) -> bytes:
    """Return a plain body with so much JSON in the place of the temperature."""
    return json.dumps(plain(temperature="@")).replace('"@"', text).encode()


UNREPRESENTABLE = {
    "nan": _with("NaN"),
    "infinity": _with("-Infinity"),
    "too large": _with("1e400"),
    "half a surrogate pair": json.dumps(plain(messages=[{"role": "user", "content": "\ud83d"}])).encode(),
}


@pytest.mark.clause("chat.text-unusual")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_text_makes_the_server_fail(deployment: Deployment, text: str) -> None:
    """It may be refused."""
    expect.no_server_error(deployment.chat(plain(messages=[{"role": "user", "content": text}])))


@pytest.mark.clause("chat.body-missing")
def test_no_body_is_refused(deployment: Deployment) -> None:
    """The content type is JSON's."""
    exchange = deployment.chat(b"", headers={"content-type": "application/json"})
    expect.status(exchange, expect.UNPROCESSABLE)


@pytest.mark.clause("chat.body-malformed")
@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_a_malformed_body_is_refused(deployment: Deployment, body: bytes) -> None:
    """Its content type is JSON."""
    expect.status(deployment.chat(body), expect.UNPROCESSABLE)


@pytest.mark.clause("chat.body-not-an-object")
@pytest.mark.parametrize("body", NO_OBJECT.values(), ids=NO_OBJECT)
def test_a_body_that_is_not_an_object_is_refused(deployment: Deployment, body: bytes) -> None:
    """It is JSON, though."""
    expect.status(deployment.chat(body), expect.UNPROCESSABLE)


@pytest.mark.clause("chat.body-content-type")
def test_a_body_that_is_sent_as_plain_text_is_refused(deployment: Deployment) -> None:
    """Its bytes are a right request's."""
    exchange = deployment.chat(plain(), headers={"content-type": "text/plain"})
    expect.status(exchange, expect.UNPROCESSABLE)


@pytest.mark.clause("chat.body-content-type-absent")
def test_a_body_without_a_content_type_is_refused(deployment: Deployment) -> None:
    """Its bytes are a right request's."""
    expect.status(deployment.chat(plain(), headers={"content-type": None}), expect.UNPROCESSABLE)


@pytest.mark.clause("chat.body-not-utf8")
def test_a_body_that_is_not_utf8_is_refused(deployment: Deployment) -> None:
    """A byte that UTF-8 never has, inside a string."""
    body = json.dumps(plain(messages=[{"role": "user", "content": "@"}])).encode().replace(b"@", b"\xff")
    expect.status(deployment.chat(body, lenient=True), expect.BAD_REQUEST)


@pytest.mark.clause("chat.body-too-deep")
def test_a_body_of_lists_in_lists_is_refused(deployment: Deployment) -> None:
    """Ten thousand deep, and none of them closed."""
    expect.status(deployment.chat(b"[" * 10_000, lenient=True), expect.BAD_REQUEST)


@pytest.mark.clause("chat.body-unrepresentable")
@pytest.mark.parametrize("body", UNREPRESENTABLE.values(), ids=UNREPRESENTABLE)
def test_what_has_no_value_is_refused(deployment: Deployment, body: bytes) -> None:
    """Many a server fails on it."""
    expect.status(deployment.chat(body, lenient=True), expect.UNPROCESSABLE)


@pytest.mark.clause("chat.body-duplicate-key")
def test_of_a_key_that_stands_twice_the_last_counts(deployment: Deployment) -> None:
    """The first would be refused."""
    body = json.dumps(plain(temperature=1)).replace('"temperature"', '"temperature": -1, "temperature"')
    expect.status(deployment.chat(body.encode()), expect.OK)


@pytest.mark.clause("chat.body-too-large")
def test_a_body_beyond_all_measure_is_refused(deployment: Deployment) -> None:
    """It is blank: a server that reads it all finds nothing to answer."""
    exchange = deployment.chat(b" " * (4 * 1024 * 1024 + 1), lenient=True)
    if exchange.status in (expect.BAD_REQUEST, expect.UNPROCESSABLE):
        raise not_supported("the server takes 4 MiB")
    if exchange.failure and not exchange.status:
        raise not_tested(f"the server hung up: {exchange.failure}")
    expect.status(exchange, 413)


@pytest.mark.clause("chat.method-refused")
@pytest.mark.parametrize("method", METHODS)
def test_another_method_is_refused(deployment: Deployment, method: str) -> None:
    """Gateways answer in many ways, but a success or a server error is wrong; 501 means an unknown method."""
    exchange = _by(deployment, method)
    if exchange.status in range(200, 300) or exchange.status not in (*range(100, 500), expect.NOT_IMPLEMENTED):
        raise failed("neither a success nor a server error", exchange.described(), exchange)


@pytest.mark.clause("chat.method-allow")
@pytest.mark.parametrize("method", METHODS)
def test_a_405_lists_the_allowed_methods(deployment: Deployment, method: str) -> None:
    """RFC 9110, section 15.5.6."""
    exchange = _by(deployment, method)
    if exchange.status != 405:
        raise not_supported(f"{method} is answered {exchange.described()}")
    allowed = [value for name, value in exchange.headers if name == "allow"]
    if not allowed:
        raise failed("a header Allow", "none", exchange)
    if method in (one.strip() for value in allowed for one in value.split(",")):
        raise failed(f"a header Allow without {method}, which was just refused", ", ".join(allowed), exchange)


def _by(deployment: Deployment, method: str) -> Exchange:
    """Ask by another method; DELETE, which a server may mean seriously, is asked of no agent's path."""
    unknown_agent = {"agent_id": deployment.unknown_id("agent")} if method == "DELETE" else None
    body = plain() if method in ("PUT", "PATCH") else None
    return deployment.chat(body, method=method, parameters=unknown_agent, lenient=True)


@pytest.mark.contract_last
@pytest.mark.clause(OF_ALL[0])
def test_no_request_got_a_server_error(deployment: Deployment) -> None:
    """Of all that the run has sent but what only a broken client sends: NaN, ten thousand lists, odd methods."""
    variety(deployment)
    for exchange in deployment.client.log:
        if exchange.operation == OPERATION and not exchange.lenient:
            expect.no_server_error(exchange)


@pytest.mark.contract_last
@pytest.mark.clause(OF_ALL[1])
def test_every_status_was_a_documented_one(deployment: Deployment) -> None:
    """Of all that the run has seen; server errors and refused methods are other clauses' matter."""
    variety(deployment)
    known = deployment.conformity.statuses
    for exchange in deployment.client.log:
        ours = exchange.operation == OPERATION and not exchange.lenient
        if ours and exchange.status in range(100, 500) and exchange.status not in known:
            raise failed(f"one of {', '.join(map(str, sorted(known)))}", exchange.described(), exchange)
