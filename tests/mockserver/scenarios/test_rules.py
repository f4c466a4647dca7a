"""Rules decide what agents answer; what no rule matches is computed, or refused under `strict`."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from agent_contract import check_reply
from agent_contract.document.errors import ContractError
from mockserver.build import create_engine, load_engine
from mockserver.scenarios.matching import Question
from mockserver.stores import open_store
from tests.mockserver.support.chat_client import CONTRACT, OPERATION, ChatClient, request, user
from tests.mockserver.support.scripting import TEST, scripts, with_rules

CALL = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
CALLED = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "It rains in Paris."}


def question(*messages: Any, agent: str = "demo", headers: dict[str, str] | None = None, **fields: Any) -> Any:
    sent = [user(one) if isinstance(one, str) else one for one in messages or ("Hello!",)]
    return request({"messages": sent, **fields}, agent, **(headers or {}))


@pytest.mark.parametrize(
    ("when", "matching", "other"),
    [
        ({"agent": "demo"}, question(), question(agent="demo-open")),
        ({"agent": "a61e2f90-3c5b-4d17-8e4a-1f0b7c92d501"}, question(), question(agent="demo-open")),
        ({"user": "Hello!"}, question("What?", "Hello!"), question("Hello!", "What?")),
        ({"user_contains": "ell"}, question("Hello!"), question("HELLO!")),
        ({"user_matches": "^H.*o!$"}, question("Hello!"), question("Oh, Hello!")),
        ({"any_contains": "first"}, question("the first", "the second"), question("the second")),
        ({"turn": 2}, question("one", "two"), question("one")),
        ({"tool_result": True}, question("?", CALLED, RESULT), question("?", CALLED, RESULT, "And now?")),
        ({"tool_result": False}, question("?"), question("?", CALLED, RESULT)),
        ({"tool_result": {"name": "get_weather"}}, question("?", CALLED, RESULT), question("?")),
        (
            {"tool_result": {"contains": "Paris"}},
            question("?", CALLED, RESULT),
            question("?", CALLED, {**RESULT, "content": "London"}),
        ),
        ({"model": ""}, question(), question(model="llama-2-70b-chat-hf")),
        ({"headers": {"X-Tenant": "blue"}}, question(headers={"x_tenant": "blue"}), question()),
        ({"stream": True}, question(stream=True), question()),
        ({"user": "Hello!", "turn": 1}, question(), question("one", "Hello!")),
    ],
)
def test_a_rule_answers_only_if_all_its_conditions_hold(when: dict[str, Any], matching: Any, other: Any) -> None:
    engine = with_rules({"name": "scripted", "when": when, "answer": "As scripted."}).engine
    assert engine.handle(matching).rule == "scripted"
    assert engine.handle(other).rule == ""


def test_the_turn_of_a_session_counts_the_messages_of_the_session() -> None:
    chat = with_rules({"when": {"turn": 2}, "answer": "The second."})
    session = chat.answer("one", create_session=True)["session_id"]
    assert chat.content("two", store_in_session=session) == "The second."


def test_the_first_rule_that_matches_answers() -> None:
    chat = with_rules({"when": {"user": "Hi"}, "answer": "one"}, {"answer": "two"}, {"answer": "three"})
    assert [chat.content("Hi"), chat.content("Ho")] == ["one", "two"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("answer", "message", "reason"),
    [
        ("A text.", {"content": "A text."}, "stop"),
        ({"data": {"a": [1]}}, {"content": '{"a":[1]}'}, "stop"),
        ({"refusal": "No, thanks."}, {"content": None, "refusal": "No, thanks."}, "stop"),
        ({"text": "A te", "finish_reason": "length"}, {"content": "A te"}, "length"),
        ({"tool_calls": [{"name": "f", "arguments": {"x": 1}, "id": "c7"}]}, {"f": '{"x":1}'}, "tool_calls"),
    ],
)
def test_an_answer_is_sent_whole_and_in_chunks(answer: Any, message: dict[str, Any], reason: str, stream: bool) -> None:
    chat = with_rules({"answer": answer})
    reply = chat.reply("Hello!", stream=stream)
    assert check_reply(OPERATION, reply) == ()
    if stream:
        assert not isinstance(reply.body, bytes)
        choices = [choice for event in reply.body[:-1] for choice in json.loads(event.data)["choices"]]
        whole: dict[str, Any] = {}
        for choice in choices:
            for name, text in choice["delta"].items():
                if name == "tool_calls":
                    function = text[0]["function"]
                    whole["calls"] = whole.get("calls", "") + function["arguments"]
                elif text is not None:
                    whole[name] = whole.get(name, "") + text
        got = {key: whole.get("calls" if key == "f" else key) for key in message}
        assert got == message
        assert choices[-1]["finish_reason"] == reason
    else:
        choice = json.loads(reply.content())["choices"][0]
        calls = {
            one["function"]["name"]: one["function"]["arguments"] for one in choice["message"].get("tool_calls", ())
        }
        assert {**choice["message"], **calls}.items() >= message.items()
        assert choice["finish_reason"] == reason


def test_a_scripted_answer_obeys_max_tokens_and_counts_in_usage() -> None:
    chat = with_rules({"answer": "one two three four"})
    answer = chat.answer("Hello!", max_tokens=2)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 2


def test_usage_and_delay_can_be_set() -> None:
    chat = with_rules({"answer": {"text": "x", "usage": {"prompt_tokens": 5, "completion_tokens": 7}, "delay": 1.5}})
    assert json.loads(chat.reply().content())["usage"]["total_tokens"] == 12
    assert chat.reply().delay == 1.5


def test_a_scripted_answer_is_stored_in_the_session() -> None:
    chat = with_rules({"when": {"turn": 1}, "answer": "My name is Heron."})
    first = chat.answer("Hi", create_session=True)
    alone = chat.answer("And?")["usage"]["prompt_tokens"]
    second = chat.answer("And?", store_in_session=first["session_id"])
    assert second["usage"]["prompt_tokens"] > alone + first["usage"]["completion_tokens"]


@pytest.mark.parametrize(
    ("then", "contents"),
    [("last", ["a", "b", "b", "b"]), ("repeat", ["a", "b", "a", "b"]), ("fail", ["a", "b", None, None])],
)
def test_answers_follow_each_other(then: str, contents: list[str | None]) -> None:
    chat = with_rules({"answers": ["a", "b"], "then": then})
    replies = [chat.reply() for _ in contents]
    got = [
        json.loads(one.content())["choices"][0]["message"]["content"] if one.status == 200 else None for one in replies
    ]
    assert got == contents


def test_the_refusal_after_the_last_answer_names_the_rule_and_counts_its_answers() -> None:
    chat = with_rules({"name": "twice", "answers": ["a", "b"], "then": "fail"})
    _, _, (status, detail) = chat.reply(), chat.reply(), chat.refusal()
    assert status == 404
    assert '"twice"' in detail and "2" in detail


def test_a_rule_with_times_gives_way_to_the_next_one() -> None:
    chat = with_rules({"answer": "first", "times": 1}, {"answer": "later"})
    assert [chat.content(), chat.content()] == ["first", "later"]


def test_an_answer_can_be_a_fault_or_a_raw_reply() -> None:
    raw = {"status": 422, "headers": {"X-Why": "test"}, "body": {"detail": []}}
    chat = with_rules({"answers": [{"fault": 429}, {"raw": raw}, "Hello!"]})
    assert [chat.reply().status, chat.reply().headers["x-why"], chat.content()] == [429, "test", "Hello!"]


def test_what_no_rule_matches_is_refused_if_the_scenario_is_strict() -> None:
    rules = [
        {"name": "far", "when": {"agent": "demo-open", "user": "Hi"}, "answer": "a"},
        {"name": "near", "when": {"agent": "demo", "user_contains": "bye"}, "answer": "b"},
    ]
    status, why = with_rules(*rules, strict=True).refusal("Hello!")
    assert status == 404
    assert "The nearest one is \"near\": its user_contains is 'bye', but the request has 'Hello!'" in why


def test_the_refusal_names_the_agent_that_the_nearest_rule_is_for() -> None:
    _, why = with_rules({"name": "open", "when": {"agent": "demo-open"}, "answer": "a"}, strict=True).refusal("Hello!")
    assert "its agent is 'demo-open', but the request has" in why


def test_the_journal_names_the_rule_that_answered() -> None:
    chat = with_rules({"name": "greeting", "answer": "Hi!"})
    chat.content()
    assert chat.engine.requests()[0]["rule"] == "greeting"


def test_rules_belong_to_a_scope() -> None:
    chat = with_rules({"answer": "scripted"}, scope="mine")
    exchanges = [chat.engine.handle(question(headers={"x_mock_scope": scope})) for scope in ("mine", "other")]
    assert [exchange.rule for exchange in exchanges] == ["rule-1", ""]


def test_rules_apply_to_legacy_completions_and_models_too() -> None:
    chat = with_rules({"answer": "scripted"})
    base = "/api/v1/compatibility/openai/v1"
    sent = [
        (f"{base}/agents/demo/completions", {"prompt": "Hello!"}),
        (f"{base}/chat/completions", {"messages": [user("Hello!")], "model": "llama-2-70b-chat-hf"}),
    ]
    for path, body in sent:
        call = question()
        exchange = chat.engine.handle(type(call)("POST", path, (), call.headers, json.dumps(body).encode()))
        choice = json.loads(exchange.reply.content())["choices"][0]
        assert "scripted" in (choice.get("text"), choice.get("message", {}).get("content"))


def test_processes_that_share_a_store_share_rules_and_counts(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'state.db'}"
    first, second = (create_engine(CONTRACT, store=open_store(address)) for _ in range(2))
    first.scripts.add("", {"rules": [{"answers": ["a", "b", "c"]}]}, TEST)
    assert [ChatClient(one).content() for one in (first, second, first)] == ["a", "b", "c"]
    first.close()
    second.close()


def test_a_rule_counts_once_although_its_session_is_written_twice() -> None:
    chat = with_rules({"answers": ["a", "b"]})
    context = chat.engine.scripts.active("", question(), {})
    assert context is not None
    asked = Question(("demo",), [user("Hi")], tuple, "", False, {})
    assert context.choose(asked) is context.choose(asked)


@pytest.mark.parametrize(
    ("scenario", "problem"),
    [
        ({"rules": [{"wen": {}}]}, 'test: rules.0.wen: "wen" is not a known key; did you mean "when"?'),
        ({"rules": [{"when": {"usr": "x"}}]}, 'rules.0.when.usr: "usr" is not a known key; did you mean "user"?'),
        ({"rules": [{"when": {"user_matches": "(a"}}]}, "is not a regular expression that runs in linear time"),
        ({"rules": [{"when": {"user_matches": r"(a)\1"}}]}, "is not a regular expression that runs in linear time"),
        ({"rules": [{"answer": {"text": "x", "data": 1}}]}, "rules.0.answer: text and data are all set"),
        ({"rules": [{"answer": "x", "answers": ["y"]}]}, "answer and answers are both set"),
        ({"rules": [{"answer": {"finish_reason": "done"}}]}, '"done" is not a finish_reason'),
        ({"rules": [{"answer": {"text": "x", "usage": {"prompt_tokens": -1}}}]}, "breaks the contract (minimum)"),
        ({"rules": [{"answer": {"text": "x", "usage": {"total_tokens": 3}}}]}, "total_tokens is not the sum"),
        ({"rules": [{"answer": {"tool_calls": [{"name": "f", "arguments": "{"}]}}]}, "are not a JSON object"),
        ({"rules": [{"answer": {"raw": {"status": 200, "body": {}}}}]}, "breaks the contract (required)"),
        ({"rules": [{"answer": {"raw": {"status": 299}}}]}, "status of the reply breaks the contract"),
        ({"rules": [{"answer": {"fault": "status-999"}}]}, '"status-999" is not a fault'),
        ({"rules": [{"answer": {"text": "x", "pace": {"ttft": 1}, "delays": [1]}}]}, "pace and delays are both set"),
        ({"rules": [{"when": {"turn": 0}}]}, "rules.0.when.turn: 0 is less than the minimum of 1"),
    ],
)
def test_an_invalid_rule_is_refused_with_place_and_remedy(scenario: Any, problem: str) -> None:
    with pytest.raises(ContractError) as refused:
        scripts().add("", scenario, TEST)
    assert problem in str(refused.value)


def test_an_answer_off_the_contract_is_sent_if_the_rule_states_it() -> None:
    chat = with_rules({"answer": {"text": "x", "finish_reason": "done"}, "off_contract": True})
    assert chat.answer()["choices"][0]["finish_reason"] == "done"


def test_a_regular_expression_takes_linear_time() -> None:
    chat = with_rules({"when": {"user_matches": "^(a+)+$"}, "answer": "x"})
    assert chat.engine.handle(question("a" * 20_000 + "b")).rule == ""


def test_a_scenario_file_is_read_and_its_problems_have_lines(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text("rules:\n  - when: {user: Hi}\n    answer: Ho\nfaults: [status-502:times=1]\n", encoding="utf-8")
    chat = ChatClient(load_engine(scenario=file))
    assert [chat.reply("Hi").status, chat.content("Hi")] == [502, "Ho"]
    file.write_text("rules:\n  - when: {user: Hi}\n    anwser: Ho\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r'scenario\.yaml:3: rules\.0\.anwser: .*did you mean "answer"'):
        load_engine(scenario=file)


def test_a_configuration_names_its_scenario(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text("rules: [{answer: Ho}]\n", encoding="utf-8")
    (tmp_path / "mock.yaml").write_text("scenario: scenario.yaml\n", encoding="utf-8")
    assert ChatClient(load_engine(config=tmp_path / "mock.yaml")).content() == "Ho"


def test_a_refusal_without_a_matching_rule_names_the_messages() -> None:
    exchange = with_rules({"when": {"user": "x"}, "answer": "y"}, strict=True).engine.handle(question())
    assert exchange.reply.status == 404
    assert [(one.where, one.expected) for one in exchange.violations] == [(("body", "messages"), None)]


PARTS = ["Let me look. ", {"name": "f", "arguments": {"x": 1}, "id": "c1"}, "One moment.", {"name": "g", "id": "c2"}]


def test_text_and_calls_can_be_interleaved() -> None:
    chat = with_rules({"answer": {"parts": PARTS}})
    choice = chat.answer()["choices"][0]
    assert choice["message"]["content"] == "Let me look. One moment."
    assert [call["function"]["name"] for call in choice["message"]["tool_calls"]] == ["f", "g"]
    assert choice["finish_reason"] == "tool_calls"
    order: list[str] = []
    for chunk in chat.chunks():
        for delta in (one["delta"] for one in chunk["choices"]):
            calls = delta.get("tool_calls")
            order.append(f"call {calls[0]['index']}" if calls else "text" if delta.get("content") else "")
    assert [one for one, _ in itertools.groupby(filter(None, order))] == ["text", "call 0", "text", "call 1"]
    assert check_reply(OPERATION, chat.reply(stream=True)) == ()


def test_parts_without_a_call_are_text() -> None:
    choice = with_rules({"answer": {"parts": ["one ", "two"]}}).answer()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one two", "stop")


def test_an_answer_has_a_pace_of_its_own() -> None:
    chat = with_rules({"answer": {"text": "one two three", "pace": {"ttft": 5, "tps": 2}}, "times": 2}, {"answer": "x"})
    stream = chat.reply(stream=True)
    assert not isinstance(stream.body, bytes)
    assert (stream.delay, sum(event.delay for event in stream.body)) == (5, 1)
    assert [chat.reply().delay, chat.reply().delay] == [6, 0]


def test_each_event_has_a_delay_of_its_own_and_the_last_one_repeats() -> None:
    chat = with_rules({"answer": {"text": "one two three", "delays": [3, 1, 0.5]}})
    stream = chat.reply(stream=True)
    assert not isinstance(stream.body, bytes)
    assert [stream.delay, *(event.delay for event in stream.body)] == [3, 0, 1, *[0.5] * (len(stream.body) - 2)]
    assert chat.reply().delay == 0


def test_rules_of_the_start_and_of_a_scope_count_separately(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text("rules: [{when: {user: Hi}, answers: [a, b]}]\n", encoding="utf-8")
    chat = ChatClient(load_engine(scenario=file))
    chat.engine.scripts.add("", {"rules": [{"when": {"user": "Ho"}, "answers": ["c", "d"]}]}, TEST)
    assert [chat.content(one) for one in ("Hi", "Ho", "Hi", "Ho")] == ["a", "c", "b", "d"]
    assert [one["uses"] for one in chat.engine.scripts.shown("")["rules"]] == [2, 2]
