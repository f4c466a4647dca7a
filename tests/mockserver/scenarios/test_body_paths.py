"""Conditions with JSONPath on the body of a request."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from agent_contract.document.errors import ContractError
from tests.mockserver.support.chat_client import user
from tests.mockserver.support.scripting import TEST, scripts, with_rules

TOOLS = [{"type": "function", "function": {"name": name}} for name in ("search", "weather")]


@pytest.mark.parametrize(
    ("body", "matches"),
    [
        ({"$.temperature": 0.5}, True),
        ({"$.temperature": 1}, False),
        ({"$.temperature": 0.5, "$.n": 1}, True),
        ({"$.temperature": 0.5, "$.n": 2}, False),
        ({"$.n": True}, False),
        ({"$.tools[*].function.name": "weather"}, True),
        ({"$..name": "search"}, True),
        ("$.tools[?@.function.name == 'search']", True),
        ("$.tools[?@.function.name == 'mail']", False),
        ("$.stop", False),
        ({"$.messages[-1].content": "Hello!"}, True),
    ],
)
def test_a_rule_looks_at_the_body(body: Any, matches: bool) -> None:
    chat = with_rules({"when": {"body": body}, "answer": "As scripted."})
    answer = chat.answer("Hello!", agent="demo-tools", temperature=0.5, n=1, tools=TOOLS)
    assert (answer["choices"][0]["message"]["content"] == "As scripted.") is matches


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("$.[", '"$.[" is not a JSONPath'),
        ("messages", "is not a JSONPath"),
        ("$..a..b", "could take too long"),
        ("$.a[?@.b[?@.c]]", "could take too long"),
        ("$.a[?$.b == 1]", "could take too long"),
        ("$['a', 'b']", "could take too long"),
        ("$.a[?match(@.b, '(a+)+$')]", "is not a JSONPath"),
        ("$" + "[*]" * 200, "could take too long"),
    ],
)
def test_a_path_that_cannot_be_used_is_refused_with_its_place(path: str, problem: str) -> None:
    for body in (path, {path: 1}):
        with pytest.raises(ContractError) as refused:
            scripts().add("", {"rules": [{"when": {"body": body}}]}, TEST)
        assert problem in str(refused.value)
        assert "rules.0.when.body" in str(refused.value)


def test_a_strict_scenario_shows_what_the_paths_found() -> None:
    rule = {"name": "cold", "when": {"body": {"$.temperature": 0}}, "answer": "x"}
    _, why = with_rules(rule, strict=True).refusal("Hello!", temperature=1)
    assert "its body is {'$.temperature': 0}, but the request has {'$.temperature': [1]}" in why


def test_a_body_that_is_nested_deep_matches_nothing() -> None:
    deep: Any = user("x")
    for _ in range(150):
        deep = [deep]
    chat = with_rules({"when": {"body": "$..never"}, "answer": "x"})
    assert chat.reply("Hello!", metadata=deep).status == 200


def test_a_path_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonpath_rfc9535", None)
    with pytest.raises(ContractError, match=r"agent-contract-kit\[jsonpath\]"):
        scripts().add("", {"rules": [{"when": {"body": "$.n"}}]}, TEST)
