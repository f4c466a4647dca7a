"""`agent-contract convert`: fixtures of aimock and mappings of WireMock become a scenario that answers alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from agent_contract.cli import main
from mockserver.build import load_engine
from tests.mockserver.support.chat_client import ChatClient

CALL = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}}
TOOLS = [{"type": "function", "function": {"name": "search"}}]
COMPLETION = {"choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "Cut"}}]}


def convert(folder: Path, value: Any, *options: str) -> Result:
    file = folder / "given.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return CliRunner().invoke(main, ["convert", str(file), *options])


def served(folder: Path, value: Any) -> tuple[ChatClient, str]:
    """Return a client of a mock with the converted scenario, and what could not be converted."""
    ran = convert(folder, value, "--output", str(folder / "scenario.yaml"))
    assert ran.exit_code == 0, ran.output
    return ChatClient(load_engine(scenario=folder / "scenario.yaml")), ran.stderr


def fixture(response: Any, match: Any = None, **options: Any) -> dict[str, Any]:
    return {"match": match or {}, "response": response, **options}


def mapping(response: Any, **request: Any) -> dict[str, Any]:
    return {"request": {"method": "POST", "urlPath": "/v1/chat/completions", **request}, "response": response}


def test_fixtures_of_aimock_answer_alike(tmp_path: Path) -> None:
    fixtures = [
        fixture({"content": "Hi!"}, {"userMessage": "hello"}),
        fixture({"toolCalls": [{"name": "search", "arguments": {"q": "x"}}]}, {"toolName": "search"}),
        fixture({"content": "Done."}, {"toolCallId": "c1"}),
        fixture({"content": "First."}, {"userMessage": "again", "sequenceIndex": 0}),
        fixture({"content": "Second."}, {"userMessage": "again", "sequenceIndex": 1}),
        fixture({"error": {"message": "Slow down", "type": "rate_limit"}, "status": 429}, {"userMessage": "limit"}),
        fixture({"content": {"a": 1}}, {"responseFormat": "json_object"}),
        fixture({"content": "The rest.", "finishReason": "length"}),
    ]
    chat, notes = served(tmp_path, {"fixtures": fixtures})
    assert notes == ""
    assert chat.content("Say hello") == "Hi!"
    calls = chat.answer("Find x", tools=TOOLS, agent="demo-tools")["choices"][0]["message"]["tool_calls"]
    assert calls[0]["function"] == {"name": "search", "arguments": '{"q":"x"}'}
    result = {"role": "tool", "tool_call_id": "c1", "content": "y"}
    assert chat.content("?", {"role": "assistant", "tool_calls": [CALL]}, result, agent="demo-tools") == "Done."
    assert [chat.content("again") for _ in range(3)] == ["First.", "Second.", "The rest."]
    limited = chat.reply("limit")
    assert (limited.status, json.loads(limited.content())["error"]["message"]) == (429, "Slow down")
    assert chat.content("?", response_format={"type": "json_object"}) == '{"a":1}'
    assert chat.answer("?")["choices"][0]["finish_reason"] == "length"


def test_timing_and_interruption_of_aimock_are_kept(tmp_path: Path) -> None:
    fixtures = [
        fixture({"content": "one two three"}, {"userMessage": "slow"}, latency=50),
        fixture({"content": "one two three"}, {"userMessage": "paced"}, streamingProfile={"ttft": 500, "tps": 10}),
        fixture({"content": "one two three"}, {"userMessage": "cut"}, truncateAfterChunks=2),
    ]
    chat, _ = served(tmp_path, {"fixtures": fixtures})
    assert [chat.reply(one, stream=True).delay for one in ("slow", "paced")] == [0.05, 0.5]
    chat.reply("cut", stream=True)
    assert chat.engine.requests()[0]["faults"] == ["cut"]


def test_text_and_calls_of_aimock_stay_in_their_order(tmp_path: Path) -> None:
    blocks = [{"type": "toolCall", "name": "f", "arguments": "{}"}, {"type": "text", "text": "Wait."}]
    rules = yaml.safe_load(convert(tmp_path, {"fixtures": [fixture({"blocks": blocks})]}).stdout)["rules"]
    assert rules == [{"answer": {"parts": [{"name": "f", "arguments": {}}, "Wait."]}}]


def test_what_cannot_be_converted_is_listed_with_its_place(tmp_path: Path) -> None:
    fixtures = [
        fixture({"embedding": [0.1]}, {"inputText": "x"}),
        fixture({"content": "x"}, {"systemMessage": "y"}, chaos={"dropRate": 0.5}),
    ]
    ran = convert(tmp_path, {"fixtures": fixtures})
    assert ran.exit_code == 0
    assert ran.stderr.splitlines() == [
        "fixtures[0]: is left out: it is not for chats",
        "fixtures[1].match.systemMessage: is left out: rules have nothing like it",
        "fixtures[1].chaos: is left out: rules have nothing like it",
    ]


def test_mappings_of_wiremock_answer_alike(tmp_path: Path) -> None:
    chunks = "".join(f'data: {{"choices":[{{"index":0,"delta":{{"content":"{one}"}}}}]}}\n\n' for one in ("a ", "b"))
    body = [{"matchesJsonPath": {"expression": "$.temperature", "equalTo": "0.5"}}]
    last = [{"matchesJsonPath": {"expression": "$.messages[-1].content", "contains": "stream"}}]
    mappings = [
        {**mapping({"status": 200, "jsonBody": COMPLETION}), "priority": 9},
        mapping({"status": 200, "body": f"{chunks}data: [DONE]\n\n"}, bodyPatterns=last),
        mapping({"status": 503, "body": "down", "headers": {"Retry-After": "3"}}, bodyPatterns=body),
        mapping({"fault": "CONNECTION_RESET_BY_PEER"}, headers={"X-Break": {"equalTo": "yes"}}),
        mapping({"jsonBody": COMPLETION, "fixedDelayMilliseconds": 1500}, bodyPatterns=[{"matchesJsonPath": "$.seed"}]),
    ]
    chat, notes = served(tmp_path, {"mappings": mappings})
    assert notes == ""
    assert chat.answer()["choices"][0] == {
        "index": 0,
        "finish_reason": "length",
        "message": {"role": "assistant", "content": "Cut"},
    }
    assert chat.content("stream it") == "a b"
    down = chat.reply(temperature=0.5)
    assert (down.status, down.headers["retry-after"], down.content()) == (503, "3", b"down")
    assert chat.reply(seed=1).delay == 1.5


def test_a_completion_of_wiremock_becomes_an_answer_with_its_text(tmp_path: Path) -> None:
    ran = convert(tmp_path, {"mappings": [mapping({"status": 200, "jsonBody": COMPLETION})]})
    (rule,) = yaml.safe_load(ran.stdout)["rules"]
    assert rule["answer"] == {"text": "Cut", "finish_reason": "length"}


def test_a_scenario_of_wiremock_becomes_a_sequence(tmp_path: Path) -> None:
    states = [("Started", "once", 503), ("once", "twice", 429), ("twice", None, 200)]
    mappings = [
        {
            **mapping({"status": status, "jsonBody": COMPLETION if status == 200 else {}}),
            "scenarioName": "retry",
            "requiredScenarioState": required,
            **({"newScenarioState": new} if new else {}),
        }
        for required, new, status in states
    ]
    chat, _ = served(tmp_path, {"mappings": mappings})
    assert [chat.reply().status for _ in range(4)] == [503, 429, 200, 200]


def test_the_mapping_that_was_added_last_wins(tmp_path: Path) -> None:
    texts = [{"choices": [{"message": {"content": text}}]} for text in ("first", "last")]
    chat, _ = served(tmp_path, {"mappings": [mapping({"jsonBody": one}) for one in texts]})
    assert chat.content() == "last"


def test_a_mapping_with_parts_that_rules_lack_is_listed(tmp_path: Path) -> None:
    mappings = [
        {"request": {"url": "/health"}, "response": {}},
        {
            **mapping({"jsonBody": COMPLETION, "transformers": ["response-template"]}, queryParameters={}),
            "postServeActions": [],
        },
        mapping({"jsonBody": COMPLETION}, bodyPatterns=[{"equalToJson": {}}], headers={"X": {"matches": "a.*"}}),
    ]
    notes = convert(tmp_path, {"mappings": mappings}).stderr
    places = [line.partition(": ")[0] for line in notes.splitlines()]
    assert places == [
        "mappings[0]",
        "mappings[1].postServeActions",
        "mappings[1].request.queryParameters",
        "mappings[1].response.transformers",
        "mappings[2].request.headers.X",
        "mappings[2].request.bodyPatterns[0]",
    ]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"x": 1}, "neither a fixture file of aimock nor a mapping of WireMock"),
        ([], "neither a fixture file"),
        ({"fixtures": [1]}, "this is not a valid file of aimock"),
        ({"mappings": ["x"]}, "this is not a valid file of wiremock"),
        ("{", "given.json"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, value: Any, problem: str) -> None:
    ran = convert(tmp_path, value)
    assert ran.exit_code == 2
    assert problem in ran.stderr
    assert "Traceback" not in ran.output


def test_an_answer_off_the_contract_is_marked(tmp_path: Path) -> None:
    ran = convert(tmp_path, {"fixtures": [fixture({"content": "x", "finishReason": "done"})]})
    assert yaml.safe_load(ran.stdout)["rules"][0]["off_contract"] is True
    assert "breaks the contract" in ran.stderr
