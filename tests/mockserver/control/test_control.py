"""The control interface: the journal and the state of each scope."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agent_contract.messages import Request
from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.core.limits import Limits
from mockserver.engine import Engine
from mockserver.generation.latency import Pace
from mockserver.stores import MemoryStore, StoreUnavailable
from tests.mockserver.support.api_client import ApiClient
from tests.mockserver.support.chat_client import CONTRACT, Clock, engine
from tests.mockserver.support.control_client import OWN, Control

TOKEN = "a-token-for-the-control"


@pytest.fixture
def player() -> Engine:
    return engine()


@pytest.fixture
def looker(player: Engine) -> Control:
    return Control(player)


@pytest.fixture
def call(player: Engine) -> ApiClient:
    return ApiClient(player)


def test_the_document_is_served_and_lists_every_path(looker: Control) -> None:
    document = looker.get("/openapi.json")

    assert document["openapi"] == "3.1.0"
    assert "/__mock__/requests" in document["paths"]
    assert document == OWN.document


def test_health_names_the_served_document_and_readiness_checks_the_store(looker: Control) -> None:
    assert looker.get("/health")["contract"] == CONTRACT.digest
    assert looker.get("/ready") == {"status": "ready"}


class GoneStore(MemoryStore):
    """A store that can't be reached any more."""

    def ready(self) -> None:
        raise StoreUnavailable("The store is gone: start it again.", 7)


def test_a_mock_without_its_store_is_not_ready() -> None:
    reply = Control(engine(store=GoneStore())).reply("GET", "/ready")

    assert (reply.status, reply.headers["retry-after"]) == (503, "7")
    assert b"start it again" in reply.content()


def test_requests_are_listed_newest_first_with_what_they_were_refused_for(looker: Control, call: ApiClient) -> None:
    call.chat("demo", "Hello!")
    call.status("POST", "/assistants/demo/chat/completions", {"messages": []})
    newest, oldest = looker.get("/requests")["requests"]

    assert (newest["number"], oldest["number"]) == (2, 1)
    assert newest["clauses"] == ["chat.messages-empty"]
    assert newest["violations"][0]["place"] == "body/messages"
    assert newest["request"]["json"] == {"messages": []}
    assert newest["reply"]["status"] == 422
    assert oldest["reply"]["json"]["choices"]
    assert looker.get("/requests/1") == oldest


def test_requests_are_found_by_agent_session_status_and_clause(looker: Control, call: ApiClient) -> None:
    session = call.chat("demo", create_session=True)["session_id"]
    call.chat("demo-open")
    call.status("POST", "/assistants/demo/chat/completions", {"messages": []})
    call.chat("demo", store_in_session=session)

    assert looker.numbers(agent="demo-open") == [2]
    assert looker.numbers(session=session) == [4, 1]
    assert looker.numbers(status="422") == looker.numbers(status="4xx") == [3]
    assert looker.numbers(clause="chat.messages-empty") == [3]
    assert looker.numbers(agent="demo", status="2xx") == [4, 1]


def test_requests_are_found_by_a_text_in_one_of_their_messages(looker: Control, call: ApiClient) -> None:
    call.chat("demo", "Where are the herons?")
    call.chat("demo", "Hello!")
    call.chat("demo", "A heron." + " word" * 4000)

    assert looker.numbers(contains="heron") == [3, 1]
    assert looker.numbers(contains="messages") == [3]


def test_requests_are_explained_oldest_first_with_reason_and_remedy(looker: Control, call: ApiClient) -> None:
    assert looker.reply("GET", "/explanation").content() == b"The mock has received no request in this scope.\n"
    call.chat("demo", "Hello!")
    path = "/assistants/demo/chat/completions"
    call.status("POST", path, {"messages": [{"role": "wizard", "content": "Hi"}]})
    call.status("POST", path, {"temperature": 3})

    explained = looker.reply("GET", "/explanation")
    assert explained.headers["content-type"] == "text/plain; charset=utf-8"
    lines = explained.content().decode().splitlines()
    assert lines[0] == '1. POST /api/v1/compatibility/openai/v1/agents/demo/chat/completions 200 answered: "Hello!"'
    assert lines[1].endswith('400 refused: "Hi"')
    assert '   value: "wizard"' in lines
    assert "   remedy: send one of assistant, tool, user" in lines
    assert '   remedy: add the field "messages"' in lines
    assert "   reason: body/temperature: Input should be less than or equal to 2" in lines
    assert "   remedy: send at most 2" in lines


def test_an_explanation_is_of_the_last_50_requests(looker: Control, call: ApiClient) -> None:
    for _ in range(51):
        call.chat("demo")

    first, second, *_ = looker.reply("GET", "/explanation").content().decode().splitlines()
    assert first == "The last 50 of 51 requests:"
    assert second.startswith("2. POST ")


def test_a_page_of_requests_names_where_the_next_begins(looker: Control, call: ApiClient) -> None:
    for _ in range(3):
        call.chat("demo")
    first = looker.get("/requests", limit="2")

    assert [one["number"] for one in first["requests"]] == [3, 2]
    assert looker.numbers(before=str(first["next"])) == [1]


def test_a_stream_is_kept_event_by_event(looker: Control, call: ApiClient) -> None:
    asked = {"messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 3}
    call.events("/assistants/demo/chat/completions", asked)
    events = looker.get("/requests/1")["reply"]["events"]

    assert events[0]["data"]["object"] == "chat.completion.chunk"
    assert events[-1]["data"] == "[DONE]"


def test_the_events_of_a_stream_keep_their_times() -> None:
    player = engine(pace=Pace(ttft=0.5, tps=10.0))
    asked = {"messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 3}
    ApiClient(player).events("/assistants/demo/chat/completions", asked)
    reply = Control(player).get("/requests/1")["reply"]

    assert [event.get("delay") for event in reply["events"]] == [None, None, 0.1, 0.1, None, None]
    assert reply["seconds"] == 0.7


def test_the_journal_keeps_no_more_than_its_bound() -> None:
    player = engine(Config(limits=Limits(journal=2)))
    for _ in range(4):
        ApiClient(player).chat("demo")

    assert Control(player).numbers() == [4, 3]
    assert Control(player).status("GET", "/requests/1") == 404


def test_a_journal_of_none_is_kept_nowhere() -> None:
    player = engine(Config(limits=Limits(journal=0)))
    ApiClient(player).chat("demo")

    assert Control(player).numbers() == []


def test_a_long_body_is_cut_and_marked_as_cut(looker: Control, call: ApiClient) -> None:
    call.chat("demo", "word " * 40_000)
    request = looker.get("/requests/1")["request"]

    assert request["cut"] is True
    assert request["size"] > 200_000 > len(request["text"])


@pytest.mark.parametrize("place", ["header", "cookie", "query", "body", "reply"])
def test_no_secret_is_kept(place: str) -> None:
    token = "the-server-s-own-token"
    player = engine(Config(tokens=(token,)))
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    body: dict[str, Any] = {"messages": [{"role": "user", "content": f"Say {token}." if place == "body" else "Hi."}]}
    body |= {"model": token} if place == "reply" else {}
    headers |= {"cookie": f"session={token}"} if place == "cookie" else {}
    headers |= {"x-api-key": "another-secret"} if place == "header" else {}
    query = (("access_token", "another-secret"),) if place == "query" else ()
    path = "/api/v1/compatibility/openai/v1/assistants/demo/chat/completions"
    player.reply(Request("POST", path, query, headers, json.dumps(body).encode()))
    kept = json.dumps(Control(player, token=token).get("/requests"))

    assert "demo" in kept
    assert token not in kept
    assert "another-secret" not in kept


def test_sessions_are_listed_and_read_with_their_messages(looker: Control, call: ApiClient) -> None:
    session = call.chat("demo", "The password is heron.", create_session=True)["session_id"]
    (listed,) = looker.get("/sessions")["sessions"]
    read = looker.get(f"/sessions/{session}")

    assert (listed["session"], listed["messages"]) == (session, 2)
    assert [message["role"] for message in read["messages"]] == ["user", "assistant"]
    assert read["messages"][0]["content"] == "The password is heron."


def test_the_messages_of_a_session_are_read_page_by_page(looker: Control, call: ApiClient) -> None:
    session = call.chat("demo", "One.", create_session=True)["session_id"]
    call.chat("demo", "Two.", store_in_session=session)
    first = looker.get(f"/sessions/{session}", limit="3")
    rest = looker.get(f"/sessions/{session}", after=str(first["next"]))

    assert ([len(page["messages"]) for page in (first, rest)], rest["next"]) == ([3, 1], None)
    assert first["messages"][2]["content"] == "Two."
    assert looker.get(f"/sessions/{session}")["messages"] == first["messages"] + rest["messages"]


def test_sessions_are_listed_agent_by_agent_and_page_by_page(looker: Control, call: ApiClient) -> None:
    ids = [call.chat(agent, create_session=True)["session_id"] for agent in ("demo", "demo", "demo-open")]
    first = looker.get("/sessions", limit="2")
    rest = looker.get("/sessions", after=first["next"])

    assert sorted(one["session"] for page in (first, rest) for one in page["sessions"]) == sorted(ids)
    assert [one["session"] for one in looker.get("/sessions", agent="demo-open")["sessions"]] == [ids[2]]


def test_a_deleted_session_is_unknown_to_the_chat(looker: Control, call: ApiClient) -> None:
    session = call.chat("demo", create_session=True)["session_id"]

    assert looker.status("DELETE", f"/sessions/{session}") == 204
    assert looker.status("GET", f"/sessions/{session}") == 404
    body = {"messages": [{"role": "user", "content": "?"}], "store_in_session": session}
    assert call.status("POST", "/assistants/demo/chat/completions", body) == 404


def test_agents_are_listed_with_what_is_the_mocks_own(looker: Control, call: ApiClient) -> None:
    made = call.agent(name="mine")
    call.post("/agents/demo", {"description": "Changed."})
    origins = {one["name"]: one["origin"] for one in looker.get("/agents")["agents"]}

    assert (origins["demo"], origins["demo-open"], origins["mine"]) == ("changed", "configured", "created")
    assert looker.get("/agents", after=looker.get("/agents")["agents"][-2]["id"])["agents"][0]["id"] == made["id"]


def test_a_reset_restores_the_configured_agent(looker: Control, call: ApiClient) -> None:
    call.post("/agents/demo", {"description": "Changed."})
    looker.reply("POST", "/agents/demo/reset")

    assert call.get("/agents/demo").get("description") is None
    assert looker.status("POST", "/agents/nobody/reset") == 404


def test_a_reset_agent_has_no_sessions_and_other_agents_keep_theirs(looker: Control, call: ApiClient) -> None:
    call.chat("demo", create_session=True)
    kept = call.chat("demo-open", create_session=True)["session_id"]
    looker.reply("POST", "/agents/demo/reset")

    assert [one["session"] for one in looker.get("/sessions")["sessions"]] == [kept]


def test_the_refusal_to_reset_an_unknown_agent_names_it_and_those_that_are_configured(player: Engine) -> None:
    exchange = player.handle(Request("POST", "/__mock__/agents/" + "x" * 250 + "/reset", (), {}))

    assert [(one.where, one.got) for one in exchange.violations] == [(("path", "agent_id"), "x" * 200)]
    assert b"demo, demo-open, " in exchange.reply.content()


def test_a_reset_leaves_nothing(looker: Control, call: ApiClient) -> None:
    made = call.agent(name="mine")
    call.chat("demo", create_session=True)

    assert looker.status("POST", "/reset") == 204
    assert looker.get("/sessions")["sessions"] == []
    assert looker.numbers() == []
    assert call.status("GET", f"/agents/{made['id']}") == 404


def test_each_scope_has_its_own_agents_sessions_and_requests(player: Engine) -> None:
    one, other = ApiClient(player, "one"), ApiClient(player, "other")
    made = one.agent(name="mine")
    session = one.chat(made["id"], create_session=True)["session_id"]

    assert other.status("GET", f"/agents/{made['id']}") == 404
    assert Control(player, "one").get(f"/sessions/{session}")["agent"] == made["id"]
    assert Control(player, "other").status("GET", f"/sessions/{session}") == 404
    assert (Control(player, "one").numbers(), Control(player, "other").numbers()) == ([2, 1], [1])


def test_scopes_are_listed_and_reset_one_by_one_or_all_at_once(player: Engine, looker: Control) -> None:
    for name in ("one", "other"):
        ApiClient(player, name).chat("demo", create_session=True)
    assert [scope["name"] for scope in looker.get("/scopes")["scopes"]] == [None, "one", "other"]

    Control(player, "one").reply("POST", "/reset")
    assert {scope["name"]: scope["sessions"] for scope in looker.get("/scopes")["scopes"]} == {None: 0, "other": 1}
    looker.reply("POST", "/reset", all="true")
    assert [scope["name"] for scope in looker.get("/scopes")["scopes"]] == [None]


def test_the_least_recently_used_scope_is_evicted_with_everything_in_it() -> None:
    clock = Clock()
    player = create_engine(CONTRACT, Config(limits=Limits(scopes=2)), clock=clock)
    for name in ("first", "second", "third"):
        clock.now += 10
        ApiClient(player, name).chat("demo", create_session=True)

    assert [scope["name"] for scope in Control(player).get("/scopes")["scopes"]] == [None, "second", "third"]
    assert Control(player, "first").get("/sessions")["sessions"] == []


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "tab\there", "é"])
def test_an_invalid_scope_name_is_refused(player: Engine, name: str) -> None:
    path = "/api/v1/compatibility/openai/v1/models"
    reply = player.reply(Request("GET", path, (), {"x-mock-scope": name}))

    assert reply.status == 400
    assert b"X-Mock-Scope must be 1 to 100 printable ASCII characters" in reply.content()


def test_looking_changes_nothing_that_the_api_answers() -> None:
    looked_at, left_alone = engine(), engine()
    for _ in range(3):
        Control(looked_at).get("/requests")
        Control(looked_at).get("/sessions")

    assert ApiClient(looked_at).chat("demo")["id"] == ApiClient(left_alone).chat("demo")["id"]


def test_with_the_interface_off_health_and_readiness_are_left() -> None:
    looker = Control(engine(replace(Config(), control=False)))

    assert looker.get("/health")["status"] == "ok"
    assert looker.get("/ready") == {"status": "ready"}
    for path in ("/requests", "/sessions", "/agents", "/scopes", "/openapi.json"):
        assert looker.engine.reply(Request("GET", "/__mock__" + path)).status == 404


def test_a_token_of_its_own_is_asked_for_but_for_health_and_readiness() -> None:
    player = engine(Config(control_tokens=(TOKEN,)))

    assert Control(player).get("/health")
    assert Control(player).get("/ready")
    assert Control(player).reply("GET", "/requests").headers["www-authenticate"] == "Bearer"
    assert Control(player, token="wrong").status("GET", "/requests") == 401
    assert Control(player, token=TOKEN).numbers() == []
    assert ApiClient(player).chat("demo")


def test_without_a_token_of_its_own_it_asks_for_the_apis() -> None:
    player = engine(Config(tokens=("the-api-s-token",)))

    assert Control(player).status("GET", "/requests") == 401
    assert Control(player, token="the-api-s-token").numbers() == []


def test_pages_of_another_origin_can_not_read_it(looker: Control) -> None:
    reply = replace(looker, headers={"origin": "https://elsewhere.example"}).reply("GET", "/requests")

    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/requests", {"limit": "0"}, "limit"),
        ("/requests", {"status": "9xx"}, "status"),
        ("/requests", {"before": "x"}, "before"),
        ("/sessions", {"limit": "100000"}, "limit"),
    ],
)
def test_a_query_beyond_its_bounds_is_refused(looker: Control, path: str, query: dict[str, str], field: str) -> None:
    reply = looker.reply("GET", path, **query)

    assert reply.status == 422
    assert json.loads(reply.content())["detail"][0]["loc"] == ["query", field]


def test_unknown_paths_are_not_found_and_other_methods_are_not_allowed(looker: Control) -> None:
    assert looker.engine.reply(Request("GET", "/__mock__/nothing")).status == 404
    reply = looker.engine.reply(Request("DELETE", "/__mock__/requests"))
    assert (reply.status, reply.headers["allow"]) == (405, "GET")
