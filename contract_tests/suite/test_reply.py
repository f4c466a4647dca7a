"""What a plain answer looks like."""

from __future__ import annotations

import json

import pytest

from agent_contract.messages import JSON
from contract_tests.assertions import expect
from contract_tests.assertions.clock import A_DAY, server_time, want_clock
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.payloads import COMPLETE_TOKENS, COUNT, SHORT, STOPS, plain
from contract_tests.suite.constants import COUNTS, FINISH_REASONS, UUID
from contract_tests.verdict import failed, not_supported, not_tested, warning
from contract_tests.wire.exchange import Exchange


@pytest.fixture(name="hello", scope="session")
def _hello(deployment: Deployment) -> Exchange:
    return deployment.chat(plain())


@pytest.fixture(name="answers", scope="session")
def _answers(deployment: Deployment) -> list[Exchange]:
    """The answers of several kinds of request, those that were given."""
    kinds: tuple[dict[str, JSON], ...] = (
        {},
        {"messages": COUNT, "max_tokens": 3},
        {"stop": STOPS},
        {"n": 2, "temperature": 0.7},
        {"create_session": True},
    )
    exchange = [deployment.chat(plain(**fields)) for fields in kinds]
    return [one for one in exchange if one.status == expect.OK]


@pytest.mark.clause("chat.stream-default")
@pytest.mark.parametrize("fields", [{}, {"stream": False}], ids=["unset", "false"])
def test_without_stream_the_answer_is_one_json_document(deployment: Deployment, fields: dict[str, bool]) -> None:
    """Whatever its content type."""
    exchange = deployment.chat(plain(**fields))
    expect.status(exchange, expect.OK)
    if not isinstance(exchange.json(), dict):
        raise failed("one JSON object", exchange.described(), exchange)


@pytest.mark.clause("chat.reply-content-type")
def test_an_answer_has_the_content_type_of_json(hello: Exchange) -> None:
    """Parameters of the content type are free."""
    expect.answer(hello)
    if hello.media_type != "application/json":
        raise failed("content type application/json", hello.header("content-type") or "none", hello)


@pytest.mark.clause("chat.reply-conforms")
def test_an_answer_conforms_to_its_schema(deployment: Deployment, answers: list[Exchange]) -> None:
    """As openapi-core sees it. An answer with the content type of JSON must be JSON, and complete."""
    seen = [exchange for exchange in answers if exchange.media_type == "application/json"]
    if not seen:
        raise not_tested("no answer to look at")
    for exchange in seen:
        if exchange.failure or exchange.json() is None:
            raise failed("a whole answer that is JSON", exchange.described(), exchange)
        if faults := deployment.conformity.faults(exchange):
            raise failed("an answer as the document describes it", "; ".join(faults), exchange)


@pytest.mark.clause("chat.reply-id")
def test_each_answer_has_an_id_of_its_own(deployment: Deployment, hello: Exchange) -> None:
    """If it has one."""
    again = deployment.chat(plain(), again=1)
    ids = [expect.answer(exchange).get("id") for exchange in (hello, again)]
    if ids == [None, None]:
        raise not_supported("the answers have no id")
    if not all(isinstance(id, str) for id in ids) or ids[0] == ids[1]:
        raise failed("two ids that differ", json.dumps(ids), again)


@pytest.mark.clause("chat.reply-object")
def test_an_answer_has_its_object_type(hello: Exchange) -> None:
    """If it has the field."""
    found = expect.answer(hello).get("object", "chat.completion")
    if found != "chat.completion":
        raise failed("object chat.completion", json.dumps(found), hello)


@pytest.mark.clause("chat.reply-created")
def test_an_answer_has_its_time_of_creation(hello: Exchange) -> None:
    """As an integer."""
    created = expect.answer(hello).get("created")
    if not isinstance(created, int) or isinstance(created, bool):
        raise failed("an integer in created", json.dumps(created), hello)


@pytest.mark.clause("chat.reply-created-now")
def test_an_answer_was_made_just_now(hello: Exchange) -> None:
    """By the server's own clock, so that milliseconds and fixed times show; a clock that is wrong is a warning."""
    created = expect.answer(hello).get("created")
    if not isinstance(created, int | float):
        raise not_tested("created is not a number")
    date = server_time(hello)
    if date is None:
        raise not_tested("the reply has no Date")
    if abs(created - date) >= A_DAY:
        raise failed(f"about {date:.0f}, the reply's Date in seconds", str(created), hello)
    want_clock(hello)


@pytest.mark.clause("chat.reply-model")
def test_an_answer_names_its_model(hello: Exchange) -> None:
    """Whatever its name."""
    model = expect.answer(hello).get("model")
    if not isinstance(model, str):
        raise failed("a string in model", json.dumps(model), hello)


@pytest.mark.clause("chat.reply-choices")
def test_an_answer_has_choices(answers: list[Exchange]) -> None:
    """Each with its index and its message."""
    for exchange in answers:
        choices = expect.answer(exchange).get("choices")
        whole = isinstance(choices, list) and choices and all(_has(choice, "index", "message") for choice in choices)
        if not whole:
            raise failed("a list of choices, each with index and message", exchange.described(), exchange)


@pytest.mark.clause("chat.choice-index")
def test_the_choices_are_counted_from_zero(answers: list[Exchange]) -> None:
    """Each index once, in any order."""
    for exchange in answers:
        found = [choice.get("index") for choice in expect.choices(exchange)]
        if sorted(map(json.dumps, found)) != sorted(map(json.dumps, range(len(found)))):
            raise failed(f"the indices 0 to {len(found) - 1}", json.dumps(found), exchange)


@pytest.mark.clause("chat.reply-message")
def test_a_choice_has_a_message(answers: list[Exchange]) -> None:
    """Its content is a string or null."""
    for exchange in answers:
        for choice in expect.choices(exchange):
            message = choice.get("message")
            if not isinstance(message, dict) or not _has(message, "role", "content"):
                raise failed("a message with role and content", json.dumps(message), exchange)
            if not isinstance(message["role"], str) or not isinstance(message["content"], str | None):
                raise failed(
                    "a role that is a string, a content that is a string or null", json.dumps(message), exchange
                )


@pytest.mark.clause("chat.reply-content")
def test_an_answer_that_ends_by_itself_has_content(deployment: Deployment, answers: list[Exchange]) -> None:
    """Null is right with tool calls, with a refusal, and if a limit or a stop sequence cut a model that reasons."""
    complete = deployment.chat({"messages": SHORT, "max_tokens": COMPLETE_TOKENS})
    ended = [
        (choice, exchange)
        for exchange in (*answers, complete)
        if not json.loads(exchange.request.body).get("stop")
        for choice in expect.choices(exchange)
        if choice.get("finish_reason") == "stop" and expect.is_content(choice.get("message"))
    ]
    if not ended:
        raise not_tested(f"no answer ended by itself within {COMPLETE_TOKENS} tokens")
    for choice, exchange in ended:
        if choice["message"].get("content", "") is None:
            raise failed("content that is a string, as the answer ended by itself", json.dumps(choice), exchange)


@pytest.mark.clause("chat.reply-finish-reason")
def test_an_answer_ends_for_a_known_reason(answers: list[Exchange]) -> None:
    """The reason may be missing."""
    for exchange in answers:
        for choice in expect.choices(exchange):
            reason = choice.get("finish_reason")
            if reason not in FINISH_REASONS:
                raise failed("one of the known reasons, or null", json.dumps(reason), exchange)


@pytest.mark.clause("chat.reply-usage")
def test_an_answer_counts_its_tokens(answers: list[Exchange]) -> None:
    """Counts are not negative; null means that the server did not count."""
    for exchange in answers:
        usage = expect.answer(exchange).get("usage")
        counts = [usage.get(name, "") for name in COUNTS] if isinstance(usage, dict) else [""]
        if counts == [None] * len(COUNTS):
            raise warning(f"the server does not count tokens: {json.dumps(usage)}", exchange)
        if not all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in counts):
            raise failed(f"a usage with {', '.join(COUNTS)}, integers from 0", json.dumps(usage), exchange)


@pytest.mark.clause("chat.reply-usage-counted")
def test_a_prompt_counts_tokens(answers: list[Exchange]) -> None:
    """The prompts are not empty; a server with a cache may count none of a prompt, but then some of the answer."""
    for exchange in answers:
        if all(expect.tokens(exchange, name) == 0 for name in COUNTS):
            raise failed("a usage that counts the prompt", json.dumps(expect.usage(exchange)), exchange)


@pytest.mark.clause("chat.reply-usage-sum")
def test_the_tokens_add_up(answers: list[Exchange]) -> None:
    """The total is that of prompt and completion."""
    for exchange in answers:
        prompt, completion, total = (expect.tokens(exchange, name) for name in COUNTS)
        if prompt + completion != total:
            raise failed(f"total_tokens {prompt} + {completion}", str(total), exchange)


@pytest.mark.clause("chat.reply-session-id")
def test_a_session_id_is_a_uuid(answers: list[Exchange]) -> None:
    """Null and absence mean that the answer has no session."""
    found = [(exchange, expect.answer(exchange).get("session_id")) for exchange in answers]
    given = [(exchange, id) for exchange, id in found if id is not None]
    if not given:
        raise not_tested("no answer had a session_id")
    for exchange, id in given:
        if not isinstance(id, str) or not UUID.fullmatch(id):
            raise failed("a uuid", json.dumps(id), exchange)


@pytest.mark.clause("chat.session-id-absent")
def test_without_a_session_the_answer_has_no_session_id(hello: Exchange) -> None:
    """The request neither creates nor names one."""
    id = expect.answer(hello).get("session_id")
    if id is not None:
        raise failed("no session_id", json.dumps(id), hello)


@pytest.mark.clause("chat.reply-context")
def test_each_passage_of_knowledge_names_its_source(answers: list[Exchange]) -> None:
    """Few agents have knowledge."""
    for exchange in answers:
        passages = expect.answer(exchange).get("index_context_info")
        if passages is None:
            continue
        if not isinstance(passages, list) or not all(_is_passage(passage) for passage in passages):
            raise failed("passages with text, document_id and score", json.dumps(passages), exchange)
        return
    raise not_supported("no answer had an index_context_info")


def _is_passage(passage: object) -> bool:
    if not isinstance(passage, dict) or not isinstance(passage.get("text"), str):
        return False
    source = passage.get("metadata")
    if not isinstance(source, dict) or not isinstance(source.get("score"), int | float):
        return False
    return bool(UUID.fullmatch(str(source.get("document_id"))))


def _has(value: object, *names: str) -> bool:
    return isinstance(value, dict) and all(name in value for name in names)
