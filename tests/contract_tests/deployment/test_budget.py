"""A run keeps its budget of requests, tokens and time, and estimates its cost before it starts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from agent_contract import load_contract
from agent_contract.base_url import Target
from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.reference_server import Tally
from benchmarks.detection.running import running
from contract_tests.deployment.budget import FOR_CHAT, NO_SESSIONS, Budget, chat_share, tokens_at_most
from contract_tests.deployment.client import DeploymentClient
from contract_tests.deployment.payloads import NEXT, plain, turn
from contract_tests.options import BREADTHS, Options
from contract_tests.runner.cost_estimate import COSTS, Plan, planned
from contract_tests.runner.run import configured
from contract_tests.verdict import Exit, NotPassed
from server_defects.hooks import Payload
from tests.contract_tests.support.clock import Clock
from tests.contract_tests.support.commands import run_pytest, verify
from tests.contract_tests.support.judging import judged
from tests.contract_tests.support.servers import Answer, serving

PLAIN = ServerHooks()
AGENT = f"agent-id={PLAIN.agent_id}"
SESSION = "7d444840-9dc0-41d1-b245-5ffdce74fad2"


def answered(tokens: int) -> Answer:
    usage = {"prompt_tokens": tokens - 1, "completion_tokens": 1, "total_tokens": tokens}
    return 200, {"content-type": "application/json"}, json.dumps({"usage": usage}).encode()


@contextmanager
def asking(budget: Budget, answer: Answer) -> Iterator[tuple[DeploymentClient, list[bytes]]]:
    """Yield a client with this budget, and the bodies that its server gets."""
    bodies: list[bytes] = []

    def keep(path: str, body: bytes) -> Answer:
        bodies.append(body)
        return answer

    with serving(keep) as url:
        client = DeploymentClient(Target(url), "/chat", "", budget, 5.0)
        yield client, bodies
        client.close()


@dataclass
class Counting:
    """A deployment that counts what a run of the contract tests takes of it."""

    tally: Tally = field(default_factory=Tally)
    sessions: int = 0

    def new_session(self, payload: Payload) -> str:
        self.sessions += 1
        return PLAIN.new_session(payload)

    @property
    def hooks(self) -> ServerHooks:
        return replace(PLAIN, new_session=self.new_session)


def plan_of(*clauses: str, **options: object) -> Plan:
    return configured(load_contract(), Options(clauses=clauses, **options)).plan  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "clauses",
    [(), ("chat.n-accepted",), ("chat.session-*",), ("chat.stream-*", "chat.temperature-*"), ("chat.reply-*",)],
    ids=lambda clauses: " ".join(clauses) or "all",
)
def test_a_run_takes_no_more_than_its_estimate(clauses: tuple[str, ...]) -> None:
    counting, plan = Counting(), plan_of(*clauses)
    with running(counting.hooks, counting.tally) as url:
        verdict = judged(url, AGENT, *(f"clause={glob}" for glob in clauses))
    assert verdict.code == Exit.PASSED, verdict.reason
    assert 0 < counting.tally.requests <= plan.requests <= 500
    assert 0 < counting.tally.tokens <= plan.tokens
    assert counting.sessions <= plan.sessions
    assert counting.sessions or not plan.sessions


def test_a_single_clause_takes_little() -> None:
    plan = plan_of("chat.n-accepted")
    assert plan.requests < 15
    assert plan.sessions == 0


@pytest.mark.parametrize("breadth", BREADTHS)
def test_it_is_known_of_each_clause_what_it_takes(breadth: str) -> None:
    """If it is not, `python -m benchmarks.costs` measures it."""
    costs = json.loads(COSTS.read_text(encoding="utf-8"))[breadth]
    testable = {clause.id for clause in load_contract().clauses if not clause.untestable}
    assert testable - costs["clauses"].keys() - set(costs["generated"]["clauses"]) == set()


def test_the_estimate_for_an_unknown_clause_is_generous() -> None:
    assert planned(frozenset({"a.new-one"}), Options()).requests > 10


def test_what_is_allowed_bounds_what_is_said() -> None:
    assert plan_of(max_requests=9, max_tokens=70, no_sessions=True) == Plan(9, 70, 0)


def test_a_dry_run_prints_the_estimate_and_sends_nothing() -> None:
    bodies: list[bytes] = []

    def answer(path: str, body: bytes) -> Answer:
        bodies.append(body)
        return None

    with serving(answer) as url:
        found = verify(url, "--agent-id", "a", "--dry-run")
    assert found.code == 0
    assert "at most 500 requests and " in found.output
    assert "sessions, which can't be deleted" in found.output
    assert found.last == "exit 0: nothing was sent"
    assert bodies == []


def test_a_run_prints_its_estimate_before_it_starts() -> None:
    with running(PLAIN) as url:
        found = verify(url, "--agent-id", PLAIN.agent_id, "--clause", "chat.n-accepted")
    assert found.error.startswith(f"{url}: {plan_of('chat.n-accepted')}\n")


def test_without_sessions_none_is_created_and_their_clauses_are_not_selected() -> None:
    """That is the user's own choice, so it takes no verdict away; a clause that can do without is judged."""
    counting = Counting()
    with running(counting.hooks, counting.tally) as url:
        verdict = judged(url, AGENT, "no-sessions")
    assert counting.sessions == 0
    assert verdict.code == Exit.PASSED, verdict.reason
    for clause in ("chat.session-used", "chat.session-created", "chat.session-unknown"):
        assert verdict.findings[clause].word == "skipped"
        assert verdict.findings[clause].reason == NO_SESSIONS
    assert verdict.findings["chat.no-server-error"].word == "passed"
    assert counting.tally.requests <= 500


def test_the_chat_alone_takes_no_more_than_two_hundred_requests() -> None:
    counting, plan = Counting(), plan_of("chat.*")
    with running(counting.hooks, counting.tally) as url:
        judged(url, AGENT, "clause=chat.*")
    assert counting.tally.requests == plan.requests == FOR_CHAT


@pytest.mark.parametrize(("most", "share"), [(50, 50), (200, 200), (500, 200), (501, 201), (1000, 700)])
def test_of_a_larger_budget_a_hundred_are_kept_for_what_is_around_the_chat(most: int, share: int) -> None:
    assert chat_share(most, "default") == share
    assert chat_share(most, "deep") == most


@pytest.mark.parametrize("name", ["prompt", "input"])
def test_the_estimate_counts_strings_and_lists_of_them_as_messages(name: str) -> None:
    one, two = tokens_at_most({name: "a" * 100, "max_tokens": 1}), tokens_at_most({name: ["a" * 100, "b" * 100]})
    assert one > 100
    assert two > 200
    assert tokens_at_most({name: ""}) == tokens_at_most({name: 7}) == 0


def test_a_token_budget_leaves_the_rest_untested() -> None:
    counting = Counting()
    with running(counting.hooks, counting.tally) as url:
        verdict = judged(url, AGENT, "max-tokens=700")
    assert 0 < counting.tally.tokens <= 700
    assert verdict.code == Exit.NO_VERDICT
    assert "token budget" in verdict.findings["chat.session-used"].reason


def test_tokens_are_counted_by_the_answers() -> None:
    """So much may the next request take, which is less than what is left."""
    bound = tokens_at_most(plain())
    with asking(Budget(9, most_tokens=bound + 12), answered(5)) as (client, bodies):
        for number in range(3):
            client.chat(plain(), again=number)
        assert client.budget.tokens == 15
        with pytest.raises(NotPassed, match="token budget"):
            client.chat(plain(), again=3)
    assert len(bodies) == 3


def test_what_an_agent_adds_to_each_prompt_is_learned() -> None:
    bound = tokens_at_most(plain())
    with asking(Budget(9, most_tokens=3 * bound + 1500), answered(bound + 1000)) as (client, _):
        client.chat(plain())
        with pytest.raises(NotPassed, match=f"may take {bound + 1000}"):
            client.chat(plain(), again=1)


def test_a_refusal_costs_no_tokens_and_a_reply_that_is_cut_all_it_may() -> None:
    with asking(Budget(9, most_tokens=1000), (422, {}, b"")) as (client, _):
        client.chat(plain())
        assert client.budget.tokens == 0
    with asking(Budget(9, most_tokens=1000), None) as (client, _):
        client.chat(plain())
        assert client.budget.tokens == tokens_at_most(plain())


def test_more_choices_and_longer_answers_may_cost_more() -> None:
    assert tokens_at_most(plain(n=2)) == tokens_at_most(plain()) + 16
    assert tokens_at_most(plain(max_tokens=1)) == tokens_at_most(plain()) - 15
    assert tokens_at_most(turn(NEXT, SESSION)) > tokens_at_most(turn())
    assert tokens_at_most({"messages": []}) == 0
    assert tokens_at_most([]) == 0


@pytest.mark.parametrize("fields", [{"create_session": True}, {"store_in_session": SESSION}], ids=["created", "named"])
def test_a_request_with_a_session_is_left_out_with_no_sessions(fields: dict[str, str]) -> None:
    """A server may create the one that is named."""
    with asking(Budget(9, no_sessions=True), answered(5)) as (client, bodies):
        with pytest.raises(NotPassed, match="--no-sessions"):
            client.chat(plain(**fields))
        client.chat(plain(store_in_session="not-a-uuid"))
    assert len(bodies) == 1


def test_requests_keep_their_distance() -> None:
    clock = Clock()
    limiter = clock.limiter(rate=4)
    for _ in range(3):
        limiter.wait_for_turn()
    clock.now += 10
    limiter.wait_for_turn()
    assert clock.waits == [0.25, 0.25]


def test_nothing_is_sent_after_the_deadline() -> None:
    clock = Clock()
    with asking(Budget(9, limiter=clock.limiter(deadline=30)), answered(5)) as (client, bodies):
        client.chat(plain())
        clock.now += 30
        assert client.budget.left == 0
        with pytest.raises(NotPassed, match="deadline: the 30 s"):
            client.chat(plain(), again=1)
        assert client.chat(plain()).status == 200, "what was answered is remembered"
    assert len(bodies) == 1


def test_no_pause_lasts_beyond_the_deadline() -> None:
    clock = Clock()
    waiting = (429, {"retry-after": "20"}, b"")
    budget = Budget(9, limiter=clock.limiter(deadline=3))
    with asking(budget, waiting) as (client, _), pytest.raises(NotPassed, match="deadline"):
        client.chat(plain())
    assert clock.waits == [3.0]


def test_a_reply_that_the_deadline_cuts_breaks_nothing() -> None:
    clock = Clock()

    def late(path: str, body: bytes) -> Answer:
        clock.now += 4
        return None

    with serving(late) as url:
        client = DeploymentClient(Target(url), "/chat", "", Budget(9, limiter=clock.limiter(deadline=3)), 5.0)
        with pytest.raises(NotPassed, match="deadline"):
            client.chat(plain())
        client.close()


def test_a_deadline_ends_a_run_without_a_verdict() -> None:
    with running(PLAIN) as url:
        verdict = judged(url, AGENT, "deadline=0.000001")
    assert verdict.code == Exit.NO_VERDICT
    assert "deadline" in verdict.reason


@pytest.mark.parametrize("answer", [("--max-tokens", "-1"), ("--rate", "x"), ("--deadline", "-1")])
def test_an_invalid_limit_is_wrong_usage(answer: tuple[str, str]) -> None:
    found = verify("http://host", *answer)
    assert found.code == 2
    assert answer[0] in found.error


def test_a_plain_pytest_can_be_asked_the_same(tmp_path: Path) -> None:
    url = ("--pyargs", "contract_tests", "--contract-url=http://127.0.0.1:1", "--contract-agent-id=a")
    ran = run_pytest(*url, "--contract-dry-run", cwd=tmp_path)
    assert ran.code == pytest.ExitCode.OK
    assert f"{plan_of()}; nothing was sent" in ran.output
    refused = run_pytest(*url, "--contract-client-key=no-such-file", cwd=tmp_path)
    assert refused.code == pytest.ExitCode.USAGE_ERROR
    assert "--contract-client-key needs --contract-client-cert" in refused.output
