"""What a run of the contract tests can be told: one table for pytest's options and for `verify`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract_tests import settings
from contract_tests.wire.exchange import TOKEN_VARIABLE

if TYPE_CHECKING:
    import pytest

BREADTHS = ("default", "deep")


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was told; `clauses` are globs, none for all of them; `reports`, `baseline` and `waive` are files."""

    url: str = ""
    agent_id: str = ""
    token: str = ""
    clauses: tuple[str, ...] = ()
    max_requests: int = 300
    seed: int = 0
    timeout: float = 60.0
    warmup: float = 60.0
    breadth: str = "default"
    api_version: str = ""
    reports: tuple[str, ...] = ()
    baseline: str = ""
    waive: str = ""
    max_tokens: int = 0
    rate: float = 0.0
    deadline: float = 0.0
    no_sessions: bool = False
    manage_agents: bool = False
    dry_run: bool = False
    token_file: str = ""
    oidc_issuer: str = ""
    oidc_token_url: str = ""
    oidc_client_id: str = ""
    oidc_client_secret_env: str = settings.CLIENT_SECRET_VARIABLE
    oidc_username: str = ""
    oidc_password_env: str = settings.PASSWORD_VARIABLE
    oidc_scope: str = ""
    ca_bundle: str = ""
    client_cert: str = ""
    client_key: str = ""
    proxy: str = ""


#: The options of pytest, by their names without the prefix `--contract-`.
PYTEST_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "url": {
        "metavar": "URL",
        "default": "",
        "help": "root of the deployment, or any longer part of the endpoint's URL",
    },
    "agent-id": {"metavar": "ID", "default": "", "help": "the agent to ask"},
    "token-env": {
        "metavar": "NAME",
        "default": TOKEN_VARIABLE,
        "help": f"environment variable that holds the access token (default: {TOKEN_VARIABLE})",
    },
    "clause": {"metavar": "GLOB", "action": "append", "default": [], "help": "judge these clauses alone (repeatable)"},
    "max-requests": {"metavar": "N", "type": int, "default": 300, "help": "send no more requests (default: 300)"},
    "seed": {"metavar": "N", "type": int, "default": 0, "help": "seed of all that is chosen by chance (default: 0)"},
    "timeout": {"metavar": "SECONDS", "type": float, "default": 60.0, "help": "wait for a reply (default: 60)"},
    "warmup": {
        "metavar": "SECONDS",
        "type": float,
        "default": 60.0,
        "help": "wait for a cold deployment (default: 60)",
    },
    "breadth": {"choices": BREADTHS, "default": "default", "help": "deep: also what could cost a server dearly"},
    "api-version": {
        "metavar": "VERSION",
        "default": "",
        "help": "judge what this version promises (default: the newest)",
    },
    "report": {
        "metavar": "FILE",
        "action": "append",
        "default": [],
        "help": "write a report, as the suffix says: .html, .json or .md (repeatable)",
    },
    "baseline": {"metavar": "FILE", "default": "", "help": "compare with this earlier report, a .json"},
    "waive": {"metavar": "FILE", "default": "", "help": "excuse the failed clauses that this YAML file names"},
    **settings.pytest_options(),
}


def add_options(parser: pytest.Parser) -> None:
    """Give pytest the options, in a group of their own."""
    group = parser.getgroup("contract", "contract tests of a deployment")
    for name, told in PYTEST_OPTIONS.items():
        group.addoption(f"--contract-{name}", dest=_destination(name), **told)


def from_pytest(config: pytest.Config) -> Options:
    """Return what pytest was told."""

    def told(name: str) -> Any:
        return config.getoption(_destination(name))

    variable = told("token-env")
    if variable != TOKEN_VARIABLE and variable not in os.environ:
        from pytest import UsageError  # noqa: PT013 - the command reads this module without pytest

        raise UsageError(f"--contract-token-env: the environment has no variable {variable}")
    options = Options(
        url=told("url"),
        agent_id=told("agent-id"),
        token="" if told("token-file") or told("oidc-client-id") else os.environ.get(variable, ""),
        clauses=tuple(told("clause")),
        max_requests=told("max-requests"),
        seed=told("seed"),
        timeout=told("timeout"),
        warmup=told("warmup"),
        breadth=told("breadth"),
        api_version=told("api-version"),
        reports=tuple(told("report")),
        baseline=told("baseline"),
        waive=told("waive"),
        **{setting.field: told(setting.name) for setting in settings.ALL},
    )
    if reason := settings.objection(options, os.environ):
        from pytest import UsageError  # noqa: PT013 - as above

        raise UsageError(reason.replace("--", "--contract-"))
    return options


def to_arguments(options: Options) -> list[str]:
    """Return pytest's arguments that tell it these options; the token is no argument, it would be seen."""
    values = {
        "url": options.url,
        "agent-id": options.agent_id,
        "max-requests": options.max_requests,
        "seed": options.seed,
        "timeout": options.timeout,
        "warmup": options.warmup,
        "breadth": options.breadth,
        "api-version": options.api_version,
        "baseline": options.baseline,
        "waive": options.waive,
    }
    given = [f"--contract-{name}={value}" for name, value in values.items() if value != ""]
    given += [f"--contract-clause={glob}" for glob in options.clauses]
    given += [f"--contract-report={file}" for file in options.reports]
    return given + settings.arguments(options)


def _destination(name: str) -> str:
    return f"contract_{name.replace('-', '_')}"
