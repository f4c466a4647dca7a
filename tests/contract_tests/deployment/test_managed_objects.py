"""A run removes what it creates, or reports what it could not remove."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import httpx
import pytest

from agent_contract.base_url import Target
from contract_tests.deployment.auth import Credentials, IssuedToken
from contract_tests.deployment.budget import NOT_MANAGED, Budget
from contract_tests.deployment.client import LATE, DeploymentClient, Endpoint
from contract_tests.deployment.managed_objects import NAME, TRIES, ManagedObjects
from contract_tests.deployment.rate_limit import RateLimiter
from contract_tests.verdict import NotPassed
from contract_tests.wire.exchange import Exchange

LIST = (Endpoint("listAgents", "GET", "/agents"), Endpoint("listAssistants", "GET", "/assistants"))
CREATE = Endpoint("createAgent", "POST", "/agents")
DELETE = (
    Endpoint("deleteAgent", "DELETE", "/agents/{agent_id}"),
    Endpoint("deleteAssistant", "DELETE", "/assistants/{agent_id}"),
)


def unread(response: httpx.Response) -> httpx.Response:
    """Return the same response as a transport gives it: its body is still to be read."""
    return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(response.content))


@dataclass
class Server:
    """Agents by id, what was asked, and answers that come before the usual ones."""

    agents: dict[str, dict[str, str]] = field(default_factory=dict)
    exchange: list[str] = field(default_factory=list)
    before: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
    pauses: list[float] = field(default_factory=list)
    now: float = 0.0

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.exchange.append(f"{request.method} {request.url.path}")
        response = self.before(request)
        return unread(self.usual(request) if response is None else response)

    def usual(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"object": "list", "data": list(self.agents.values())[::-1]})
        if request.method == "POST":
            agent = {**json.loads(request.content), "id": f"agent-{len(self.agents)}"}
            self.agents[agent["id"]] = agent
            return httpx.Response(201, json=agent)
        found = self.agents.pop(request.url.path.rpartition("/")[2], None)
        return httpx.Response(200 if found else 404, json={"deleted": bool(found)})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server) -> Iterator[DeploymentClient]:
    limiter = RateLimiter(deadline=100.0, clock=lambda: server.now, wait=server.pauses.append)
    connect = partial(httpx.Client, transport=httpx.MockTransport(server.answer))
    client = DeploymentClient(Target("http://server"), "/chat", "", Budget(9, limiter=limiter), 5.0, connect)
    yield client
    client.close()


@pytest.fixture
def agents() -> ManagedObjects:
    return ManagedObjects(wanted=True)


def create(client: DeploymentClient, agents: ManagedObjects, label: str = "-1") -> Exchange:
    agents.permit(CREATE)
    exchange = client.ask(CREATE, {"name": agents.name + label})
    agents.record(exchange)
    return exchange


def test_what_was_created_is_removed_newest_first_and_counted(
    server: Server, client: DeploymentClient, agents: ManagedObjects
) -> None:
    for label in ("-1", "-2"):
        create(client, agents, label)
    assert agents.remove_all(client, LIST, DELETE) == []
    assert server.agents == {}
    assert server.exchange[2:] == ["GET /agents", "DELETE /agents/agent-1", "DELETE /agents/agent-0"]
    assert client.budget.sent == len(server.exchange)
    assert [exchange.operation for exchange in client.log[2:]] == ["listAgents", "deleteAgent", "deleteAgent"]


def test_a_second_removal_has_nothing_to_do(server: Server, client: DeploymentClient, agents: ManagedObjects) -> None:
    create(client, agents)
    agents.remove_all(client, LIST, DELETE)
    client.close()
    assert agents.remove_all(client, LIST, DELETE) == []


def test_a_run_that_created_nothing_sends_nothing(
    server: Server, client: DeploymentClient, agents: ManagedObjects
) -> None:
    assert agents.remove_all(client, LIST, DELETE) == []
    assert server.exchange == []


def test_agents_of_others_stay(server: Server, client: DeploymentClient, agents: ManagedObjects) -> None:
    """Those of another run too, whose name begins alike."""
    server.agents = {id: {"id": id, "name": name} for id, name in (("a", "theirs"), ("b", f"{NAME}-0-1"), ("c", NAME))}
    create(client, agents)
    agents.remove_all(client, LIST, DELETE)
    assert server.agents.keys() == {"a", "b", "c"}


def test_two_runs_have_names_of_their_own() -> None:
    one, other = ManagedObjects(wanted=True), ManagedObjects(wanted=True)
    assert one.name != other.name
    assert one.name.startswith(f"{NAME}-")


def test_an_agent_whose_create_got_no_answer_is_found_by_its_name(
    server: Server, client: DeploymentClient, agents: ManagedObjects
) -> None:
    def cut(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        server.agents["lost"] = {"id": "lost", **json.loads(request.content)}
        raise httpx.ReadTimeout("no answer")

    server.before = cut
    assert create(client, agents).status == 0
    server.before = lambda request: None
    assert agents.remove_all(client, LIST, DELETE) == []
    assert server.agents == {}


def test_a_removal_comes_after_deadline_and_budget(
    server: Server, client: DeploymentClient, agents: ManagedObjects
) -> None:
    create(client, agents)
    patience: list[float] = []
    server.now, client.budget.most = 101.0, 1
    server.before = lambda request: patience.append(request.extensions["timeout"]["read"])
    with pytest.raises(NotPassed):
        client.ask(LIST[0])
    assert agents.remove_all(client, LIST, DELETE) == []
    assert server.agents == {}
    assert client.budget.sent == 3
    assert patience == [LATE - 1.0, LATE - 1.0]


def test_a_refusal_that_may_pass_is_tried_again(
    server: Server, client: DeploymentClient, agents: ManagedObjects
) -> None:
    create(client, agents)
    refusals = iter((httpx.Response(409), httpx.Response(503)))
    server.before = lambda request: next(refusals, None) if request.method == "DELETE" else None
    assert agents.remove_all(client, LIST, DELETE) == []
    assert server.agents == {}
    assert len(server.pauses) == 2


@pytest.mark.parametrize("lists", [True, False], ids=["with a list", "without one"])
def test_a_404_counts_as_removed_if_the_list_agrees(
    server: Server, client: DeploymentClient, agents: ManagedObjects, lists: bool
) -> None:
    """A gateway that rejects DELETE may answer 404 too."""
    create(client, agents)
    refusing = {"DELETE"} if lists else {"DELETE", "GET"}
    server.before = lambda request: httpx.Response(404) if request.method in refusing else None
    assert agents.remove_all(client, LIST, DELETE) == ["agent-0: 404 Not Found"]
    create(client, agents, "-2")
    server.agents.clear()
    assert agents.remove_all(client, LIST, DELETE) == ([] if lists else ["agent-1: 404 Not Found"])


@pytest.mark.parametrize(("status", "times"), [(403, 1), (409, TRIES)])
def test_what_could_not_be_removed_is_said_with_the_reason(
    server: Server, client: DeploymentClient, agents: ManagedObjects, status: int, times: int
) -> None:
    create(client, agents)
    server.before = lambda request: httpx.Response(status, text="no") if request.method == "DELETE" else None
    (line,) = agents.remove_all(client, LIST, DELETE)
    assert line.startswith(f"agent-0: {status} ")
    assert line.endswith("no")
    assert server.exchange.count("DELETE /agents/agent-0") == times


def test_an_interruption_ends_the_removal_and_reports_what_is_left(
    server: Server, client: DeploymentClient, agents: ManagedObjects
) -> None:
    for label in ("-1", "-2"):
        create(client, agents, label)

    def interrupt(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/agents/agent-0":
            raise KeyboardInterrupt
        return None

    server.before = interrupt
    assert agents.remove_all(client, LIST, DELETE) == ["agent-0: its removal was interrupted"]


def test_what_one_path_lacks_its_twin_may_have(
    server: Server, client: DeploymentClient, agents: ManagedObjects
) -> None:
    create(client, agents)
    server.before = lambda request: (
        httpx.Response(405) if request.method != "POST" and request.url.path.startswith("/agents") else None
    )
    assert agents.remove_all(client, LIST, DELETE) == []
    assert server.agents == {}


def test_a_token_that_has_expired_meanwhile_is_renewed(
    server: Server, client: DeploymentClient, agents: ManagedObjects
) -> None:
    tokens = iter(("old", "new"))
    client.credentials = Credentials(lambda: IssuedToken(next(tokens)))
    create(client, agents)
    server.before = lambda request: (
        httpx.Response(401) if request.headers.get("authorization") != "Bearer new" else None
    )
    assert agents.remove_all(client, LIST, DELETE) == []
    assert server.agents == {}


def test_an_agent_that_a_test_has_deleted_is_not_removed_again(
    server: Server, client: DeploymentClient, agents: ManagedObjects
) -> None:
    create(client, agents)
    changes = agents.changes
    agents.record(client.ask(DELETE[0], parameters={"agent_id": "agent-0"}))
    assert agents.created == []
    assert agents.changes == changes + 1
    agents.remove_all(client, LIST, DELETE)
    assert server.exchange[2:] == ["GET /agents"]


@pytest.mark.parametrize("place", [CREATE, DELETE[0], Endpoint("updateAgent", "POST", "/agents/{agent_id}")])
def test_a_run_that_may_not_changes_nothing(place: Endpoint) -> None:
    with pytest.raises(NotPassed) as judged:
        ManagedObjects(wanted=False).permit(place)
    assert (judged.value.finding.word, judged.value.finding.reason) == ("skipped", NOT_MANAGED)
    assert "--manage" in NOT_MANAGED
