"""Options that several commands have, each also as an environment variable."""

from __future__ import annotations

import errno
import ipaddress
import math
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from agent_contract.cli import UserError

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
#: A folder of recordings, a recording, or an HTTP archive.
RECORDINGS = click.Path(path_type=Path)


class Finite(click.FloatRange):
    """A finite number in a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number; fail as click does."""
        number = super().convert(value, param, ctx)
        return number if math.isfinite(number) else self.fail(f"{value} is not a finite number.", param, ctx)


SECONDS = Finite(min=0)
TIMEOUT = Finite(min=0.1, max=86_400)


def option(name: str, **settings: Any) -> Callable[[Command], Command]:
    """Return an option that can be set as `AGENT_CONTRACT_NAME` too."""
    variable = "AGENT_CONTRACT_" + name.removeprefix("--").upper().replace("-", "_")
    return click.option(name, envvar=variable, show_envvar=True, show_default="default" in settings, **settings)


host_option = option("--host", default="127.0.0.1", help="Address to listen at.")
port_option = option(
    "--port", default=8000, type=click.IntRange(0, 65535), help="Port to listen at; 0 chooses a free one."
)
api_version_option = option(
    "--api-version", metavar="VERSION", help="Version of the API to serve. Default: the newest."
)
control_option = option(
    "--control",
    default="on",
    type=click.Choice(["on", "off"]),
    help="Control interface at /__mock__/; off leaves only health and readiness.",
)
control_token_option = option("--control-token", help="Bearer token for the control interface, instead of --token.")
allow_host_option = option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="Host name that the control interface accepts in addition to IP addresses, localhost and names without a dot; "
    "* accepts every host and every origin. Can be repeated.",
)
ignore_option = option(
    "--ignore",
    multiple=True,
    metavar="WHAT",
    help="What does not count when a request is compared with recordings: a place such as body/user or "
    "body/messages/*/name; dates, times or uuids in text; or re:PATTERN for other text. Can be repeated.",
)
replay_speed_option = option(
    "--replay-speed",
    default=1.0,
    type=SECONDS,
    help="Speed of recorded replies: 1 is as recorded, 2 twice as fast, 0 without delays.",
)
scenario_option = option(
    "--scenario", type=FILE, help="YAML file with rules, which decide what agents answer, and faults."
)
fault_option = option(
    "--fault",
    multiple=True,
    metavar="FAULT",
    help="Fault to produce: NAME or NAME:key=value,key=value; `agent-contract faults` lists them. Can be repeated.",
)
log_level_option = option(
    "--log-level",
    default="info",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="info logs every request, warning only 4xx and 5xx, error only 5xx.",
)


def check_token(name: str, token: str | None) -> None:
    """Refuse a token that can't be sent in a header."""
    if token is not None and not (token.isascii() and token.isprintable() and token.strip() == token != ""):
        raise click.BadParameter("must be printable ASCII without spaces around it", param_hint=name)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, or fail with what the user can do."""
    from mockserver.server.http_server import bind

    try:
        return bind(host, port)
    except OSError as error:
        raise UserError(_bind_error(error, host, port)) from None


def listen_at(path: Path) -> socket.socket:
    """Return a Unix socket that listens at a path, or fail with what the user can do."""
    from mockserver.server.http_server import bind_unix

    if not hasattr(socket, "AF_UNIX"):
        raise UserError("This system has no Unix sockets. Use --host and --port.")
    try:
        return bind_unix(path)
    except OSError as error:
        why = "a server or another file is there" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise UserError(f"Can't listen at {path}: {why}. Choose another path with --unix-socket.") from None


def url_of(host: str, port: int, scheme: str = "http") -> str:
    """Return the URL at which this machine reaches a server that listens at host and port."""
    address = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"{scheme}://{address}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bind_error(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use. Stop that server, or choose another port with --port (0: a free one)."
    if error.errno == errno.EACCES:
        return f"This user is not allowed to use port {port}. Choose one above 1023 with --port."
    return f"Can't listen at {host}: {error.strerror or error}. Choose an address of this machine with --host."
