"""Records which requests each clause takes, for the estimate of `verify`: `python -m benchmarks.costs`."""

import json
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

import pytest

from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.running import running
from contract_tests.assertions.schemathesis_checks import CLAUSES
from contract_tests.assertions.sessions import session_id
from contract_tests.deployment.budget import names_a_session, session_of, tokens_at_most
from contract_tests.deployment.client import DeploymentClient
from contract_tests.deployment.managed_objects import KINDS
from contract_tests.options import BREADTHS
from contract_tests.runner.cost_estimate import COSTS, MANAGED
from contract_tests.runner.plugin import clauses_of
from contract_tests.wire.exchange import Exchange
from tests.contract_tests.support.judging import judged

#: Here are the tests that send what is generated, as much as the others leave.
GENERATED = "test_generated.py"
TOKEN = "a-token-of-the-reference-server"


@dataclass
class CostRecorder:
    """A plugin of pytest that keeps, for each clause, the numbers of the requests that its tests look at."""

    takes: dict[str, set[int]] = field(default_factory=dict)
    exchange: dict[int, Exchange] = field(default_factory=dict)
    _heard: list[int] = field(default_factory=list)
    _by_fixture: dict[str, set[int]] = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Keep what a fixture asks: each test that uses it takes that, though it is asked once."""
        before = len(self._heard)
        made = yield
        self._by_fixture[fixturedef.argname] = set(self._heard[before:])
        return made

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Keep what a test asks, by its clauses; requests of the generated tests do not belong to a clause."""
        before = len(self._heard)
        done = yield
        used = set().union(*(self._by_fixture.get(name, set()) for name in getattr(item, "fixturenames", ())))
        if item.path.name != GENERATED:
            for clause in clauses_of(item):
                self.takes.setdefault(clause, set()).update(used, self._heard[before:])
        return done

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to whatever is asked, whether it is sent or remembered."""
        ask: Callable[..., Exchange] = DeploymentClient.ask

        def heard(client: DeploymentClient, *arguments: Any, **named: Any) -> Exchange:
            exchange = ask(client, *arguments, **named)
            self.exchange[id(exchange)] = exchange
            self._heard.append(id(exchange))
            return exchange

        with patch.object(DeploymentClient, "ask", heard):
            yield


def recorded(breadth: str, *more: str) -> dict[str, Any]:
    """Return what a run with these options takes: of each request its cost, and each clause's requests."""
    recorder, hooks = CostRecorder(), replace(ServerHooks(), token=TOKEN)
    with running(hooks) as url, recorder.listening():
        judged(
            url,
            *(f"agent-id={hooks.agent_id}", f"breadth={breadth}", "max-requests=900", *more),
            token=TOKEN,
            plugins=[recorder],
        )
    own = set().union(*recorder.takes.values())
    numbers = {key: number for number, key in enumerate(key for key in recorder.exchange if key in own)}
    given = {session_id(exchange) for exchange in recorder.exchange.values()} - {""}
    others = [_cost(exchange, given)[0] for key, exchange in recorder.exchange.items() if key not in own]
    return {
        "requests": [_cost(recorder.exchange[key], given) for key in numbers],
        "clauses": {clause: sorted(numbers[key] for key in keys) for clause, keys in sorted(recorder.takes.items())},
        "generated": {"clauses": sorted(CLAUSES), "tokens": others},
    }


def _cost(exchange: Exchange, given: set[str]) -> tuple[int, int, int]:
    """Return a request's tokens at most, whether it may create a session, and whether it may create an object."""
    # What is refused here may be created elsewhere.
    made = int(any(exchange.operation in kind.creating for kind in KINDS))
    try:
        body = json.loads(exchange.request.body)
    except (ValueError, RecursionError):
        return 0, 0, made
    new = names_a_session(body) and session_of(body) not in given
    if session_of(body):
        given.add(session_of(body))
    return tokens_at_most(body), int(new), made


if __name__ == "__main__":
    costs = {breadth: recorded(breadth) for breadth in BREADTHS}
    costs |= {f"{breadth}{MANAGED}": recorded(breadth, "manage") for breadth in BREADTHS}
    text = json.dumps(costs, separators=(",", ":"))
    COSTS.write_text(re.sub(r'(?=,"[a-z-]+\.)', "\n", text) + "\n", encoding="utf-8")
