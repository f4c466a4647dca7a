"""What a run may cost and how the deployment is reached: one table for `verify`, pytest and the isolated process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from contract_tests.options import Options

    Command = TypeVar("Command", bound=Callable[..., Any])

CLIENT_SECRET_VARIABLE = "AGENT_CONTRACT_OIDC_CLIENT_SECRET"
PASSWORD_VARIABLE = "AGENT_CONTRACT_OIDC_PASSWORD"


@dataclass(frozen=True, slots=True)
class Setting:
    """One option, by its name on both command lines; its type is its default's, and no number is below 0."""

    name: str
    metavar: str
    default: str | int | float | bool
    help: str

    @property
    def field(self) -> str:
        """The field of `Options` that holds it."""
        return self.name.replace("-", "_")


LIMITS = (
    Setting("max-tokens", "N", 0, "Spend no more tokens, prompts and answers, as the answers count them."),
    Setting("rate", "N", 0.0, "Send no more requests a second."),
    Setting("deadline", "SECONDS", 0.0, "Send nothing when so many seconds have passed."),
    Setting("no-sessions", "", False, "Create no session: those clauses are skipped."),
    Setting("manage-agents", "", False, "Create agents to judge with, and remove them in the end."),
    Setting("dry-run", "", False, "Say what a run would send and leave behind, and send nothing."),
)
ACCESS = (
    Setting("token-file", "FILE", "", "File with the access token; read again where the token is refused."),
    Setting("oidc-issuer", "URL", "", "OIDC provider that gives the token; its token endpoint is discovered."),
    Setting("oidc-token-url", "URL", "", "OIDC token endpoint, where it shall not be discovered."),
    Setting("oidc-client-id", "ID", "", "Client that asks for the token."),
    Setting("oidc-client-secret-env", "NAME", CLIENT_SECRET_VARIABLE, "Environment variable with the client's secret."),
    Setting("oidc-username", "NAME", "", "User to ask for, by password; without one the client asks for itself."),
    Setting("oidc-password-env", "NAME", PASSWORD_VARIABLE, "Environment variable with the user's password."),
    Setting("oidc-scope", "SCOPES", "", "Scopes to ask for, with spaces between."),
    Setting("ca-bundle", "FILE", "", "Certificates of the authorities to trust, in PEM."),
    Setting("client-cert", "FILE", "", "Client certificate, in PEM, with its key or without."),
    Setting("client-key", "FILE", "", "Key of the client certificate, in PEM, not encrypted."),
    Setting("proxy", "URL", "", "Proxy for all requests.  [default: as the environment says]"),
)
ALL = (*LIMITS, *ACCESS)
FILES = ("token-file", "ca-bundle", "client-cert", "client-key")


def click_options(command: Command) -> Command:
    """Give a click command the options of the table."""
    import click

    for setting in reversed(ALL):
        default = setting.default
        kind: Any = {int: click.IntRange(0), float: click.FloatRange(0)}.get(type(default), str)
        shown = isinstance(default, str) and bool(default)
        more = {"is_flag": True} if default is False else {"type": kind, "metavar": setting.metavar}
        add = click.option(f"--{setting.name}", default=default, show_default=shown, help=setting.help, **more)
        command = add(command)
    return command


def pytest_options() -> dict[str, dict[str, Any]]:
    """Return the table as pytest's options, by their names without a prefix."""
    return {setting.name: _for_pytest(setting) for setting in ALL}


def _for_pytest(setting: Setting) -> dict[str, Any]:
    text = f"{setting.help[0].lower()}{setting.help[1:].rstrip('.')}"
    if setting.default is False:
        return {"action": "store_true", "default": False, "help": text}
    kind = type(setting.default)
    return {"metavar": setting.metavar, "type": kind, "default": setting.default, "help": text}


def arguments(options: Options, table: Iterable[Setting] = ALL, prefix: str = "--contract-") -> list[str]:
    """Return the command line that tells these options, but for those that stand at their defaults."""
    values = {setting: getattr(options, setting.field) for setting in table}
    return [
        f"{prefix}{setting.name}" if value is True else f"{prefix}{setting.name}={value}"
        for setting, value in values.items()
        if value != setting.default
    ]


def objection(options: Options, environment: Mapping[str, str]) -> str:
    """Return what is wrong with the options, and what to do; an empty text where nothing is."""
    oidc = bool(options.oidc_client_id)
    asks_for_oidc = oidc or options.oidc_issuer or options.oidc_token_url or options.oidc_username
    secret, password = options.oidc_client_secret_env, options.oidc_password_env
    files = [(name, getattr(options, name.replace("-", "_"))) for name in FILES]
    rules = (
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
        *((file and not Path(file).is_file(), f"--{name}: there is no file {file}") for name, file in files),
    )
    return next((said for wrong, said in rules if wrong), "")


def _has_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False
