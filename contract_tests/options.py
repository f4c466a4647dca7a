"""The options of a run: one table, from which the options of `verify`, of pytest and of the isolated process come.

Each field of `Options` is one row: its type, its default, and in its metadata what the command lines need to know.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import pytest

    Command = TypeVar("Command", bound=Callable[..., Any])

Value: TypeAlias = "str | int | float | bool | tuple[str, ...]"

#: The same as in `agent_contract.curl`, which is imported only when a contract test runs.
TOKEN_VARIABLE = "AGENT_CONTRACT_TOKEN"
CLIENT_SECRET_VARIABLE = "AGENT_CONTRACT_OIDC_CLIENT_SECRET"
PASSWORD_VARIABLE = "AGENT_CONTRACT_OIDC_PASSWORD"
#: The choice to detect the version of the API.
AUTO = "auto"
#: Headers that the tests vary, or that belong to the connection.
_OWN_HEADERS = frozenset(
    ("authorization", "connection", "content-length", "content-type", "host", "te", "transfer-encoding", "upgrade")
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
BREADTHS = ("default", "deep")
#: How pytest names an option of `verify`.
PYTEST_PREFIX = "--contract-"


@dataclass(frozen=True, slots=True)
class Option:
    """One option: `name` is the one of `verify`, `field` the one in `Options`; its type is that of its default."""

    name: str
    field: str
    default: Value
    metavar: str
    help: str
    shown: str = ""  #: the default as the help shows it
    choices: tuple[str, ...] = ()
    least: float = 0  #: of a number
    file: bool = False  #: names a file that must exist
    access: bool = False  #: decides how the deployment is reached


def _row(metavar: str, help: str, **more: Any) -> dict[str, Any]:
    """Return the metadata of one option."""
    return {"metavar": metavar, "help": help, **more}


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose for a run. `token` is not a row: it must not be visible in a list of processes."""

    url: str = field(default="", metadata=_row("URL", "Root of the deployment, or any longer part of the chat's URL."))
    agent_id: str = field(default="", metadata=_row("ID", "Agent to test, if the URL does not end with its id."))
    token: str = ""
    token_variable: str = TOKEN_VARIABLE  #: the environment variable of the token, as commands show it
    clauses: tuple[str, ...] = field(
        default=(), metadata=_row("GLOB", "Test only these clauses. Repeatable.", name="clause")
    )
    api_version: str = field(
        default=AUTO,
        metadata=_row("VERSION", "Test what this version of the API promises. auto: detect it.", shown="auto"),
    )
    breadth: str = field(
        default="default",
        metadata=_row("", "deep: also send requests that can be expensive for the server.", choices=BREADTHS),
    )
    seed: int = field(
        default=0, metadata=_row("N", "Random seed for ids and generated requests.", shown="0", least=float("-inf"))
    )
    reports: tuple[str, ...] = field(
        default=(), metadata=_row("FILE", "Write a report: .html, .json, .md, .xml, … Repeatable.", name="report")
    )
    baseline: str = field(default="", metadata=_row("FILE", "Compare with this earlier JSON report."))
    fail_on: str = field(
        default="failed",
        metadata=_row("", "worse: also fail if a clause got worse since the baseline.", choices=("failed", "worse")),
    )
    waive: str = field(default="", metadata=_row("FILE", "YAML file with failures that are known and excused."))
    max_requests: int = field(default=500, metadata=_row("N", "Send at most N requests.", least=1))
    max_tokens: int = field(
        default=0, metadata=_row("N", "Spend at most N tokens, of prompts and answers.", shown="no limit")
    )
    rate: float = field(default=0.0, metadata=_row("N", "Send at most N requests per second.", shown="no limit"))
    timeout: float = field(default=60.0, metadata=_row("SECONDS", "Wait this long for a whole reply.", least=0.1))
    deadline: float = field(default=0.0, metadata=_row("SECONDS", "Stop sending after this time.", shown="no deadline"))
    warmup: float = field(default=60.0, metadata=_row("SECONDS", "Wait this long for a deployment to start."))
    no_sessions: bool = field(
        default=False, metadata=_row("", "Create no sessions. Clauses that need one are skipped.")
    )
    manage: bool = field(
        default=False, metadata=_row("", "Create agents and knowledge bases for the tests, and delete them at the end.")
    )
    dry_run: bool = field(default=False, metadata=_row("", "Print what a run would send and create. Send nothing."))
    quiet: bool = field(default=False, metadata=_row("", "Print failures and the conclusion only."))
    verbose: bool = field(default=False, metadata=_row("", "Print each clause with its verdict, and why."))
    token_file: str = field(
        default="",
        metadata=_row("FILE", "File with the token; read again if the token is rejected.", file=True, access=True),
    )
    oidc_issuer: str = field(
        default="",
        metadata=_row("URL", "OIDC provider of the token. Its token endpoint is discovered.", access=True),
    )
    oidc_token_url: str = field(
        default="", metadata=_row("URL", "OIDC token endpoint, if it can't be discovered.", access=True)
    )
    oidc_client_id: str = field(default="", metadata=_row("ID", "Client that requests the token.", access=True))
    oidc_client_secret_env: str = field(
        default=CLIENT_SECRET_VARIABLE,
        metadata=_row("NAME", "Environment variable with the client's secret.", access=True),
    )
    oidc_username: str = field(
        default="", metadata=_row("NAME", "Request the token for this user, by password.", access=True)
    )
    oidc_password_env: str = field(
        default=PASSWORD_VARIABLE,
        metadata=_row("NAME", "Environment variable with the user's password.", access=True),
    )
    oidc_scope: str = field(default="", metadata=_row("SCOPES", "Scopes to request, separated by spaces.", access=True))
    header: tuple[str, ...] = field(
        default=(),
        metadata=_row("NAME=VALUE", "Send this header with every request, for a gateway. Repeatable.", access=True),
    )
    header_env: tuple[str, ...] = field(
        default=(),
        metadata=_row("NAME=VARIABLE", "Send a header with the value of a variable. Repeatable.", access=True),
    )
    ca_bundle: str = field(
        default="", metadata=_row("FILE", "Certificates of trusted authorities, in PEM.", file=True, access=True)
    )
    client_cert: str = field(
        default="",
        metadata=_row("FILE", "Client certificate, in PEM, with or without its key.", file=True, access=True),
    )
    client_key: str = field(
        default="",
        metadata=_row("FILE", "Key of the client certificate, in PEM, unencrypted.", file=True, access=True),
    )
    proxy: str = field(
        default="", metadata=_row("URL", "Proxy for all requests.", shown="from the environment", access=True)
    )


def _option(one: Field[Any]) -> Option:
    shown = f"{one.default:g}" if isinstance(one.default, float) else str(one.default)
    shown = shown if one.default and not isinstance(one.default, bool) else ""
    default: Any = one.default
    row = {"name": one.name.replace("_", "-"), "field": one.name, "default": default, "shown": shown}
    values: dict[str, Any] = {**row, **one.metadata}
    return Option(**values)


#: The rows of `Options`, in the order in which `verify --help` lists them.
TABLE: tuple[Option, ...] = tuple(_option(one) for one in fields(Options) if one.metadata)
#: `verify` takes the URL as an argument.
URL = TABLE[0]
TOKEN_ENV = Option(
    "token-env", "token_env", "", "NAME", "Environment variable with the access token.", shown=TOKEN_VARIABLE
)
#: Options without a field in `Options`: of `verify` and pytest, and of `verify` alone.
TOKEN = Option("token", "token", "", "TOKEN", "Access token. Other users of this machine can see it here.")
#: What `agent-contract verify` takes besides the URL.
VERIFY: tuple[Option, ...] = (TABLE[1], TOKEN, TOKEN_ENV, *TABLE[2:])


def click_options(command: Command) -> Command:
    """Return a click command with the options of `VERIFY`."""
    import click

    for one in reversed(VERIFY):
        kind: Any = click.Choice(one.choices) if one.choices else type(one.default)
        more: dict[str, Any] = {"type": kind, "metavar": one.metavar or None}
        if isinstance(one.default, bool):
            more = {"is_flag": True}
        elif isinstance(one.default, tuple):
            more = {"multiple": True, "metavar": one.metavar}
        help = f"{one.help}  [default: {one.shown}]" if one.shown else one.help
        command = click.option(f"--{one.name}", one.field, default=one.default, help=help, **more)(command)
    return command


def add_options(parser: pytest.Parser) -> None:
    """Add the options to pytest, in a group of their own."""
    group = parser.getgroup("contract", "contract tests of a deployment")
    for one in (*TABLE, TOKEN_ENV):
        more: dict[str, Any] = {"type": type(one.default), "metavar": one.metavar, "default": one.default}
        if one.choices:
            more = {"choices": one.choices, "default": one.default}
        elif isinstance(one.default, bool):
            more = {"action": "store_true", "default": False}
        elif isinstance(one.default, tuple):
            more = {"action": "append", "metavar": one.metavar, "default": []}
        help = f"{one.help} (default: {one.shown})" if one.shown else one.help
        group.addoption(f"{PYTEST_PREFIX}{one.name}", dest=_destination(one), help=help, **more)


def from_pytest(config: pytest.Config) -> Options:
    """Return the options that pytest was given; raises `pytest.UsageError` for options that can't be used."""
    from pytest import UsageError  # noqa: PT013 - the command reads this module without pytest

    values = {one.field: config.getoption(_destination(one)) for one in TABLE}
    values |= {one.field: tuple(values[one.field]) for one in TABLE if isinstance(one.default, tuple)}
    try:
        return with_token(values, config.getoption(_destination(TOKEN_ENV)), os.environ)
    except OptionError as error:
        raise UsageError(str(error).replace("--", PYTEST_PREFIX)) from None


def with_token(values: Mapping[str, Any], variable: str, environment: Mapping[str, str], token: str = "") -> Options:
    """Return the options with the token from the command line or the environment; raises `OptionError`.

    `variable` is the environment variable that the user named, if any. An option that names a source of the token
    takes precedence over the default variable.
    """
    elsewhere = values["token_file"] or values["oidc_client_id"]
    if token and elsewhere:
        raise OptionError("give one of --token, --token-file and --oidc-client-id")
    if variable and variable not in environment:
        raise OptionError(f"--token-env: the environment has no variable {variable}")
    found = "" if elsewhere else token or environment.get(variable or TOKEN_VARIABLE, "")
    options = Options(token=found, token_variable=variable or TOKEN_VARIABLE, **values)
    if reason := objection(options, environment):
        raise OptionError(reason)
    return options


def given(options: Options) -> Iterator[tuple[Option, str]]:
    """Yield the options that differ from their defaults with their values as text: a flag's value is empty."""
    for one in TABLE:
        value = getattr(options, one.field)
        if isinstance(value, tuple):
            yield from ((one, item) for item in value)
        elif value != one.default:
            yield one, "" if value is True else str(value)


def to_arguments(options: Options) -> list[str]:
    """Return the options as arguments of pytest, without the token: other users can see the arguments."""
    named = [(TOKEN_ENV, options.token_variable)] if options.token_variable != TOKEN_VARIABLE else []
    return [
        f"{PYTEST_PREFIX}{one.name}={text}" if text else f"{PYTEST_PREFIX}{one.name}"
        for one, text in (*given(options), *named)
    ]


def gateway_headers(options: Options) -> dict[str, str]:
    """Return the headers that every request carries besides its own, a variable as `$VARIABLE`."""
    pairs = (entry.partition("=") for entry in options.header)
    variables = (entry.partition("=") for entry in options.header_env)
    return {name.lower(): value for name, _, value in pairs} | {
        name.lower(): f"${value}" for name, _, value in variables
    }


def header_variables(options: Options, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the variables that headers are taken from, by name."""
    names = (entry.partition("=")[2] for entry in options.header_env)
    return {name: environment.get(name, "") for name in names}


class OptionError(Exception):
    """Options that can't be used: which, why, and what to do."""


def objection(options: Options, environment: Mapping[str, str]) -> str:
    """Return why the options can't be used, and what to do; an empty string if they can."""
    oidc = bool(options.oidc_client_id)
    asks_for_oidc = oidc or options.oidc_issuer or options.oidc_token_url or options.oidc_username
    secret, password = options.oidc_client_secret_env, options.oidc_password_env
    values = [(one, getattr(options, one.field)) for one in TABLE]
    numbers = [(one, value) for one, value in values if isinstance(value, int | float)]
    rules = (
        *_header_rules(options, environment),
        *((not value >= one.least, f"--{one.name} must be at least {one.least:g}") for one, value in numbers),
        (asks_for_oidc and not oidc, "OIDC needs --oidc-client-id"),
        (oidc and not (options.oidc_issuer or options.oidc_token_url), "OIDC needs --oidc-issuer or --oidc-token-url"),
        (oidc and options.token_file, "give either --token-file or --oidc-client-id, not both"),
        (
            oidc and not options.oidc_username and not environment.get(secret),
            f"client credentials need a secret: the environment has no variable {secret} (--oidc-client-secret-env)",
        ),
        (
            options.oidc_username and not environment.get(password),
            f"--oidc-username needs a password: the environment has no variable {password} (--oidc-password-env)",
        ),
        (options.client_key and not options.client_cert, "--client-key needs --client-cert"),
        (_has_password(options.proxy), "--proxy has a password, which others can see; give it as HTTPS_PROXY instead"),
        (options.quiet and options.verbose, "give either --quiet or --verbose, not both"),
        (options.fail_on == "worse" and not options.baseline, "--fail-on worse needs --baseline"),
        *(
            (one.file and value and not Path(value).is_file(), f"--{one.name}: no such file: {value}")
            for one, value in values
        ),
    )
    return next((reason for wrong, reason in rules if wrong), "")


def _header_rules(options: Options, environment: Mapping[str, str]) -> Iterator[tuple[bool, str]]:
    """Yield what can be wrong with the headers for a gateway; values are not repeated, they may be secrets."""
    given_values = [("header", *entry.partition("=")) for entry in options.header]
    variables = [("header-env", *entry.partition("=")) for entry in options.header_env]
    for option, name, sign, value in (*given_values, *variables):
        yield not sign or not _HEADER_NAME.fullmatch(name), f"--{option} takes NAME=VALUE, with the name of a header"
        yield name.lower() in _OWN_HEADERS, f"--{option} can't set {name.lower()}, which every request has its own of"
        sent = value if option == "header" else environment.get(value, "")
        yield (
            option == "header-env" and value not in environment,
            f"--header-env: the environment has no variable {value}",
        )
        yield not (sent.isascii() and sent.isprintable()), f"--{option}: the value of {name} is not printable ASCII"


def _has_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False


def _destination(one: Option) -> str:
    return f"contract_{one.name.replace('-', '_')}"
