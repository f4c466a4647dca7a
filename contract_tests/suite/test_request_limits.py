"""Which values of a request's fields are accepted, and which are refused with 422."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from contract_tests.assertions import expect
from contract_tests.deployment.payloads import COUNT, HELLO, MAX_TOKENS, OUTSIDE, STOPS, plain
from contract_tests.suite.request_values import ACCEPTED, IMAGE, REFUSED, Case
from contract_tests.verdict import failed, no_further_finding, not_supported, not_tested
from contract_tests.wire import stream_rules

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

    from agent_contract.messages import JSON
    from contract_tests.deployment.deployment import Deployment

#: The clause that each range has.
RANGES = {f"chat.{name.replace('_', '-')}-range": name for name in OUTSIDE}
#: More words than this no token holds.
WORDS_A_TOKEN = 4
OPTIONAL = ("create_session", "seed", "temperature", "n", "stop", "max_tokens", "stream", "model", "store_in_session")


def cases(table: Iterable[Case]) -> list[ParameterSet]:
    """Return the table as parameters, each with its clause's mark."""
    return [
        pytest.param(fields, marks=pytest.mark.clause(clause), id=f"{clause}-{_spelled(fields)}")
        for clause, fields in table
    ]


def _spelled(fields: dict[str, JSON]) -> str:
    return json.dumps(fields).translate(str.maketrans("", "", '{}" []')) or "plain"


@pytest.mark.parametrize("fields", cases(REFUSED))
def test_a_wrong_value_is_refused(deployment: Deployment, fields: dict[str, JSON]) -> None:
    """The answer is 422, whatever its body."""
    expect.status(deployment.chat(plain(**fields)), expect.UNPROCESSABLE)


@pytest.mark.clause("chat.messages-required")
def test_a_body_without_messages_is_refused(deployment: Deployment) -> None:
    """Every field but this one is optional."""
    expect.status(deployment.chat({"max_tokens": MAX_TOKENS}), expect.UNPROCESSABLE)


@pytest.mark.parametrize("fields", cases(ACCEPTED))
def test_a_right_value_is_accepted(deployment: Deployment, fields: dict[str, JSON]) -> None:
    """The answer is 200, whatever its body."""
    expect.status(deployment.chat(plain(**fields)), expect.OK)


@pytest.mark.clause("chat.content-media")
def test_an_image_is_refused(deployment: Deployment) -> None:
    """Models that read images answer it."""
    message: JSON = {"role": "user", "content": [{"type": "text", "text": "What is in this picture?"}, IMAGE]}
    expect.status(deployment.chat(plain(messages=[message])), expect.BAD_REQUEST)


@pytest.mark.clause("chat.null-optional")
def test_null_counts_as_absence(deployment: Deployment) -> None:
    """`max_tokens` is kept: without it a real model talks on."""
    nulls: dict[str, JSON] = {name: None for name in OPTIONAL if name != "max_tokens"}
    expect.status(deployment.chat(plain(**nulls)), expect.OK)


@pytest.mark.clause("chat.coercion")
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"n": "1"}, expect.UNPROCESSABLE, id="text for an integer"),
        pytest.param({"n": True}, expect.UNPROCESSABLE, id="true for an integer"),
        pytest.param({"temperature": "1"}, expect.UNPROCESSABLE, id="text for a number"),
        pytest.param({"n": 1.0}, expect.OK, id="an integral float for an integer"),
    ],
)
def test_values_are_not_coerced(deployment: Deployment, fields: dict[str, JSON], status: int) -> None:
    """Servers differ here, and none is wrong."""
    expect.status(deployment.chat(plain(**fields)), status)


@pytest.mark.clause("chat.coercion")
@pytest.mark.parametrize("spelling", ["urn:uuid:{}", "{}"], ids=["urn", "without hyphens"])
def test_another_spelling_of_a_uuid_is_refused(deployment: Deployment, spelling: str) -> None:
    """The id names no session: a server that reads it answers as to an unknown one."""
    id = deployment.unknown_id("session")
    named = spelling.format(id if "urn" in spelling else id.replace("-", ""))
    expect.status(deployment.chat(plain(store_in_session=named)), expect.UNPROCESSABLE)


@pytest.mark.clause("chat.n-bound")
def test_an_n_beyond_all_measure_is_refused(deployment: Deployment) -> None:
    """A server without a bound may go down on it, so it is asked with breadth `deep` alone."""
    if deployment.options.breadth != "deep":
        raise not_tested("it may bring a server down; asked with --breadth deep")
    expect.status(deployment.chat(plain(n=2_000_000_000, max_tokens=1)), expect.BAD_REQUEST)


@pytest.mark.clause("chat.max-tokens-bound")
@pytest.mark.parametrize("most", [1, 3])
def test_an_answer_has_at_most_as_many_tokens(deployment: Deployment, most: int) -> None:
    """By the server's own count; and no token holds more than a few words."""
    exchange = deployment.chat(plain(messages=COUNT, max_tokens=most))
    counted = expect.tokens(exchange, "completion_tokens")
    words = len(expect.content(expect.choices(exchange)[0]).split())
    if counted > most or words > WORDS_A_TOKEN * most:
        raise failed(f"at most {most} completion tokens", f"{counted}, and {words} words", exchange)


@pytest.mark.clause("chat.max-completion-tokens-bound")
def test_the_later_name_of_the_bound_is_heeded(deployment: Deployment) -> None:
    """The question is one that is answered shortly by a server which ignores it."""
    body: dict[str, JSON] = {"messages": HELLO, "max_completion_tokens": 2}
    exchange = deployment.chat(body)
    expect.offered(exchange, "max_completion_tokens")
    expect.status(exchange, expect.OK)
    if (counted := expect.tokens(exchange, "completion_tokens")) > 2:
        raise failed("at most 2 completion tokens", f"{counted}", exchange)


@pytest.mark.parametrize("field", [pytest.param(name, marks=pytest.mark.clause(id)) for id, name in RANGES.items()])
def test_a_value_out_of_range_is_refused(deployment: Deployment, field: str) -> None:
    """All in one request, whose refusal names them; a field that it does not name is sent again alone."""
    exchange = deployment.chat(plain(**OUTSIDE))
    refusal = exchange.json()
    listed = isinstance(refusal, dict) and isinstance(refusal.get("detail"), list)
    if exchange.status == expect.UNPROCESSABLE and listed and any(field in loc for loc in expect.locations(exchange)):
        return
    expect.status(deployment.chat(plain(**{field: OUTSIDE[field]})), expect.UNPROCESSABLE)


@pytest.mark.clause("chat.max-tokens-bound")
def test_each_of_two_answers_has_at_most_as_many_tokens(deployment: Deployment) -> None:
    """If the server can give two."""
    exchange = deployment.chat(plain(n=2, temperature=0.7))
    if exchange.status != expect.OK:
        raise no_further_finding("n = 2 is refused")
    if (counted := expect.tokens(exchange, "completion_tokens")) > 2 * MAX_TOKENS:
        raise failed(f"at most 2 * {MAX_TOKENS} completion tokens", f"{counted}", exchange)


@pytest.mark.clause("chat.max-tokens-bound")
def test_a_streamed_answer_has_at_most_as_many_tokens(deployment: Deployment) -> None:
    """No token holds more than a few words."""
    exchange = deployment.chat(plain(messages=COUNT, max_tokens=3, stream=True))
    words = len(stream_rules.spoken(exchange.events).split())
    if words > 3 * WORDS_A_TOKEN:
        raise failed("at most 3 tokens", f"{words} words", exchange)


@pytest.mark.clause("chat.max-tokens-finish")
def test_an_answer_that_is_cut_ends_with_length(deployment: Deployment) -> None:
    """If the same question gets a longer answer with a higher limit, three tokens are a cut."""
    short = deployment.chat(plain(messages=COUNT, max_tokens=3))
    long = deployment.chat(plain(messages=COUNT))
    if expect.tokens(short, "completion_tokens") < 3 or expect.tokens(long, "completion_tokens") <= 3:
        raise not_tested("the answer was not cut")
    reason = expect.choices(short)[0].get("finish_reason")
    if reason is None:
        raise not_supported("the answer has no finish_reason")
    if reason != "length":
        raise failed("finish_reason length", f"finish_reason {json.dumps(reason)}", short)


@pytest.mark.clause("chat.max-tokens-finish")
def test_a_stream_that_is_cut_ends_with_length(deployment: Deployment) -> None:
    """If the plain answer to the same question was cut."""
    if expect.choices(deployment.chat(plain(messages=COUNT, max_tokens=3)))[0].get("finish_reason") != "length":
        raise no_further_finding("the plain answer was not cut")
    exchange = deployment.chat(plain(messages=COUNT, max_tokens=3, stream=True))
    chunks = stream_rules.chunks(exchange.events)
    reasons = [reason for chunk in chunks for _, _, reason in chunk.choices() if reason is not None]
    if reasons and reasons != ["length"]:
        raise failed("finish_reason length", f"finish_reason {json.dumps(reasons)}", exchange)


@pytest.mark.clause("chat.stop-content")
def test_no_stream_contains_its_stop_sequence(deployment: Deployment) -> None:
    """As a plain answer doesn't."""
    exchange = deployment.chat(plain(stop=STOPS, stream=True))
    said = stream_rules.spoken(exchange.events)
    if any(str(stop) in said for stop in STOPS):
        raise failed("content without e and a, the stop sequences", json.dumps(said, ensure_ascii=False), exchange)


@pytest.mark.clause("chat.stop-content")
def test_no_answer_contains_its_stop_sequence(deployment: Deployment) -> None:
    """Hardly any text does without one of them."""
    exchange = deployment.chat(plain(stop=STOPS))
    said = expect.content(expect.choices(exchange)[0])
    if any(str(stop) in said for stop in STOPS):
        raise failed("content without e and a, the stop sequences", json.dumps(said, ensure_ascii=False), exchange)


@pytest.mark.clause("chat.model-own")
def test_the_agents_own_model_is_accepted(deployment: Deployment) -> None:
    """The model is the one that an answer names."""
    model = expect.answer(deployment.chat(plain())).get("model")
    if not isinstance(model, str) or not model:
        raise not_tested("the answer names no model")
    expect.status(deployment.chat(plain(model=model)), expect.OK)


@pytest.mark.clause("chat.reply-model-echoed")
def test_the_model_that_was_asked_for_is_named_in_the_answer(deployment: Deployment) -> None:
    """It may be named in another form."""
    model = expect.answer(deployment.chat(plain())).get("model")
    if not isinstance(model, str) or not model:
        raise not_tested("the answer names no model")
    exchange = deployment.chat(plain(model=model))
    if (named := expect.answer(exchange).get("model")) != model:
        raise failed(f"model {model}", f"model {named}", exchange)


@pytest.mark.clause("chat.n-choices")
def test_there_are_as_many_choices_as_asked_for(deployment: Deployment) -> None:
    """A server may not have more than one choice to offer."""
    exchange = deployment.chat(plain(n=2, temperature=0.7))
    if exchange.status in range(400, 500):
        raise not_supported(f"n = 2 is refused: {exchange.described()}")
    expect.status(exchange, expect.OK)
    found = expect.answer(exchange).get("choices")
    if not isinstance(found, list) or len(found) != 2:
        raise failed("2 choices", exchange.described(), exchange)


@pytest.mark.clause("chat.n-choices")
def test_an_n_of_one_gives_one_choice(deployment: Deployment) -> None:
    """As its absence does."""
    exchange = deployment.chat(plain(n=1))
    if len(expect.choices(exchange)) != 1:
        raise failed("1 choice", exchange.described(), exchange)


@pytest.mark.clause("chat.n-default")
def test_without_n_there_is_one_choice(deployment: Deployment) -> None:
    """The default of `n` is 1."""
    exchange = deployment.chat(plain())
    found = expect.answer(exchange).get("choices")
    if not isinstance(found, list) or len(found) != 1:
        raise failed("1 choice", exchange.described(), exchange)
