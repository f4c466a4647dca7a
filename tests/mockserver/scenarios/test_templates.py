"""Answers that are templates: what they see, what they may do, and their limits."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from agent_contract.document.errors import ContractError
from mockserver.scenarios.templates import MOST_OUTPUT
from tests.mockserver.support.chat_client import ChatClient, user
from tests.mockserver.support.scripting import TEST, scripts, with_rules


def templated(source: str) -> ChatClient:
    return with_rules({"name": "made", "answer": {"template": source}})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("You said {{ user }}.", "You said Hello!."),
        ("{{ user | upper }} {{ turn + 1 }} {{ number }}", "HELLO! 2 1"),
        ("{{ agent }}/{{ model or 'own' }}/{{ stream }}", "demo/own/False"),
        ("{{ body.temperature }} {{ messages[0].role }}", "0.5 user"),
        ("{% for one in messages %}{{ loop.index }}:{{ one.content }} {% endfor %}end", "1:Hello! end"),
        ("{% if 'ello' in user %}yes{% else %}no{% endif %}", "yes"),
        ("{{ body.absent | default('none') }} {{ messages | length }}", "none 1"),
        ("{{ headers['x-tenant'] | d('no tenant') }} {{ session | length }}", "no tenant 0"),
    ],
)
def test_a_template_sees_the_request(source: str, text: str) -> None:
    assert templated(source).content("Hello!", temperature=0.5) == text


def test_a_template_sees_the_session_and_the_results_of_tools() -> None:
    chat = templated("{{ session | length }}: {{ session[0].content }}; {{ tool_results[0].text }}")
    chat.engine.scripts.remove("", "rules")
    session = chat.answer("My name is Ada.", create_session=True)["session_id"]
    source = "{{ session | length }}: {{ session[0].content }}; {{ tool_results | length }}"
    chat.engine.scripts.add("", {"rules": [{"answer": {"template": source}}]}, TEST)
    assert chat.content("And now?", store_in_session=session) == "2: My name is Ada.; 0"


def test_a_template_counts_the_answers_of_its_rule() -> None:
    chat = templated("Answer {{ number }}.")
    assert [chat.content(), chat.content()] == ["Answer 1.", "Answer 2."]


def test_a_template_is_sent_in_chunks_too() -> None:
    chunks = templated("One two {{ user }}.").chunks("three")
    assert (
        "".join(choice["delta"].get("content", "") for one in chunks for choice in one["choices"]) == "One two three."
    )


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{ usr }}", '"usr" is not a variable of templates; did you mean "user"?'),
        ("{{ user", "is not valid Jinja2"),
        ("{% set x = 1 %}", "line 1 of the template has assign"),
        ("{{ user.upper() }}", "line 1 of the template has call"),
        ("{{ 'a' * 1000000000 }}", "has mul"),
        ("{{ 9 ** 9 ** 9 }}", "has pow"),
        ("{% for a in messages %}{% for b in messages %}{% endfor %}{% endfor %}", "a loop in a loop"),
        ("{% for a in messages recursive %}{% endfor %}", "a loop in a loop"),
        ("{{ user | center(1000000000) }}", "the filter center is not available"),
        ("{% include 'x' %}", "has include"),
        ("x" * 20_001, "is longer than 20000 characters"),
    ],
)
def test_what_a_template_may_not_do_is_refused_when_it_is_set(source: str, problem: str) -> None:
    with pytest.raises(ContractError) as refused:
        scripts().add("", {"rules": [{"answer": {"template": source}}]}, TEST)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ body.absent.deep }}", "has no attribute"),
        ("{{ ''.__class__.__mro__[1].__subclasses__ }}", "unsafe"),
        ("{% for one in messages %}{{ user }}{% endfor %}", f"its text has more than {MOST_OUTPUT} characters"),
        ("{% for one in messages %}{% if messages | tojson == '' %}x{% endif %}{% endfor %}", "it takes more than"),
    ],
)
def test_a_template_that_fails_for_a_request_is_explained(source: str, why: str) -> None:
    before = sys.gettrace()
    messages: list[Any] = [user("word " * 100)] * 3000
    status, detail = templated(source).refusal(*messages)
    assert status == 404
    assert detail.startswith('The template of the rule "made" can\'t be rendered: ')
    assert why in detail
    assert sys.gettrace() is before


def test_a_template_without_jinja_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ContractError, match=r"agent-contract-kit\[templates\]"):
        scripts().add("", {"rules": [{"answer": {"template": "{{ user }}"}}]}, TEST)


def test_text_is_not_a_template() -> None:
    assert with_rules({"answer": "{{ user }}"}).content() == "{{ user }}"


def test_a_template_is_shown_as_it_was_set() -> None:
    chat = templated("{{ user }}")
    assert json.loads(json.dumps(chat.engine.scripts.shown("")))["rules"][0]["rule"]["answer"] == {
        "template": "{{ user }}"
    }
