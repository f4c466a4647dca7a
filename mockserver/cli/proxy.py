"""The command `proxy`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
    fault_option,
    host_option,
    ignore_option,
    is_loopback,
    listen,
    log_level_option,
    option,
    port_option,
    replay_speed_option,
    scenario_option,
    url_of,
)
from mockserver.server.connection_limits import ConnectionLimits, fit_to_open_files, raise_open_files

if TYPE_CHECKING:
    from mockserver.proxy.run import ProxySettings


@click.command()
@click.argument("upstream", metavar="UPSTREAM")
@option("--record", type=FOLDER, metavar="DIR", help="Folder to which the exchanges are written.")
@option(
    "--record-mode",
    default="all",
    type=click.Choice(["none", "once", "new_episodes", "all"]),
    help="What to do with the recordings in DIR: none replays them and refuses other requests; once does so if there "
    "are any; new_episodes replays them and records other requests; all records every request again.",
)
@ignore_option
@replay_speed_option
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
@scenario_option
@fault_option
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
    record_mode: str,
    ignore: tuple[str, ...],
    replay_speed: float,
    enforce: str,
    redact: tuple[str, ...],
    timeout: float,
    scenario: Path | None,
    fault: tuple[str, ...],
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
    from mockserver.proxy.passage import Enforce
    from mockserver.proxy.run import ProxySettings, RecordMode, proxy_engine, serve_proxy
    from mockserver.proxy.upstream import Upstream, UpstreamUrlError
    from mockserver.recording.recording import RecordingError
    from mockserver.recording.recording_folder import read_recordings
    from mockserver.recording.replay import Replay
    from mockserver.recording.request_key import IgnoreError, read_ignored

    check_token("--control-token", control_token)
    if record is None and record_mode != "all":
        raise click.UsageError(f"--record-mode {record_mode} needs a folder. Add --record DIR.")
    replay = None
    try:
        target = Upstream(upstream, timeout)
        hosts = tuple(map(str.lower, allow_host))
        engine = proxy_engine(
            spec,
            api_version or "",
            control=control == "on",
            control_token=control_token,
            allowed_hosts=hosts,
            scenario=scenario,
            faults=fault,
            replays=record_mode != "all",
        )
        if record is not None:
            record.mkdir(parents=True, exist_ok=True)
            hide = engine.redaction.also_named(redact)
            replay = Replay(read_recordings(record), read_ignored(ignore), hide, strict=True, speed=replay_speed)
    except IgnoreError as error:
        raise click.BadParameter(str(error), param_hint="--ignore") from None
    except RecordingError as error:
        raise UserError(str(error)) from None
    except UpstreamUrlError as error:
        raise click.BadParameter(str(error), param_hint="UPSTREAM") from None
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror or error}. Choose another folder with --record.") from None
    settings = ProxySettings(Enforce(enforce), record, redact, RecordMode(record_mode), replay)
    listening = listen(host, port)
    lines = [f"{url_of(host, listening.getsockname()[1])} passes requests to {target.url} (Ctrl-C stops it)"]
    if record is not None:
        lines.append(_about_recordings(record, settings))
    if not is_loopback(host):
        lines.append(f"WARNING: other machines can reach {host}: they can use the deployment, and read /__mock__/.")
    limits = fit_to_open_files(ConnectionLimits(), raise_open_files())
    serve_proxy(engine, target, settings, listening, limits, log_level, printable("\n".join(lines)))


def _about_recordings(folder: Path, settings: ProxySettings) -> str:
    """Return the line of the banner about recordings."""
    known = len(settings.replay or ()) if settings.replays else 0
    said = [f"{known} recorded exchanges of {folder} are replayed."] if settings.replays else []
    if settings.records:
        said.append(f"Exchanges are recorded in {folder}, without secrets. Read them before you commit them.")
    else:
        said.append("Other requests are refused.")
    return " ".join(said)
