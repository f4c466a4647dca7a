"""Whether tools are called as asked, how a call looks, and whether its result is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.assertions import expect
from contract_tests.assertions.sessions import SLACK, created, extended, prompt, session_id, size
from contract_tests.deployment.payloads import FORM_TOKENS, NEXT, plain, turn
from contract_tests.verdict import failed, no_further_finding, not_supported, not_tested, warning
from contract_tests.wire import stream_rules

if TYPE_CHECKING:
    from agent_contract.messages import JSON
    from contract_tests.deployment.deployment import Deployment
    from contract_tests.wire.exchange import Exchange

NAME = "get_weather"
TOOL: JSON = {
    "type": "function",
    "function": {
        "name": NAME,
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
NAMED: JSON = {"type": "function", "function": {"name": NAME}}
WEATHER: list[JSON] = [{"role": "user", "content": "What is the weather in Paris?"}]


def _asked(deployment: Deployment, choice: JSON = NAMED, **fields: JSON) -> Exchange:
    """Return the answer to a request with a tool; raises the verdict `not supported` if the server has none."""
    body = plain(messages=WEATHER, tools=[TOOL], tool_choice=choice, max_tokens=FORM_TOKENS)
    exchange = deployment.chat({**body, **fields})
    expect.offered(exchange, f"a tool_choice of {json.dumps(choice)}")
    return exchange


def _message(exchange: Exchange) -> Mapping[str, Any]:
    message = expect.choices(exchange)[0].get("message")
    return message if isinstance(message, dict) else {}


def _calls(exchange: Exchange) -> list[Any]:
    """Return the calls of the first choice; raises the verdict `not tested` if it was cut."""
    if expect.choices(exchange)[0].get("finish_reason") == "length":
        raise not_tested(f"the answer was cut after {FORM_TOKENS} tokens")
    found = _message(exchange).get("tool_calls")
    return found if isinstance(found, list) else []


def _made(deployment: Deployment) -> tuple[Exchange, list[Any]]:
    """Return the answer to a request that names the function, with its calls; whether there are any is one clause's."""
    exchange = _asked(deployment)
    calls = _calls(exchange)
    if not calls:
        raise not_tested(f"no call to look at: {exchange.described()}")
    return exchange, calls


def _function(call: Any) -> Mapping[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    return function if isinstance(function, dict) else {}


@pytest.mark.clause("chat.tool-choice-named")
def test_a_function_that_is_named_is_called(deployment: Deployment) -> None:
    """And no other."""
    exchange = _asked(deployment)
    expect.status(exchange, expect.OK)
    names = [_function(call).get("name") for call in _calls(exchange)]
    if not names or set(map(str, names)) != {NAME}:
        raise failed(f"a call of {NAME}", f"calls of {json.dumps(names)}" if names else exchange.described(), exchange)


@pytest.mark.clause("chat.tool-choice-required")
def test_a_call_that_is_required_is_made(deployment: Deployment) -> None:
    """There is one tool to call."""
    exchange = _asked(deployment, "required")
    expect.status(exchange, expect.OK)
    if not _calls(exchange):
        raise failed("a call", exchange.described(), exchange)


@pytest.mark.clause("chat.tool-choice-none")
def test_no_call_is_made_if_none_is_wanted(deployment: Deployment) -> None:
    """The tools may be there from an earlier turn."""
    exchange = _asked(deployment, "none")
    expect.status(exchange, expect.OK)
    if _message(exchange).get("tool_calls"):
        raise failed("no call", exchange.described(), exchange)


@pytest.mark.clause("chat.tool-choice-finish")
@pytest.mark.parametrize("choice", [NAMED, "required"], ids=["named", "required"])
def test_an_answer_with_calls_ends_with_tool_calls(deployment: Deployment, choice: JSON) -> None:
    """Some servers end with `stop` if the request asked for a call."""
    exchange = _asked(deployment, choice)
    if not _calls(exchange):
        raise not_tested(f"no call to look at: {exchange.described()}")
    reason = expect.choices(exchange)[0].get("finish_reason")
    if reason is None:
        raise not_supported("the answer has no finish_reason")
    if reason not in ("tool_calls", "stop"):
        raise failed("finish_reason tool_calls or stop", f"finish_reason {json.dumps(reason)}", exchange)


@pytest.mark.clause("chat.tool-call")
def test_a_call_has_all_that_a_client_needs(deployment: Deployment) -> None:
    """Each its own id, which the result names. The type may be absent: there is one, and it is the default."""
    exchange, calls = _made(deployment)
    ids = [call.get("id") if isinstance(call, dict) else None for call in calls]
    for call in calls:
        whole = (
            isinstance(call, dict)
            and call.get("type", "function") == "function"
            and {"name", "arguments"} <= {*_function(call)}
        )
        if not whole:
            raise failed("a function's call with name and arguments", json.dumps(call), exchange)
    if not all(isinstance(id, str) and id for id in ids) or len(set(ids)) < len(ids):
        raise failed("an id of its own for each call", json.dumps(ids), exchange)


@pytest.mark.clause("chat.tool-arguments")
def test_the_arguments_of_a_call_are_json(deployment: Deployment) -> None:
    """In a string; whether they fit the tool's schema depends on the model."""
    exchange, calls = _made(deployment)
    for call in calls:
        _want_json(_function(call).get("arguments"), exchange)


@pytest.mark.clause("chat.tools-answered")
def test_the_result_of_a_call_is_answered(deployment: Deployment) -> None:
    """The call is sent back as it came, and with it its result."""
    first, calls = _made(deployment)
    said: JSON = {"role": "assistant", "content": _message(first).get("content") or "", "tool_calls": calls}
    results: list[JSON] = [
        {"role": "tool", "tool_call_id": call.get("id"), "content": "18 degrees, sunny."}
        for call in calls
        if isinstance(call, dict)
    ]
    body = plain(messages=[*WEATHER, said, *results], tools=[TOOL], tool_choice="none")
    expect.status(deployment.chat(body), expect.OK, after=[first])


@pytest.mark.clause("chat.session-tool-turns")
def test_a_call_and_its_result_are_context(deployment: Deployment) -> None:
    """A request brings both into a session; a later turn counts what it counts when they are sent with it."""
    call: JSON = {"id": "call_1", "type": "function", "function": {"name": NAME, "arguments": '{"city": "Paris"}'}}
    said: JSON = {"role": "assistant", "content": "", "tool_calls": [call]}
    messages = [*WEATHER, said, _result("call_1")]
    expect.offered(deployment.chat(turn(messages, create_session=True)), "a message with a tool's result")
    session = extended(deployment, created(deployment, 0, messages))
    _want_counted(deployment, [*messages, *NEXT], *session.turns)


@pytest.mark.clause("chat.session-tool-turns")
def test_the_result_of_a_call_is_taken_in_the_session_that_has_the_call(deployment: Deployment) -> None:
    """The call is the model's own; the request brings its result alone."""
    fields: dict[str, JSON] = {"tools": [TOOL], "max_tokens": FORM_TOKENS}
    first = deployment.chat(turn(WEATHER, create_session=True, tool_choice=NAMED, **fields))
    session = session_id(first)
    calls = _calls(first) if first.status == expect.OK and session else []
    ids = [str(call.get("id")) for call in calls if isinstance(call, dict)]
    if not ids:
        raise no_further_finding(f"no call in a session to look at: {first.described()}")
    results = [_result(id) for id in ids]
    exchange = deployment.chat(turn(results, session, tool_choice="none", **fields))
    expect.status(exchange, expect.OK, after=[first])
    said: JSON = {"role": "assistant", "content": "", "tool_calls": calls}
    _want_counted(deployment, [*WEATHER, said, *results], first, exchange, tool_choice="none", **fields)


def _result(id: str) -> JSON:
    return {"role": "tool", "tool_call_id": id, "content": "18 degrees, sunny, a light wind from the west."}


def _want_counted(deployment: Deployment, messages: list[JSON], *turns: Exchange, **fields: JSON) -> None:
    """Want that the last turn counts no less than all messages that are sent without a session; counts may vary."""
    size(deployment)
    sent = deployment.chat(turn(messages, **fields))
    if sent.status != expect.OK:
        raise no_further_finding(f"the messages can't be sent without a session: {sent.described()}")
    if prompt(turns[-1]) < prompt(sent) - SLACK:
        expected = f"prompt_tokens of at least {prompt(sent)}, as if the messages were sent without a session"
        raise failed(expected, f"{prompt(turns[-1])}", sent, *turns)


@pytest.mark.clause("chat.stream-tool-calls")
def test_the_pieces_of_a_streamed_call_make_it_up(deployment: Deployment) -> None:
    """If the plain answer has a call, and the stream is not cut."""
    _made(deployment)
    exchange = _asked(deployment, stream=True)
    expect.status(exchange, expect.OK)
    found = stream_rules.chunks(exchange.events)
    if any(reason == "length" for chunk in found for _, _, reason in chunk.choices()):
        raise not_tested(f"the stream was cut after {FORM_TOKENS} tokens")
    begun: dict[int, Mapping[str, Any]] = {}
    texts: dict[int, str] = {}
    for piece in _pieces(found):
        index = piece.get("index")
        if not isinstance(index, int) or isinstance(index, bool):
            raise failed("pieces of calls with their index", json.dumps(piece), exchange)
        if index not in begun and not (piece.get("id") and _function(piece).get("name")):
            raise failed("a first piece with id and name", json.dumps(piece), exchange)
        first = begun.setdefault(index, piece)
        if piece.get("id") not in (None, "", first["id"]):
            raise failed(f"one id for call {index}", json.dumps([first["id"], piece["id"]]), exchange)
        texts[index] = texts.get(index, "") + str(_function(piece).get("arguments") or "")
    if not begun:
        raise failed("the pieces of a call, as the plain answer has one", "none", exchange)
    for text in texts.values():
        _want_json(text, exchange)


def _pieces(found: tuple[stream_rules.Chunk, ...]) -> Iterator[Mapping[str, Any]]:
    """Yield the pieces of calls in the order of a stream; a piece that is not an object counts as empty."""
    for chunk in found:
        for _, delta, _ in chunk.choices():
            pieces = delta.get("tool_calls")
            yield from (
                piece if isinstance(piece, dict) else {} for piece in (pieces if isinstance(pieces, list) else ())
            )


def _want_json(arguments: object, exchange: Exchange) -> None:
    try:
        json.loads(arguments if isinstance(arguments, str) else "")
    except ValueError:
        raise failed("arguments that are JSON in a string", json.dumps(arguments), exchange) from None


@pytest.mark.clause("chat.tool-choice-unknown")
def test_a_choice_of_an_unknown_function_is_refused(deployment: Deployment) -> None:
    """With 422 by servers whose schema checks tools, and with 400 by others; if the server supports tools at all."""
    _asked(deployment)
    other: JSON = {"type": "function", "function": {"name": "get_time"}}
    body = plain(messages=WEATHER, tools=[TOOL], tool_choice=other)
    exchange = deployment.chat(body)
    wanted = (expect.BAD_REQUEST, expect.UNPROCESSABLE)
    if exchange.status in range(400, 500) and exchange.status not in wanted:
        raise warning(f"refused otherwise: {exchange.described()}", exchange)
    expect.status(exchange, *wanted)
