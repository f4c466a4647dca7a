"""`agent-contract load`: a load test, run by Locust."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from agent_contract import load_contract
from agent_contract.base_url import TargetError, parse
from load_generator.chats import chat_operation
from load_generator.options import OPTIONS, TOKEN_VARIABLE

_LOCUSTFILE = Path(__file__).with_name("locustfile.py")


def _user_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(OPTIONS):
        text = option.help if option.default in (0, "") else f"{option.help} Default: {option.default}."
        command = click.option(option.name, type=option.type, metavar=option.metavar, help=text)(command)
    return command


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("url")
@click.argument("locust", nargs=-1, type=click.UNPROCESSED, metavar="[LOCUST OPTION]...")
@_user_options
@click.option(
    "--token-env",
    metavar="NAME",
    default=TOKEN_VARIABLE,
    show_default=True,
    help="Environment variable with the token.",
)
def load(url: str, locust: tuple[str, ...], token_env: str, **values: str | int | float | None) -> None:
    """Send chats to the server at URL from many users at once, with Locust.

    URL is the server's root, or any longer part of the chat's URL; an agent in it is used.

    All other options are Locust's own: `--headless -u 100 -r 10 -t 1m` runs 100 users for a minute, `--master` and
    `--worker` spread them over machines, `locust --help` lists all. Names of user classes at the end select what is
    sent: ChatUser, StreamUser, SessionUser. Default: all three, in equal numbers.
    """
    try:
        target = parse(url, chat_operation(load_contract()).path)
    except TargetError as error:
        raise click.BadParameter(str(error), param_hint="URL") from None
    if token_env != TOKEN_VARIABLE and token_env not in os.environ:
        raise click.BadParameter(f"the environment has no variable {token_env}", param_hint="--token-env")
    chosen = {"agent": dict(target.parameters).get("agent_id")}
    chosen |= {name: str(value) for name, value in values.items() if value is not None}
    mine = [f"{option.name}={value}" for option in OPTIONS if (value := chosen.get(option.destination)) is not None]
    command = [sys.executable, "-P", "-m", "locust", "-f", str(_LOCUSTFILE), "--host", target.root, *mine, *locust]
    token = os.environ.get(token_env)
    _replace_process(command, {**os.environ, **({TOKEN_VARIABLE: token} if token else {})})


def _replace_process(command: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Give this process over to Locust, which changes Python's sockets and so needs a process of its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(command[0], command, environment)
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)
