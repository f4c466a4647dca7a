"""The command `proxy`."""

from __future__ import annotations

from pathlib import Path

import click

from agent_contract.cli import UserError
from agent_contract.document.errors import ContractError
from agent_contract.printable import printable
from mockserver.cli.options import (
    FILE,
    FOLDER,
    TIMEOUT,
    allow_host_option,
    api_version_option,
    check_token,
    control_option,
    control_token_option,
    host_option,
    is_loopback,
    listen,
    log_level_option,
    option,
    port_option,
    url_of,
)
from mockserver.server.connection_limits import ConnectionLimits, fit_to_open_files, raise_open_files


@click.command()
@click.argument("upstream", metavar="UPSTREAM")
@option("--record", type=FOLDER, metavar="DIR", help="Folder to which the exchanges are written.")
@option(
    "--enforce",
    default="none",
    type=click.Choice(["none", "requests", "replies", "both"]),
    help="What to refuse if it breaks the contract. The header X-Contract-Enforce decides for one request.",
)
@option(
    "--redact",
    multiple=True,
    metavar="NAME",
    help="Header, parameter or field whose value is a secret, besides those that are known. Can be repeated.",
)
@option(
    "--timeout",
    default=600.0,
    type=TIMEOUT,
    help="Seconds for which the upstream may be silent, before and within a reply.",
)
@host_option
@port_option
@option("--spec", type=FILE, help="OpenAPI document to check against instead of the built-in one.")
@api_version_option
@control_option
@control_token_option
@allow_host_option
@log_level_option
def proxy(
    upstream: str,
    record: Path | None,
    enforce: str,
    redact: tuple[str, ...],
    timeout: float,
    host: str,
    port: int,
    spec: Path | None,
    api_version: str | None,
    control: str,
    control_token: str | None,
    allow_host: tuple[str, ...],
    log_level: str,
) -> None:
    """Pass requests to the deployment at the URL UPSTREAM, check requests and replies, and record them."""
    from mockserver.proxy.app import Enforce
    from mockserver.proxy.run import ProxySettings, proxy_engine, serve_proxy
    from mockserver.proxy.upstream import Upstream, UpstreamUrlError

    check_token("--control-token", control_token)
    try:
        target = Upstream(upstream, timeout)
        hosts = tuple(map(str.lower, allow_host))
        engine = proxy_engine(
            spec, api_version or "", control=control == "on", control_token=control_token, allowed_hosts=hosts
        )
        if record is not None:
            record.mkdir(parents=True, exist_ok=True)
    except UpstreamUrlError as error:
        raise click.BadParameter(str(error), param_hint="UPSTREAM") from None
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror or error}. Choose another folder with --record.") from None
    listening = listen(host, port)
    lines = [f"{target.url} is reached through {url_of(host, listening.getsockname()[1])} (Ctrl-C stops it)"]
    if record is not None:
        lines.append(f"Exchanges are recorded in {record}, without secrets. Read them before you commit them.")
    if not is_loopback(host):
        lines.append(f"WARNING: other machines can reach {host}: they can use the deployment, and read /__mock__/.")
    settings = ProxySettings(Enforce(enforce), record, redact)
    limits = fit_to_open_files(ConnectionLimits(), raise_open_files())
    serve_proxy(engine, target, settings, listening, limits, log_level, printable("\n".join(lines)))
