"""Refusals of well-formed requests for something unknown, and the content of a 422."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from agent_contract.messages import JSON
from contract_tests.assertions import expect
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.payloads import HELLO, MAX_TOKENS, plain
from contract_tests.verdict import failed, no_further_finding, not_supported, not_tested
from contract_tests.wire.exchange import Exchange

#: How a server may refuse a token.
DENIALS = (401, 403)
#: A value of a wrong type for each of these fields, all in one body.
WRONG: dict[str, JSON] = {"messages": "Hello!", "temperature": {"celsius": 20}, "n": "two", "max_tokens": {}}
NARRATOR: list[JSON] = [{"role": "narrator", "content": "Once upon a time."}]
SYSTEM: list[JSON] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello!"}]


@pytest.mark.clause("chat.agent-unknown")
def test_an_unknown_agent_is_refused(deployment: Deployment) -> None:
    """The id is a fresh uuid."""
    expect.status(_of_nobody(deployment), expect.NOT_FOUND)


@pytest.mark.clause("chat.agent-unknown")
def test_an_invalid_agent_id_is_refused(deployment: Deployment) -> None:
    """A server that wants a uuid in the path may refuse it with a 422."""
    unknown_agent = {"agent_id": f"unknown-{deployment.unknown_id('agent')[:8]}"}
    exchange = deployment.chat(plain(), parameters=unknown_agent)
    expect.status(exchange, expect.NOT_FOUND, expect.UNPROCESSABLE)


@pytest.mark.clause("chat.check-order")
def test_a_body_is_checked_before_the_agent(deployment: Deployment) -> None:
    """Both are wrong."""
    unknown_agent = {"agent_id": deployment.unknown_id("agent")}
    expect.status(deployment.chat(plain(messages=[]), parameters=unknown_agent), expect.UNPROCESSABLE)


@pytest.mark.clause("chat.stream-refused")
@pytest.mark.parametrize("fault", ["agent", "messages", "model", "role"])
def test_a_streamed_request_is_refused_like_a_plain_one(deployment: Deployment, fault: str) -> None:
    """Before a stream begins the status is still free."""
    unknown_agent = {"agent_id": deployment.unknown_id("agent")} if fault == "agent" else None
    faults: dict[str, dict[str, JSON]] = {
        "messages": {"messages": []},
        "model": {"model": _strange_model(deployment)},
        "role": {"messages": NARRATOR},
    }
    body = plain(**faults.get(fault, {}))
    alike = deployment.chat(body, parameters=unknown_agent)
    if alike.status in range(200, 300):
        raise no_further_finding("the plain request is not refused")
    expect.status(deployment.chat({**body, "stream": True}, parameters=unknown_agent), alike.status)


@pytest.mark.clause("chat.model-unexpected")
def test_another_model_is_refused(deployment: Deployment) -> None:
    """No agent has a model of this name."""
    expect.status(deployment.chat(plain(model=_strange_model(deployment))), expect.BAD_REQUEST)


@pytest.mark.clause("chat.model-unexpected")
def test_a_model_with_a_similar_name_is_refused(deployment: Deployment) -> None:
    """It begins with the name of the agent's own."""
    own = expect.answer(deployment.chat(plain())).get("model")
    similar = f"{own}-{deployment.unknown_id('model')[:8]}"
    expect.status(deployment.chat(plain(model=similar)), expect.BAD_REQUEST)


def _strange_model(deployment: Deployment) -> str:
    return f"no-such-model-{deployment.unknown_id('model')[:8]}"


@pytest.mark.clause("chat.role-unknown")
@pytest.mark.parametrize("messages", [NARRATOR, [*NARRATOR, *HELLO], [*HELLO, *NARRATOR]], ids=["all", "first", "last"])
def test_an_unknown_role_is_refused(deployment: Deployment, messages: list[JSON]) -> None:
    """In whichever message it stands."""
    expect.status(deployment.chat(plain(messages=messages)), expect.BAD_REQUEST)


@pytest.mark.clause("chat.role-system")
def test_the_role_system_is_refused(deployment: Deployment) -> None:
    """The published page has it both ways."""
    expect.status(deployment.chat(plain(messages=SYSTEM)), expect.BAD_REQUEST)


@pytest.mark.clause("chat.validation-error")
@pytest.mark.parametrize("kind", ["missing", "bound", "type", "json"])
def test_a_422_has_a_detail(deployment: Deployment, kind: str) -> None:
    """Each fault has its location, a message and a type."""
    bodies: dict[str, JSON | bytes] = {
        "missing": {"max_tokens": MAX_TOKENS},
        "bound": plain(temperature=-0.1),
        "type": plain(n="two"),
        "json": b'{"messages": [',
    }
    exchange = deployment.chat(bodies[kind])
    if exchange.status != expect.UNPROCESSABLE:
        raise no_further_finding(f"no 422 to look at: {exchange.described()}")
    value = exchange.json()
    items = value.get("detail") if isinstance(value, dict) else None
    if not isinstance(items, list) or not items or not all(_is_fault(item) for item in items):
        raise failed('a list "detail" of {"loc": [...], "msg": "...", "type": "..."}', exchange.described(), exchange)
    if faults := deployment.conformity.faults(exchange):
        raise failed("a 422 as the document describes it", "; ".join(faults), exchange)


def _is_fault(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    loc = item.get("loc")
    steps = isinstance(loc, list) and all(isinstance(step, str | int) for step in loc)
    return steps and isinstance(item.get("msg"), str) and isinstance(item.get("type"), str)


@pytest.mark.clause("chat.validation-location")
def test_a_422_leads_to_the_field(deployment: Deployment) -> None:
    """Also if the field is an item of a list."""
    _find_locations(deployment.chat(plain(temperature=-0.1)), [("body", "temperature")])
    _find_locations(deployment.chat(plain(messages=["Hello!"])), [("body", "messages", 0)])


@pytest.mark.clause("chat.validation-all")
def test_a_422_names_every_faulty_field(deployment: Deployment) -> None:
    """Four are faulty."""
    _find_locations(deployment.chat({**WRONG}), [("body", name) for name in WRONG])


def _find_locations(exchange: Exchange, wanted: Iterable[tuple[object, ...]]) -> None:
    found = list(expect.locations(exchange))
    missing = [loc for loc in wanted if not any(there[: len(loc)] == loc for there in found)]
    if missing:
        raise failed(f"a fault at {json.dumps(missing)}", f"faults at {json.dumps(found)}", exchange)


@pytest.mark.clause("chat.error-detail")
@pytest.mark.parametrize("status", [expect.BAD_REQUEST, expect.NOT_FOUND])
def test_a_refusal_has_a_reason(deployment: Deployment, status: int) -> None:
    """The published page promises no body at all."""
    body = plain(messages=NARRATOR)
    exchange = deployment.chat(body) if status == expect.BAD_REQUEST else _of_nobody(deployment)
    if exchange.status != status:
        raise not_tested(f"no {status} to look at: {exchange.described()}")
    value = exchange.json()
    if not isinstance(value, dict) or not isinstance(value.get("detail"), str):
        raise failed('{"detail": "..."}', exchange.described(), exchange)


@pytest.mark.clause("chat.token-missing")
def test_a_request_without_a_token_is_refused(deployment: Deployment) -> None:
    """Which of the two statuses, servers differ in."""
    expect.status(_tokenless(deployment)["missing"], *DENIALS)


@pytest.mark.clause("chat.token-wrong")
def test_a_request_with_a_wrong_token_is_refused(deployment: Deployment) -> None:
    """The token is not even of the right form."""
    expect.status(_tokenless(deployment)["wrong"], *DENIALS)


@pytest.mark.clause("chat.token-status")
@pytest.mark.parametrize("fault", ["missing", "wrong"])
def test_a_token_is_refused_with_401(deployment: Deployment, fault: str) -> None:
    """A 403 means that another token wouldn't help."""
    expect.status(_tokenless(deployment)[fault], DENIALS[0])


@pytest.mark.clause("chat.token-challenge")
def test_a_401_has_a_challenge(deployment: Deployment) -> None:
    """RFC 9110, section 15.5.2."""
    denied = [exchange for exchange in _tokenless(deployment).values() if exchange.status == DENIALS[0]]
    if not denied:
        raise not_supported("the server answers no 401")
    for exchange in denied:
        if not exchange.header("www-authenticate"):
            raise failed("a header WWW-Authenticate", "none", exchange)


def _tokenless(deployment: Deployment) -> dict[str, Exchange]:
    """Return what a missing and what a wrong token get; a server that minds neither asks for none."""
    found = {
        "missing": deployment.chat(plain(), headers={"authorization": None}),
        "wrong": deployment.chat(plain(), headers={"authorization": "Bearer wrong"}),
    }
    if all(exchange.status == expect.OK for exchange in found.values()):
        raise not_supported("the server asks for no token")
    return found


def _of_nobody(deployment: Deployment) -> Exchange:
    return deployment.chat(plain(), parameters={"agent_id": deployment.unknown_id("agent")})
