"""The deployment under test: sends requests to its operations, and knows its version and its contract."""

from __future__ import annotations

import os
import random
import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Unpack

from agent_contract import base_url
from agent_contract.messages import JSON
from contract_tests.deployment import http, preflight
from contract_tests.deployment.budget import Budget
from contract_tests.deployment.client import DeploymentClient, Endpoint, Variation
from contract_tests.deployment.managed_objects import KINDS, ManagedObjects
from contract_tests.deployment.rate_limit import RateLimiter
from contract_tests.deployment.schema_conformance import Conformity
from contract_tests.deployment.version_detection import document_of
from contract_tests.options import gateway_headers, header_variables
from contract_tests.wire.exchange import Exchange

if TYPE_CHECKING:
    from agent_contract import Contract
    from contract_tests.deployment.auth import Credentials
    from contract_tests.deployment.cold_start import Notify
    from contract_tests.options import Options

#: The operation that these tests are about.
OPERATION = "createAssistantChatCompletion"
#: The agent that a mock answers as when none is named.
MOCK_AGENT = "demo"


class NoVerdict(Exception):
    """The deployment can't be judged; the message contains the reason, and what to do."""


@dataclass(frozen=True, slots=True, repr=False)
class Deployment:
    """The deployment as the tests see it; it has no long `repr`, which pytest would make for each failed clause."""

    client: DeploymentClient
    conformity: Conformity
    contract: Contract
    options: Options
    managed: tuple[ManagedObjects, ...]  #: what the run creates, of each kind
    version: str  #: the version of the API that the deployment is tested as

    def chat(self, body: JSON | bytes = None, *, method: str = "POST", **variation: Unpack[Variation]) -> Exchange:
        """Send a request to the operation, unless it was sent before; see `DeploymentClient.chat`."""
        return self.client.chat(body, method=method, **variation)

    def ask(self, operation: str, body: JSON | bytes = None, **variation: Unpack[Variation]) -> Exchange:
        """Send a request to the operation with this id, unless it was sent before; see `DeploymentClient.ask`.

        The run removes what it creates. Raises the verdict `skipped` if the user does not allow changes.
        """
        endpoint = self.endpoint(operation)
        for managed in self.managed:
            managed.permit(endpoint)
            if operation in managed.kind.listing:  # a list that was read before a change is read again
                variation["again"] = variation.get("again", 0) + managed.changes
        exchange = self.client.ask(endpoint, body, **variation)
        for managed in self.managed:
            managed.record(exchange)
        return exchange

    def conformity_of(self, exchange: Exchange) -> Conformity:
        """Return the judge of the operation that a request was sent to."""
        operation = self.contract.operations[exchange.operation]
        return self.conformity.of(operation.template, operation.method)

    def remove_created(self) -> list[str]:
        """Remove what was created, outside the budget; return a line for each object that still exists."""
        return [
            f"{managed.kind.noun} {line}"
            for managed in self.managed
            for line in managed.remove_all(
                self.client, map(self.endpoint, managed.kind.listing), tuple(map(self.endpoint, managed.kind.deleting))
            )
        ]

    @property
    def agents(self) -> ManagedObjects:
        """The agents that the run has created."""
        return self.managed[0]

    @property
    def name(self) -> str:
        """The beginning of the names of everything that the run creates."""
        return self.managed[0].name

    def endpoint(self, operation: str) -> Endpoint:
        """Return the destination of requests to the operation with this id."""
        found = self.contract.operations[operation]
        return Endpoint(found.id, found.method, found.path)

    @property
    def agent_id(self) -> str:
        """The agent under test, as it was given."""
        return dict(self.client.target.parameters)["agent_id"]

    def newer_fields(self) -> frozenset[str]:
        """Return the fields of a request that the version under test does not have yet."""
        versions = self.contract.versions
        last = versions.index(self.version)
        fields = Conformity(self.contract.document, self.conformity.path, self.conformity.method).request_fields
        since = {name: schema.get("x-since", versions[0]) for name, schema in fields.items()}
        return frozenset(name for name, version in since.items() if versions.index(version) > last)

    def tested_as(self, version: str) -> Deployment:
        """Return the deployment as one of this version: its replies are checked by that version's schemas."""
        document = document_of(self.contract.document, self.contract.versions, version)
        conformity = Conformity(document, self.conformity.path, self.conformity.method)
        return replace(self, version=version, conformity=conformity)

    def unknown_id(self, kind: str) -> str:
        """Return a uuid that names nothing on any deployment, another one for each kind and seed."""
        chance = random.Random(f"{kind} {self.options.seed}")
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def open_deployment(contract: Contract, options: Options, credentials: Credentials, notify: Notify) -> Deployment:
    """Return the deployment that the options name, after a plain request was answered.

    `notify` gets a message about each wait. Raises `NoVerdict` if the deployment can't be judged, and `TargetError`
    for an invalid URL.
    """
    operation = contract.operations[OPERATION]
    there = base_url.parse(options.url, operation.path)
    limiter = RateLimiter(options.rate, options.deadline)
    budget = Budget(options.max_requests, options.max_tokens, options.no_sessions, limiter)
    try:
        connect = partial(http.client, options, there.root)
        client = DeploymentClient(there, operation.path, credentials, budget, options.timeout, connect, OPERATION)
        client.token_variable = options.token_variable
        client.gateway_headers = gateway_headers(options)
        client.variables = header_variables(options, os.environ)
    except http.ConnectionSettingError as error:
        raise NoVerdict(str(error)) from error
    if options.agent_id:
        there = base_url.Target(there.root, (("agent_id", options.agent_id),))
    elif not there.parameters:
        there = base_url.Target(there.root, (("agent_id", _mock_agent(client)),))
    client.target = there
    conformity = Conformity(contract.document, operation.template, operation.method)
    deployment = Deployment(client, conformity, contract, options, _managed(options.manage), contract.versions[-1])
    if reason := preflight.reason_not_to_test(client, deployment.unknown_id("agent"), options.warmup, notify):
        client.close()
        raise NoVerdict(reason)
    client.alive = partial(preflight.still_alive, client)
    return deployment


def _managed(wanted: bool) -> tuple[ManagedObjects, ...]:
    """Return what a run may create, all with one name."""
    agents, *others = (ManagedObjects(wanted, kind) for kind in KINDS)
    return (agents, *(replace(other, name=agents.name) for other in others))


def _mock_agent(client: DeploymentClient) -> str:
    """Return the agent of a mock, which its health page identifies."""
    health = client.get(f"{client.target.root}/__mock__/health")
    if not health.status:
        raise NoVerdict(f"{client.target.root} is unreachable: {health.failure}")
    if health.status != 200:
        raise NoVerdict("the agent is not named: give --agent-id, or a base URL that ends with its id")
    return MOCK_AGENT
