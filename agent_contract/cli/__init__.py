"""The command line `agent-contract`: names and one line of help each. A command's module is imported when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import click

from agent_contract.installation import DISTRIBUTION, missing
from agent_contract.printable import print_on_any_encoding

#: The libraries of the extra `verify`, one of each that a command can't do without.
_JUDGE = ("pytest", "schemathesis", "openapi_core", "httpx", "jinja2", "rich")


class UserError(click.ClickException):
    """What the user must correct."""

    exit_code = 2


def near(path: Path) -> Path:
    """Return a path relative to the current folder if it is inside."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


class CommandEntry(NamedTuple):
    """The module of a command and its line in the list of commands.

    `needs` are the libraries that it needs beyond the base, `extra` is the extra that brings them.
    """

    module: str
    help: str
    needs: tuple[str, ...] = ()
    extra: str = "verify"


COMMANDS: Mapping[str, CommandEntry] = {
    "serve": CommandEntry("mockserver.cli", "Serve the mock."),
    "proxy": CommandEntry(
        "mockserver.cli.proxy", "Pass requests to a deployment, check and record them.", ("httpx",), "proxy"
    ),
    "record-check": CommandEntry("mockserver.cli.record_check", "Hold recordings to the contract."),
    "impact": CommandEntry("mockserver.cli.impact", "Show what a change means for recorded calls."),
    "wait": CommandEntry("mockserver.cli", "Wait until a server answers."),
    "verify": CommandEntry("contract_tests.cli.verify", "Test a deployment against the contract.", _JUDGE),
    "trend": CommandEntry("contract_tests.cli.trend", "Count the verdicts of several reports."),
    "clauses": CommandEntry("agent_contract.cli.clauses", "List the clauses of the contract."),
    "diff": CommandEntry("agent_contract.cli.diff", "Show what changed between versions, documents or reports."),
    "export": CommandEntry("agent_contract.cli.export", "Write the contract in a form that other tools read."),
    "faults": CommandEntry("mockserver.cli", "List the faults that the mock can produce."),
    "convert": CommandEntry("mockserver.cli.convert", "Make a scenario of files of aimock or WireMock."),
    "fixtures": CommandEntry("mockserver.cli.fixtures", "Write recorded exchanges of the contract."),
    "coverage": CommandEntry("mockserver.cli.analysis", "Show what a client never met, from a journal."),
    "lint-session": CommandEntry("mockserver.cli.analysis", "Find misuse of sessions, in a journal."),
    "client-check": CommandEntry("client_check.cli", "Run a client's tests against what the contract permits."),
    "load": CommandEntry("load_generator.cli", "Load a server with many users, by Locust.", ("locust",), "load"),
    "mcp": CommandEntry("mockserver.cli.mcp", "Offer tools to coding agents.", ("mcp", "httpx2"), "mcp"),
    "check": CommandEntry("agent_contract.cli.check", "Report problems of an OpenAPI document."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run: `--help` and `serve` load nothing of the others."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command; it prints on any encoding."""
        print_on_any_encoding()
        return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands' names, in the usual order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command after importing its module; None for an unknown name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        try:
            for library in entry.needs:
                if find_spec(library) is None:
                    raise ModuleNotFoundError(name=library)
            command = getattr(import_module(entry.module), cmd_name.replace("-", "_"))
        except ImportError as error:
            raise click.ClickException(missing(error, f"agent-contract {cmd_name}", entry.extra)) from error
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module}.{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=DISTRIBUTION, prog_name="agent-contract")
def main() -> None:
    """Mock, contract tests and fixtures of an agent chat API, from one OpenAPI document."""
