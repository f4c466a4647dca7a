"""The command `convert`: makes a scenario of fixtures of aimock or of mappings of WireMock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from agent_contract.cli import UserError
from agent_contract.document.checked_file import Source
from agent_contract.document.errors import ContractError
from agent_contract.document.reader import parse_text, read_text
from mockserver.build import own_contract
from mockserver.operations.table import CHAT_OPERATION
from mockserver.scenarios.contract_check import contract_check
from mockserver.scenarios.converted import Conversion
from mockserver.scenarios.from_aimock import from_aimock
from mockserver.scenarios.from_wiremock import from_wiremock
from mockserver.scenarios.read import read_scenario

_CONVERTERS: Mapping[str, Callable[[Any], Conversion]] = {"aimock": from_aimock, "wiremock": from_wiremock}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--from", "kind", type=click.Choice([*_CONVERTERS]), help="Format of FILE. Default: by its content.")
@click.option("--output", "-o", type=_OUTPUT, help="File to write the scenario to. Default: standard output.")
def convert(file: Path, kind: str | None, output: Path | None) -> None:
    """Make a scenario of FILE: fixtures of aimock, or mappings of WireMock for chats.

    What can't be converted is listed on standard error.
    """
    try:
        value = parse_text(read_text(file, str(file)), str(file))
        made = _converted(value, kind or _kind_of(value, file), file)
        _check(made)
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None
    text = yaml.safe_dump({"rules": made.rules}, sort_keys=False, allow_unicode=True, width=110)
    for note in made.notes:
        click.echo(note, err=True)
    if output:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{output}: {error.strerror or error}.") from None
    click.echo(f"{output}: {len(made.rules)} rules" if output else text, nl=bool(output))


def _kind_of(value: Any, file: Path) -> str:
    if isinstance(value, dict) and isinstance(value.get("fixtures"), list):
        return "aimock"
    if isinstance(value, dict) and (isinstance(value.get("mappings"), list) or "request" in value):
        return "wiremock"
    raise UserError(f"{file}: this is neither a fixture file of aimock nor a mapping of WireMock. Choose with --from.")


def _converted(value: Any, kind: str, file: Path) -> Conversion:
    try:
        return _CONVERTERS[kind](value)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise UserError(f"{file}: this is not a valid file of {kind} ({why}). Check it with that tool.") from None


def _check(made: Conversion) -> None:
    """Mark the rules whose answers break the contract; leave out those that can't be rules."""
    check = contract_check(own_contract(), CHAT_OPERATION)
    kept = []
    for converted in made.rules:
        rule = converted
        try:
            read_scenario({"rules": [rule]}, Source("rule"), check)
        except ContractError:
            rule = {**converted, "off_contract": True}
            try:
                read_scenario({"rules": [rule]}, Source("rule"), check)
            except ContractError as error:
                made.note("a rule", f"is left out: {error.problems[0]}")
                continue
            made.note("a rule", f"breaks the contract, so it has off_contract: {rule.get('name') or rule.get('when')}")
        kept.append(rule)
    made.rules = kept
