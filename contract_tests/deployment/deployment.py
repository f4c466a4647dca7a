"""What the tests ask with: the deployment, the contract, and what no deployment can know."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from agent_contract.messages import JSON
from contract_tests.deployment import base_url, http, preflight
from contract_tests.deployment.budget import Budget
from contract_tests.deployment.client import Headers, Place, Prober
from contract_tests.deployment.managed_agents import DELETING, LISTING, OwnAgents
from contract_tests.deployment.rate_limit import Pace
from contract_tests.deployment.schema_conformance import Conformity
from contract_tests.deployment.version_detection import document_of
from contract_tests.options import gateway_headers, header_variables
from contract_tests.wire.exchange import Exchange

if TYPE_CHECKING:
    from agent_contract import Contract
    from contract_tests.deployment.auth import Credentials
    from contract_tests.deployment.cold_start import Say
    from contract_tests.options import Options

#: The operation that these tests are about.
OPERATION = "createAssistantChatCompletion"
#: The agent that a mock answers as when none is named.
MOCK_AGENT = "demo"


class NoVerdict(Exception):
    """The deployment can't be judged; the message contains the reason, and what to do."""


@dataclass(frozen=True, slots=True, repr=False)
class Probe:
    """The deployment as the tests see it; it has no long `repr`, which pytest would make for each failed clause."""

    prober: Prober
    conformity: Conformity
    contract: Contract
    options: Options
    agents: OwnAgents
    version: str  #: the version of the API that the deployment is tested as

    def chat(
        self,
        body: JSON | bytes = None,
        *,
        method: str = "POST",
        headers: Headers | None = None,
        parameters: Mapping[str, str] | None = None,
        again: int = 0,
        lenient: bool = False,
    ) -> Exchange:
        """Send a request to the operation, unless it was sent before; see `Prober.chat`."""
        return self.prober.chat(
            body, method=method, headers=headers, parameters=parameters, again=again, lenient=lenient
        )

    def ask(
        self,
        operation: str,
        body: JSON | bytes = None,
        *,
        parameters: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        again: int = 0,
    ) -> Exchange:
        """Send a request to the operation of an id, unless it was sent before; see `Prober.ask`.

        The run removes what it creates. Raises the verdict `skipped` if the user does not allow that.
        """
        place = self.place(operation)
        self.agents.permit(place)
        # A list that was read before a change is read again.
        again += self.agents.changes if operation in LISTING else 0
        exchange = self.prober.ask(place, body, parameters=parameters, query=query, again=again)
        self.agents.note(exchange)
        return exchange

    def conformity_of(self, exchange: Exchange) -> Conformity:
        """Return the judge of the operation that a request was sent to."""
        operation = self.contract.operations[exchange.operation]
        return self.conformity.of(operation.template, operation.method)

    def remove_agents(self) -> list[str]:
        """Remove the agents that were created, outside the budget; return a line for each that is still there."""
        return self.agents.removed(self.prober, map(self.place, LISTING), tuple(map(self.place, DELETING)))

    def place(self, operation: str) -> Place:
        """Return the destination of requests to the operation with this id."""
        found = self.contract.operations[operation]
        return Place(found.id, found.method, found.path)

    @property
    def agent_id(self) -> str:
        """The agent under test, as it was given."""
        return dict(self.prober.target.parameters)["agent_id"]

    def newer_fields(self) -> frozenset[str]:
        """Return the fields of a request that the version under test does not have yet."""
        versions = self.contract.versions
        last = versions.index(self.version)
        fields = Conformity(self.contract.document, self.conformity.path, self.conformity.method).request_fields
        since = {name: schema.get("x-since", versions[0]) for name, schema in fields.items()}
        return frozenset(name for name, version in since.items() if versions.index(version) > last)

    def tested_as(self, version: str) -> Probe:
        """Return the probe of the deployment as one of a version: its replies are checked by that version's schemas."""
        document = document_of(self.contract.document, self.contract.versions, version)
        conformity = Conformity(document, self.conformity.path, self.conformity.method)
        return replace(self, version=version, conformity=conformity)

    def stranger(self, kind: str) -> str:
        """Return a uuid that names nothing on any deployment, another one for each kind and seed."""
        chance = random.Random(f"{kind} {self.options.seed}")
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def open_probe(contract: Contract, options: Options, credentials: Credentials, say: Say) -> Probe:
    """Return the probe of the deployment that the options name, after a plain request was answered.

    `say` gets a message about each wait. Raises `NoVerdict` if the deployment can't be judged, and `TargetError`
    for an invalid URL.
    """
    operation = contract.operations[OPERATION]
    there = base_url.parse(options.url, operation.path)
    pace = Pace(options.rate, options.deadline)
    budget = Budget(options.max_requests, options.max_tokens, options.no_sessions, pace)
    try:
        connect = partial(http.client, options, there.root)
        prober = Prober(there, operation.path, credentials, budget, options.timeout, connect, OPERATION)
        prober.token_variable = options.token_variable
        prober.gateway_headers = gateway_headers(options)
        prober.variables = header_variables(options, os.environ)
    except http.ConnectionSettingError as error:
        raise NoVerdict(str(error)) from error
    if options.agent_id:
        there = base_url.Target(there.root, (("agent_id", options.agent_id),))
    elif not there.parameters:
        there = base_url.Target(there.root, (("agent_id", _mock_agent(prober)),))
    prober.target = there
    conformity = Conformity(contract.document, operation.template, operation.method)
    probe = Probe(prober, conformity, contract, options, OwnAgents(options.manage_agents), contract.versions[-1])
    if reason := preflight.obstacle(prober, probe.stranger("agent"), options.warmup, say):
        prober.close()
        raise NoVerdict(reason)
    prober.alive = partial(preflight.still_alive, prober)
    return probe


def _mock_agent(prober: Prober) -> str:
    """Return the agent of a mock, which its health page identifies."""
    health = prober.get(f"{prober.target.root}/__mock__/health")
    if not health.status:
        raise NoVerdict(f"{prober.target.root} is unreachable: {health.failure}")
    if health.status != 200:
        raise NoVerdict("the agent is not named: give --agent-id, or a base URL that ends with its id")
    return MOCK_AGENT
