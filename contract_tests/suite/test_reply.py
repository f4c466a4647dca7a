"""What a plain answer looks like."""

from __future__ import annotations

import json

import pytest

from agent_contract.messages import JSON
from contract_tests.assertions import expect
from contract_tests.assertions.clock import A_DAY, server_time, want_clock
from contract_tests.deployment.deployment import Probe
from contract_tests.deployment.payloads import COUNT, STOPS, plain
from contract_tests.suite.constants import COUNTS, FINISH_REASONS, UUID
from contract_tests.verdict import failed, not_supported, not_tested, warning
from contract_tests.wire.exchange import Asked


@pytest.fixture(name="hello", scope="session")
def _hello(contract_probe: Probe) -> Asked:
    return contract_probe.chat(plain())


@pytest.fixture(name="answers", scope="session")
def _answers(contract_probe: Probe) -> list[Asked]:
    """The answers of several kinds of request, those that were given."""
    kinds: tuple[dict[str, JSON], ...] = (
        {},
        {"messages": COUNT, "max_tokens": 3},
        {"stop": STOPS},
        {"n": 2, "temperature": 0.7},
        {"create_session": True},
    )
    asked = [contract_probe.chat(plain(**fields)) for fields in kinds]
    return [one for one in asked if one.status == expect.OK]


@pytest.mark.clause("chat.stream-default")
@pytest.mark.parametrize("fields", [{}, {"stream": False}], ids=["unset", "false"])
def test_without_stream_the_answer_is_one_json_document(contract_probe: Probe, fields: dict[str, bool]) -> None:
    """Whatever its content type."""
    asked = contract_probe.chat(plain(**fields))
    expect.status(asked, expect.OK)
    if not isinstance(asked.json(), dict):
        raise failed("one JSON object", asked.described(), asked)


@pytest.mark.clause("chat.reply-content-type")
def test_an_answer_has_the_content_type_of_json(hello: Asked) -> None:
    """Parameters of the content type are free."""
    expect.answer(hello)
    if hello.media_type != "application/json":
        raise failed("content type application/json", hello.header("content-type") or "none", hello)


@pytest.mark.clause("chat.reply-conforms")
def test_an_answer_conforms_to_its_schema(contract_probe: Probe, answers: list[Asked]) -> None:
    """As openapi-core sees it. An answer with the content type of JSON must be JSON, and complete."""
    seen = [asked for asked in answers if asked.media_type == "application/json"]
    if not seen:
        raise not_tested("no answer to look at")
    for asked in seen:
        if asked.failure or asked.json() is None:
            raise failed("a whole answer that is JSON", asked.described(), asked)
        if faults := contract_probe.conformity.faults(asked):
            raise failed("an answer as the document describes it", "; ".join(faults), asked)


@pytest.mark.clause("chat.reply-id")
def test_each_answer_has_an_id_of_its_own(contract_probe: Probe, hello: Asked) -> None:
    """If it has one."""
    again = contract_probe.chat(plain(), again=1)
    ids = [expect.answer(asked).get("id") for asked in (hello, again)]
    if ids == [None, None]:
        raise not_supported("the answers have no id")
    if not all(isinstance(id, str) for id in ids) or ids[0] == ids[1]:
        raise failed("two ids that differ", json.dumps(ids), again)


@pytest.mark.clause("chat.reply-object")
def test_an_answer_has_its_object_type(hello: Asked) -> None:
    """If it has the field."""
    found = expect.answer(hello).get("object", "chat.completion")
    if found != "chat.completion":
        raise failed("object chat.completion", json.dumps(found), hello)


@pytest.mark.clause("chat.reply-created")
def test_an_answer_has_its_time_of_creation(hello: Asked) -> None:
    """As an integer."""
    created = expect.answer(hello).get("created")
    if not isinstance(created, int) or isinstance(created, bool):
        raise failed("an integer in created", json.dumps(created), hello)


@pytest.mark.clause("chat.reply-created-now")
def test_an_answer_was_made_just_now(hello: Asked) -> None:
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
def test_an_answer_names_its_model(hello: Asked) -> None:
    """Whatever its name."""
    model = expect.answer(hello).get("model")
    if not isinstance(model, str):
        raise failed("a string in model", json.dumps(model), hello)


@pytest.mark.clause("chat.reply-choices")
def test_an_answer_has_choices(answers: list[Asked]) -> None:
    """Each with its index and its message."""
    for asked in answers:
        choices = expect.answer(asked).get("choices")
        whole = isinstance(choices, list) and choices and all(_has(choice, "index", "message") for choice in choices)
        if not whole:
            raise failed("a list of choices, each with index and message", asked.described(), asked)


@pytest.mark.clause("chat.choice-index")
def test_the_choices_are_counted_from_zero(answers: list[Asked]) -> None:
    """Each index once, in any order."""
    for asked in answers:
        found = [choice.get("index") for choice in expect.choices(asked)]
        if sorted(map(json.dumps, found)) != sorted(map(json.dumps, range(len(found)))):
            raise failed(f"the indices 0 to {len(found) - 1}", json.dumps(found), asked)


@pytest.mark.clause("chat.reply-message")
def test_a_choice_has_a_message(answers: list[Asked]) -> None:
    """Its content is a string or null."""
    for asked in answers:
        for choice in expect.choices(asked):
            message = choice.get("message")
            if not isinstance(message, dict) or not _has(message, "role", "content"):
                raise failed("a message with role and content", json.dumps(message), asked)
            if not isinstance(message["role"], str) or not isinstance(message["content"], str | None):
                raise failed("a role that is a string, a content that is a string or null", json.dumps(message), asked)


@pytest.mark.clause("chat.reply-content")
def test_an_answer_that_ends_by_itself_has_content(answers: list[Asked]) -> None:
    """Null is right with tool calls, with a refusal, and if a limit or a stop sequence cut a model that reasons."""
    for asked in answers:
        stopped = bool(json.loads(asked.request.body).get("stop"))
        for choice in expect.choices(asked):
            message = choice.get("message")
            if not isinstance(message, dict) or message.get("tool_calls") or message.get("refusal"):
                continue
            if message.get("content", "") is None and choice.get("finish_reason") == "stop" and not stopped:
                raise failed("content that is a string, as the answer ended by itself", json.dumps(choice), asked)


@pytest.mark.clause("chat.reply-finish-reason")
def test_an_answer_ends_for_a_known_reason(answers: list[Asked]) -> None:
    """The reason may be missing."""
    for asked in answers:
        for choice in expect.choices(asked):
            reason = choice.get("finish_reason")
            if reason not in FINISH_REASONS:
                raise failed("one of the known reasons, or null", json.dumps(reason), asked)


@pytest.mark.clause("chat.reply-usage")
def test_an_answer_counts_its_tokens(answers: list[Asked]) -> None:
    """Counts are not negative; null means that the server did not count."""
    for asked in answers:
        usage = expect.answer(asked).get("usage")
        counts = [usage.get(name, "") for name in COUNTS] if isinstance(usage, dict) else [""]
        if counts == [None] * len(COUNTS):
            raise warning(f"the server does not count tokens: {json.dumps(usage)}", asked)
        if not all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in counts):
            raise failed(f"a usage with {', '.join(COUNTS)}, integers from 0", json.dumps(usage), asked)


@pytest.mark.clause("chat.reply-usage-counted")
def test_a_prompt_counts_tokens(answers: list[Asked]) -> None:
    """The prompts are not empty; a server with a cache may count none of a prompt, but then some of the answer."""
    for asked in answers:
        if all(expect.tokens(asked, name) == 0 for name in COUNTS):
            raise failed("a usage that counts the prompt", json.dumps(expect.usage(asked)), asked)


@pytest.mark.clause("chat.reply-usage-sum")
def test_the_tokens_add_up(answers: list[Asked]) -> None:
    """The total is that of prompt and completion."""
    for asked in answers:
        prompt, completion, total = (expect.tokens(asked, name) for name in COUNTS)
        if prompt + completion != total:
            raise failed(f"total_tokens {prompt} + {completion}", str(total), asked)


@pytest.mark.clause("chat.reply-session-id")
def test_a_session_id_is_a_uuid(answers: list[Asked]) -> None:
    """Null and absence mean that the answer has no session."""
    found = [(asked, expect.answer(asked).get("session_id")) for asked in answers]
    given = [(asked, id) for asked, id in found if id is not None]
    if not given:
        raise not_tested("no answer had a session_id")
    for asked, id in given:
        if not isinstance(id, str) or not UUID.fullmatch(id):
            raise failed("a uuid", json.dumps(id), asked)


@pytest.mark.clause("chat.session-id-absent")
def test_without_a_session_the_answer_has_no_session_id(hello: Asked) -> None:
    """The request neither creates nor names one."""
    id = expect.answer(hello).get("session_id")
    if id is not None:
        raise failed("no session_id", json.dumps(id), hello)


@pytest.mark.clause("chat.reply-context")
def test_each_passage_of_knowledge_names_its_source(answers: list[Asked]) -> None:
    """Few agents have knowledge."""
    for asked in answers:
        passages = expect.answer(asked).get("index_context_info")
        if passages is None:
            continue
        if not isinstance(passages, list) or not all(_is_passage(passage) for passage in passages):
            raise failed("passages with text, document_id and score", json.dumps(passages), asked)
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
