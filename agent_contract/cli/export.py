"""`agent-contract export`: the contract in the forms of other tools."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from agent_contract.arazzo import to_arazzo
from agent_contract.cli import UserError
from agent_contract.document.errors import ContractError
from agent_contract.document.own_document import find_document
from agent_contract.load import load_contract


@click.group()
def export() -> None:
    """Write the contract in a form that other tools read."""


@export.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--document", default="", metavar="URL", help="Where the OpenAPI document is, as the workflows name it.")
@click.option("--with-token", is_flag=True, help="Send the input `token` as the bearer token of each request.")
@click.option("--allow-outside", is_flag=True, help="Follow a $ref that leads out of the document's folder.")
def arazzo(file: Path | None, document: str, with_token: bool, allow_outside: bool) -> None:
    """Print the chains of examples as an Arazzo description, in YAML.

    Each example that follows another, such as the second turn of a session, becomes a workflow. Without FILE, the
    document that comes with this tool is taken. By default the workflows name the document by its file name. What
    Arazzo can't express is left out and named on standard error. Exit status: 2 for a document that can't be used.
    """
    try:
        contract = load_contract(file, allow_outside=allow_outside)
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None
    found = to_arazzo(contract, document or (file or find_document()).name, with_token=with_token)
    if not found.description["workflows"]:
        raise UserError("no example of the document follows another: no workflow can be made of it")
    click.echo(yaml.safe_dump(found.description, sort_keys=False, allow_unicode=True, width=120), nl=False)
    for name, reason in found.left_out.items():
        click.echo(f"left out: {name}: {reason}", err=True)
