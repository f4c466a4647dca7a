from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent_contract.messages import JSON_TYPE, Exchange, Reply
from contract_tests.deployment.cold_start import ColdStart
from contract_tests.report.saved_json import to_json
from mockserver.build import create_engine, own_contract
from mockserver.config import Config
from server_defects.imitation import Profile, imitate, load_profile, profile_of, with_agent
from server_defects.replies import json_reply
from tests.server_defects.support.reports import exchanges_with, report_of
from tests.server_defects.support.requests import CHAT, HELLO, ROOT, TOOL, post

STREAM = {"stream": True, "stream_options": {"include_usage": True}}
FIRST, NEXT = {"create_session": True}, {"store_in_session": "$session"}


def profile(clauses: Mapping[str, list[Exchange]], **changes: Any) -> Profile:
    return profile_of(report_of(clauses, **changes), own_contract())


def reply_of(made: Profile, body: Mapping[str, Any]) -> Reply:
    engine = create_engine(own_contract(), with_agent(Config(), made))
    return imitate(engine, made).handle(post(CHAT, {"messages": HELLO, **body})).reply


@pytest.mark.parametrize(
    ("defect", "clause", "bodies"),
    [
        ("usage-total-doubled", "chat.reply-usage-sum", [{}]),
        ("choices-missing", "chat.reply-choices", [{}]),
        ("answer-as-a-page", "chat.reply-content-type", [{}]),
        ("reason-in-capitals", "chat.reply-finish-reason", [{}]),
        ("index-from-one", "chat.choice-index", [{"n": 2}]),
        ("n-ignored", "chat.n-choices", [{"n": 2}]),
        ("temperature-above-400", "chat.temperature-above-maximum", [{"temperature": 2.1}]),
        ("temperature-above-crash", "chat.temperature-above-maximum", [{"temperature": 2.1}]),
        ("model-any-answers", "chat.model-unexpected", [{"model": "x"}]),
        ("role-any-accepted", "chat.role-unknown", [{"messages": [{"role": "narrator", "content": "x"}]}]),
        ("seed-zero-refused", "chat.seed-accepted", [{"seed": 0}]),
        ("tools-ignored", "chat.tool-choice-named", [{"tools": [TOOL], "tool_choice": TOOL}]),
        ("tool-call-no-id", "chat.tool-call", [{"tools": [TOOL], "tool_choice": "required"}]),
        ("max-tokens-ignored", "chat.max-tokens-bound", [{"max_tokens": 3}]),
        ("done-missing", "chat.stream-done", [STREAM]),
        ("usage-first", "chat.stream-usage", [STREAM]),
        ("finish-twice", "chat.stream-finish", [STREAM]),
        ("session-ignored", "chat.session-used", [FIRST, {}, NEXT]),
        ("session-id-missing", "chat.session-created", [FIRST]),
        ("id-constant", "chat.reply-id", [{}, {}]),
    ],
)
def test_a_defect_that_a_report_shows_is_played(defect: str, clause: str, bodies: list[dict[str, Any]]) -> None:
    made = profile({clause: exchanges_with(defect, *bodies)})
    assert [one.clause for one in made.defects] == [clause]
    assert made.missing == {}


def test_one_defect_that_breaks_several_clauses_is_played_once() -> None:
    shown = exchanges_with("answer-in-a-list", {})
    made = profile(
        dict.fromkeys(("chat.reply-conforms", "chat.reply-id", "chat.reply-usage", "chat.reply-model"), shown)
    )
    assert [one.name for one in made.defects] == ["answer-in-a-list"]


def test_a_value_that_is_accepted_by_mistake_is_accepted() -> None:
    accepted = Exchange(post(CHAT, {"messages": HELLO, "temperature": 3.0}), exchanges_with("usage-null", {})[0].reply)
    made = profile({"chat.temperature-above-maximum": [accepted]})
    assert reply_of(made, {"temperature": 3.0}).status == 200
    assert reply_of(made, {"temperature": -1.0}).status == 422


def test_a_value_that_is_refused_by_mistake_is_refused() -> None:
    refused = Exchange(post(CHAT, {"messages": HELLO, "top_k": 5}), json_reply({"detail": "top_k?"}, 400))
    made = profile({"chat.top-k-range": [refused]})
    assert (reply_of(made, {"top_k": 5}).status, reply_of(made, {"top_k": 6}).status) == (400, 200)


def test_a_deviation_that_would_refuse_every_chat_is_not_played() -> None:
    refused = Exchange(post(CHAT, {"messages": HELLO}), json_reply({"detail": "no"}, 400))
    made = profile({"chat.reply-id": [refused]})
    assert (made.defects, list(made.missing)) == ((), ["chat.reply-id"])


def test_what_is_not_in_the_form_of_a_reply_is_listed() -> None:
    made = profile({"chat.stream-same-as-plain": exchanges_with("created-zero", {"stream": True})[:0]})
    assert list(made.missing) == ["chat.stream-same-as-plain"]
    assert any("can't imitate" in line for line in made.lines())


def test_an_operation_that_is_always_refused_is_refused() -> None:
    made = profile({}, operations={"listAgents": {"403": 3}, "listModels": {"200": 1}})
    engine = imitate(create_engine(own_contract(), with_agent(Config(), made)), made)
    statuses = [
        engine.handle(replace(post(f"{ROOT}/{path}", {}), method="GET")).reply.status for path in ("agents", "models")
    ]
    assert statuses == [403, 200]


def test_an_unknown_id_does_not_make_an_operation_absent() -> None:
    assert profile({}, operations={"getAgent": {"404": 2}}).defects == ()


def test_the_agent_and_its_model_are_those_of_the_deployment() -> None:
    answer = Reply(200, JSON_TYPE, json.dumps({"model": "their-model", "choices": []}).encode())
    made = profile({"chat.reply-conforms": [Exchange(post(CHAT, {"messages": HELLO}), answer)]})
    assert (made.agent.name, made.agent.model) == ("demo", "their-model")


def test_a_cold_start_becomes_a_fault() -> None:
    made = profile({}, cold_start=ColdStart("503 Service Unavailable", 4.0))
    assert made.faults == ("status-503:times=1",)


def test_a_saved_report_gives_the_same_profile(tmp_path: Path) -> None:
    report = report_of({"chat.reply-usage-sum": exchanges_with("usage-total-zero", {})})
    path = tmp_path / "report.json"
    path.write_text(to_json(report), encoding="utf-8")
    assert list(load_profile(path, own_contract()).lines()) == list(profile_of(report, own_contract()).lines())


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="report"):
        load_profile(path, own_contract())
