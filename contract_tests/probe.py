"""What the tests ask with: the deployment, the contract, and what no deployment can know."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from agent_contract.values import JSON
from contract_tests import connection, preflight, target
from contract_tests.conformity import Conformity
from contract_tests.exchange import Asked
from contract_tests.pacing import Pace
from contract_tests.probing import Headers, Prober
from contract_tests.spending import Budget

if TYPE_CHECKING:
    from agent_contract import Contract
    from contract_tests.auth import Credentials
    from contract_tests.options import Options
    from contract_tests.warmup import Say

#: The operation that these tests are about.
OPERATION = "createAssistantChatCompletion"
#: The agent that a mock answers as when none is named.
MOCK_AGENT = "demo"


class NoVerdict(Exception):
    """The deployment can't be judged; the text says why, and what to do."""


@dataclass(frozen=True, slots=True, repr=False)
class Probe:
    """The deployment as the tests see it; it has no long `repr`, which pytest would make for each broken clause."""

    prober: Prober
    conformity: Conformity
    contract: Contract
    options: Options

    def chat(
        self,
        body: JSON | bytes = None,
        *,
        method: str = "POST",
        headers: Headers | None = None,
        parameters: Mapping[str, str] | None = None,
        again: int = 0,
        lenient: bool = False,
    ) -> Asked:
        """Send a request to the operation, unless it was sent before; see `Prober.chat`."""
        return self.prober.chat(
            body, method=method, headers=headers, parameters=parameters, again=again, lenient=lenient
        )

    def newer_fields(self) -> frozenset[str]:
        """Return the fields of a request that the version under test does not have yet."""
        versions = self.contract.versions
        last = versions.index(self.options.api_version) if self.options.api_version else len(versions)
        since = {name: schema.get("x-since", versions[0]) for name, schema in self.conformity.request_fields.items()}
        return frozenset(name for name, version in since.items() if versions.index(version) > last)

    def stranger(self, kind: str) -> str:
        """Return a uuid that names nothing on any deployment, another one for each kind and seed."""
        chance = random.Random(f"{kind} {self.options.seed}")
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def open_probe(contract: Contract, options: Options, credentials: Credentials, say: Say) -> Probe:
    """Return the probe of the deployment that the options name, after a plain request was answered.

    What takes a while is told to `say`. Raises `NoVerdict` where the deployment can't be judged, and `TargetError`
    for a URL that is none.
    """
    operation = contract.operations[OPERATION]
    there = target.parse(options.url, operation.path)
    pace = Pace(options.rate, options.deadline)
    budget = Budget(options.max_requests, options.max_tokens, options.no_sessions, pace)
    try:
        connect = partial(connection.client, options)
        prober = Prober(there, operation.path, credentials, budget, options.timeout, connect)
    except connection.ConnectionSettingError as error:
        raise NoVerdict(str(error)) from error
    if options.agent_id:
        there = target.Target(there.root, (("agent_id", options.agent_id),))
    elif not there.parameters:
        there = target.Target(there.root, (("agent_id", _mock_agent(prober)),))
    prober.target = there
    probe = Probe(prober, Conformity(contract.document, operation.template, operation.method), contract, options)
    if reason := preflight.obstacle(prober, probe.stranger("agent"), options.warmup, say):
        prober.close()
        raise NoVerdict(reason)
    prober.alive = partial(preflight.still_alive, prober)
    return probe


def _mock_agent(prober: Prober) -> str:
    """Return the agent of a mock, which can be told by its health page."""
    health = prober.get(f"{prober.target.root}/__mock__/health")
    if not health.status:
        raise NoVerdict(f"{prober.target.root} is unreachable: {health.failure}")
    if health.status != 200:
        raise NoVerdict("which agent shall be asked? give one with --agent-id, or a base URL that ends with it")
    return MOCK_AGENT
