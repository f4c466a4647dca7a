"""The commands `serve`, `wait` and `faults`."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from agent_contract.cli import UserError
from agent_contract.document.errors import ContractError
from agent_contract.installation import missing
from agent_contract.printable import printable
from mockserver.cli.documents import documents_of, served_documents
from mockserver.cli.imitate import imitation, profile_for
from mockserver.cli.options import (
    FILE,
    RECORDINGS,
    SECONDS,
    TIMEOUT,
    Finite,
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
    listen_at,
    log_level_option,
    option,
    port_option,
    replay_speed_option,
    scenario_option,
    url_of,
)
from mockserver.cli.repairs import repair_lines
from mockserver.core.limits import Limits
from mockserver.operations.table import CHAT_OPERATION
from mockserver.recording.example_request import example_command
from mockserver.resources.agents import unique
from mockserver.server.connection_limits import RESERVED_FILES, ConnectionLimits, fit_to_open_files, raise_open_files
from mockserver.server.settings import DRAIN_SECONDS, ServerSettings

if TYPE_CHECKING:
    import ssl

    from mockserver.config import Config
    from mockserver.engine import Engine
    from mockserver.recording.metrics import Metrics

_DEFAULTS = Limits()
_CONNECTIONS = ConnectionLimits()


@click.command(
    epilog=f"""Default limits: a request body has at most {_DEFAULTS.body:,} bytes and 1,024 levels of nesting, n is at
    most {_DEFAULTS.choices}, and {_DEFAULTS.sessions:,} sessions are kept (the least recently used one is evicted
    first). Set others under `limits` in the --config file. Each option can also be set as an environment variable. Use
    that for tokens: other users of the machine can read the command line."""
)
@host_option
@port_option
@option("--unix-socket", type=FILE, help="Listen at this path instead of a host and a port.")
@option("--config", type=FILE, help="YAML file with agents, tokens, documents and limits.")
@option(
    "--spec",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="OpenAPI document to serve instead of the built-in one. Can be repeated; /PREFIX=FILE serves it there.",
)
@option(
    "--overlay", type=FILE, multiple=True, help="OpenAPI Overlay, which changes the --spec documents. Can be repeated."
)
@option("--watch", is_flag=True, help="Serve the --spec documents again when their files change; what is stored stays.")
@option("--allow-outside", is_flag=True, help="Follow a $ref that leads out of the folder of the --spec document.")
@option(
    "--allow-remote",
    multiple=True,
    metavar="HOST",
    help="Host that remote files of a --spec document are fetched from. Can be repeated.",
)
@option("--verbose", is_flag=True, help="Print every repair of the --spec document at start, not only the worst five.")
@option(
    "--examples",
    type=click.Choice(["lenient", "strict"]),
    default="lenient",
    help="Documented examples that their schema refuses, of a --spec document: send them with a warning, or a sampled "
    "value instead.",
)
@option(
    "--security",
    type=click.Choice(["presence", "off"]),
    default="presence",
    help="Credentials that a --spec document requires: any value must be present, or none is needed.",
)
@option(
    "--strict-parameters",
    is_flag=True,
    help="Read arrays and objects in the query only as the --spec document declares them, not in other spellings.",
)
@option(
    "--callback-host",
    multiple=True,
    metavar="HOST[:PORT]",
    help="Host to which callbacks and webhooks of a --spec document may be sent. Can be repeated.",
)
@option("--callback-delay", default=0.0, type=SECONDS, help="Seconds from a reply to its callbacks.")
@option("--stateless", is_flag=True, help="Keep nothing that clients create in the resources of a --spec document.")
@api_version_option
@option("--token", help="Bearer token that every request must carry.")
@control_option
@control_token_option
@allow_host_option
@scenario_option
@fault_option
@option(
    "--replay",
    type=RECORDINGS,
    metavar="PATH",
    help="Recordings, which answer the requests that were recorded: a folder, a file, or an HTTP archive (HAR).",
)
@option(
    "--like",
    type=FILE,
    metavar="REPORT",
    help="Report that `verify --report FILE.json` wrote: behave as that deployment did, as far as this mock can.",
)
@option(
    "--strict",
    is_flag=True,
    help="With --spec: refuse a document with a fault instead of repairing it. With --replay: refuse a request that "
    "was not recorded instead of computing an answer.",
)
@ignore_option
@replay_speed_option
@option(
    "--error-format",
    type=click.Choice(["fastapi", "openai"]),
    help="Body of refusals: openai adds `error` to `detail`, which OpenAI's SDKs show. Default: fastapi.",
)
@option("--seed", default=0, type=int, help="Random seed for ids and generated text.")
@option("--store", default="memory", help="Store for the state: memory, sqlite:///FILE or redis://HOST/N.")
@option(
    "--max-sessions",
    type=click.IntRange(1),
    help="Maximum number of sessions; the least recently used one is evicted first.",
)
@option("--workers", default=1, type=click.IntRange(1, 64), help="Number of processes; they share one store.")
@option(
    "--max-connections",
    default=_CONNECTIONS.connections,
    type=click.IntRange(1, 1_000_000),
    help="Maximum number of open connections per process; further clients get 503. A low ulimit -n lowers it.",
)
@option(
    "--max-header-bytes",
    default=_CONNECTIONS.header_bytes,
    type=click.IntRange(1024, 16 * 1024 * 1024),
    help="Maximum size of the request line and headers, in bytes; larger ones get 431.",
)
@option(
    "--header-timeout",
    default=_CONNECTIONS.header_seconds,
    type=TIMEOUT,
    help="Maximum time from the first byte of a request to the end of its headers, in seconds; then it gets 408.",
)
@option(
    "--body-timeout",
    default=_CONNECTIONS.body_seconds,
    type=TIMEOUT,
    help="Maximum time without a byte of the body, in seconds; then the request gets 408.",
)
@option(
    "--upload-timeout",
    default=_CONNECTIONS.upload_seconds,
    type=TIMEOUT,
    help="Seconds from the end of the headers to the end of the body; then the request gets 408.",
)
@option(
    "--read-timeout",
    default=_CONNECTIONS.read_seconds,
    type=TIMEOUT,
    help="Seconds after which a client that closed its side of the connection, and reads nothing, is disconnected.",
)
@option(
    "--idle-timeout",
    default=_CONNECTIONS.idle_seconds,
    type=TIMEOUT,
    help="Seconds after which an idle connection is closed.",
)
@option(
    "--stop-with-stdin",
    is_flag=True,
    help="Stop when standard input ends. A program that starts the mock through a pipe leaves no mock behind.",
)
@option("--ttft", default=0.0, type=SECONDS, help="Seconds until the first token.")
@option("--tps", default=0.0, type=SECONDS, help="Tokens per second after the first one; 0 means no limit.")
@option("--jitter", default=0.0, type=SECONDS, help="Random variation added to each delay, in seconds.")
@option(
    "--drain-timeout",
    default=DRAIN_SECONDS,
    type=Finite(min=0, max=3600),
    help="Seconds that open replies may still take when the server is stopped by SIGTERM or Ctrl-C.",
)
@option("--tls-cert", type=FILE, help="Certificate in PEM, with those of its authorities: serve HTTPS.")
@option("--tls-key", type=FILE, help="Key of the certificate in PEM, if it is in another file. Not encrypted.")
@option("--tls-client-ca", type=FILE, help="Accept only clients that show a certificate of this authority (PEM).")
@option("--metrics", is_flag=True, help="Count requests, refusals and latencies for Prometheus, at /__mock__/metrics.")
@log_level_option
def serve(
    host: str,
    port: int,
    unix_socket: Path | None,
    log_level: str,
    workers: int,
    max_connections: int,
    max_header_bytes: int,
    header_timeout: float,
    body_timeout: float,
    upload_timeout: float,
    read_timeout: float,
    idle_timeout: float,
    stop_with_stdin: bool,
    verbose: bool,
    metrics: bool,
    drain_timeout: float,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    spec: tuple[Path, ...],
    watch: bool,
    like: Path | None,
    **options: Any,
) -> None:
    """Run a mock server of the API."""
    from mockserver.server import run
    from mockserver.server.workers import WorkersFailed

    _check_workers(workers, options["store"])
    if stop_with_stdin and workers > 1:
        raise click.UsageError("--stop-with-stdin is for one process. Leave out --workers.")
    tls = _tls(tls_cert, tls_key, tls_client_ca)
    if watch and not spec:
        raise click.UsageError("--watch is for the documents of --spec. Add --spec FILE, or leave it out.")
    options["metrics"] = _metrics(workers) if metrics else None
    if like and (workers > 1 or spec):
        raise click.UsageError("--like is for one process and the built-in document. Leave out --workers and --spec.")
    profile = profile_for(like, options) if like else None
    documents = documents_of(spec)
    engines = {prefix: _engine(spec=file, **options) for prefix, file in documents.items()}
    engine = next(iter(engines.values()))
    if (len(engines) > 1 or "" not in engines or watch) and (workers > 1 or options["store"] != "memory"):
        raise click.UsageError("Several --spec documents, prefixes, and --watch need one process and --store memory.")
    listening = listen_at(unix_socket) if unix_socket else listen(host, port)
    wanted = ConnectionLimits(
        connections=max_connections,
        header_bytes=max_header_bytes,
        header_seconds=header_timeout,
        body_seconds=body_timeout,
        upload_seconds=upload_timeout,
        read_seconds=read_timeout,
        idle_seconds=idle_timeout,
    )
    files = raise_open_files()
    limits = fit_to_open_files(wanted, files)
    scheme = "https" if tls else "http"
    url = f"{scheme}://localhost" if unix_socket else url_of(host, listening.getsockname()[1], scheme)
    banner = _banners(engines, host, url, _connections_line(limits, wanted, files), unix_socket, verbose)
    banner += "".join(f"\n{printable(line)}" for line in profile.lines()) if profile else ""
    settings = ServerSettings(limits, log_level, banner, tls, drain_timeout)
    if workers == 1:
        if stop_with_stdin:
            run.stop_with_stdin()
        served = served_documents(
            engines, documents, partial(_engine, **options), watch=watch, more_files=options["overlay"]
        )
        played = served if profile is None else imitation().imitate(engine, profile)
        return run.serve_in_this_process(played, listening, settings)
    try:
        return run.serve_in_processes(workers, engine, options["store"], listening, settings)
    except WorkersFailed as error:
        raise UserError(f"{error} See the lines above.") from None


def _banners(
    engines: Mapping[str, Engine], host: str, url: str, connections: str, unix_socket: Path | None, verbose: bool
) -> str:
    """Return the banners of all documents, and the line about connections."""
    banners = [_banner(engine, host, url + prefix, unix_socket, verbose) for prefix, engine in engines.items()]
    return "\n".join([*banners, connections])


def _connections_line(limits: ConnectionLimits, wanted: ConnectionLimits, files: int | None) -> str:
    """Return the line of the banner about the limit of connections."""
    line = f"Up to {limits.connections:,} connections"
    if files is None:
        return f"{line}."
    if limits.connections < wanted.connections:
        return f"{line}: the limit is {files:,} open files (ulimit -n), of which {RESERVED_FILES} are reserved."
    return f"{line}; the limit is {files:,} open files."


def _check_workers(workers: int, store: str) -> None:
    from mockserver.server.workers import can_fork

    if workers > 1 and store == "memory":
        why = "workers can't share the store memory"
        raise click.BadParameter(
            f"{why}. Use --store sqlite:///FILE or --store redis://HOST/N.", param_hint="--workers"
        )
    if workers > 1 and not can_fork():
        why = "this system can't fork processes that share a socket"
        raise click.BadParameter(
            f"{why}. Start several servers instead, each on its own port, with the same --store.",
            param_hint="--workers",
        )


@click.command()
@click.argument("url")
@click.option("--timeout", default=30.0, show_default=True, type=SECONDS, help="Seconds to wait.")
def wait(url: str, timeout: float) -> None:
    """Wait until a server answers at URL: a mock at /__mock__/health, another server with any status."""
    from mockserver.cli.wait_for_server import wait_for

    try:
        click.echo(f"{url} is {wait_for(url, timeout)}")
    except ValueError as error:
        raise click.BadParameter(f"{error}. Expected a URL such as http://127.0.0.1:8000.", param_hint="URL") from None
    except TimeoutError as error:
        raise UserError(f"No answer from {url} within {timeout:g} s: {error}. Is the server running?") from None


@click.command()
@click.argument("name", required=False)
def faults(name: str | None) -> None:
    """List the faults that the mock can produce, or the parameters of the fault NAME."""
    from mockserver.cli.list_faults import fault_details, fault_list

    try:
        click.echo(fault_details(name) if name else fault_list())
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None


def _tls(certificate: Path | None, key: Path | None, client_authority: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        if key or client_authority:
            raise click.UsageError("--tls-key and --tls-client-ca are for HTTPS. Add --tls-cert FILE.")
        return None
    from mockserver.server.tls import TlsError, server_context

    try:
        return server_context(certificate, key, client_authority)
    except TlsError as error:
        raise UserError(str(error)) from None


def _metrics(workers: int) -> Metrics:
    """Return new metrics; the numbers of several workers are in a folder that is deleted when this process ends."""
    from mockserver.recording.metrics import create_metrics

    folder = None
    if workers > 1:
        folder = Path(tempfile.mkdtemp(prefix="agent-mock-metrics-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        return create_metrics(folder)
    except ImportError as error:
        raise UserError(missing(error, "--metrics", "metrics")) from None


def _engine(
    spec: Path | None,
    config: Config | Path | None,
    token: str | None,
    seed: int,
    ttft: float,
    tps: float,
    jitter: float,
    store: str,
    max_sessions: int | None,
    api_version: str | None,
    control: str,
    control_token: str | None,
    allow_host: tuple[str, ...],
    allow_outside: bool,
    allow_remote: tuple[str, ...],
    scenario: Path | None,
    fault: tuple[str, ...],
    error_format: str | None,
    replay: Path | None,
    strict: bool,
    ignore: tuple[str, ...],
    replay_speed: float,
    examples: str,
    security: str,
    strict_parameters: bool,
    stateless: bool,
    overlay: tuple[Path, ...],
    callback_host: tuple[str, ...],
    callback_delay: float,
    metrics: Metrics | None,
) -> Engine:
    from mockserver.build import load_engine, with_replay
    from mockserver.core.play_options import PlayOptions
    from mockserver.generation.latency import Pace
    from mockserver.recording.recording import RecordingError
    from mockserver.recording.request_key import IgnoreError

    for name, secret in (("--token", token), ("--control-token", control_token)):
        check_token(name, secret)
    if ignore and replay is None:
        raise click.UsageError("--ignore is for recordings. Add --replay PATH.")
    if strict and replay is None and spec is None:
        raise click.UsageError("--strict is for recordings and other documents. Add --replay PATH or --spec FILE.")
    if overlay and not spec:
        raise click.UsageError("--overlay is for the document of --spec. Add --spec FILE, or leave it out.")
    if allow_outside and not spec:
        raise click.UsageError("--allow-outside is for the document of --spec. Add --spec FILE, or leave it out.")
    try:
        tokens = (token,) if token else ()
        pace = Pace(ttft, tps, jitter)
        options: dict[str, Any] = {"store": store, "max_sessions": max_sessions, "api_version": api_version or ""}
        options |= {"control": control == "on", "control_tokens": (control_token,) if control_token else ()}
        options["allowed_hosts"] = tuple(name.lower() for name in allow_host)
        options |= {"allow_outside": allow_outside, "strict": strict, "overlays": overlay}
        options["allow_remote"] = allow_remote
        options["play"] = PlayOptions(
            strict_examples=examples == "strict",
            security=security == "presence",
            strict_parameters=strict_parameters,
            stateless=stateless,
            callback_hosts=callback_host,
            callback_delay=callback_delay,
        )
        options["metrics"] = metrics
        options |= {"scenario": scenario, "faults": fault, "error_format": error_format}
        engine = load_engine(spec, config, tokens=tokens, seed=seed, pace=pace, **options)
        if replay is None:
            return engine
        return with_replay(engine, replay, ignore=ignore, strict=strict, speed=replay_speed)
    except RecordingError as error:
        raise UserError(str(error)) from None
    except IgnoreError as error:
        raise click.BadParameter(str(error), param_hint="--ignore") from None
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None


def _banner(engine: Engine, host: str, url: str, unix_socket: Path | None, verbose: bool) -> str:
    contract, needs_token = engine.contract, engine.config.requires_token
    lines = [f"{contract.title} {contract.version} is served at {unix_socket or url} (Ctrl-C stops it)"]
    lines += [] if unix_socket else _warnings(engine.config, host)
    lines += repair_lines(contract, everything=verbose)
    agents = unique(engine.config.agents) if CHAT_OPERATION in engine.api.behaviours else ()
    count = len(contract.operations)
    played = "1 operation answers with its" if count == 1 else f"{count} operations answer with their"
    lines.append("Agents:" if agents else f"{played} documented examples.")
    for agent in agents:
        model = "any model" if agent.any_model else agent.model
        lines.append(f"  {agent.name:<16} {agent.id}  {model}; {', '.join(sorted(agent.roles))}")
    default_agent = next((agent.name for agent in agents if "user" in agent.roles), "")
    command = example_command(contract, url, needs_token, {"agent_id": default_agent} if default_agent else None)
    if command:
        if unix_socket:
            command = command.replace("curl", f"curl --unix-socket {quote(str(unix_socket))}", 1)
        lines += ["Try, with the token in $AGENT_CONTRACT_TOKEN:" if needs_token else "Try:", "  " + command]
    if engine.replay is not None:
        otherwise = "refused" if engine.replay.strict else "computed"
        lines.append(f"{len(engine.replay)} recorded exchanges are replayed; other answers are {otherwise}.")
        lines += [engine.replay.note] if engine.replay.note else []
    return printable("\n".join(lines))


def _warnings(config: Config, host: str) -> Iterator[str]:
    """Yield a warning for each thing that other machines can do if they can reach `host`."""
    if is_loopback(host) or config.requires_token:
        return
    yield f"WARNING: other machines can reach {host}, and no token is required: set --token."
    if config.control and not config.control_tokens:
        yield "WARNING: other machines can read all requests at /__mock__/: set --control-token, or --control off."
