"""The command `fixtures`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from agent_contract.cli import UserError
from agent_contract.document.errors import ContractError
from mockserver.fixtures.formats.table import FORMATS

#: More are written one by one, in the format `jsonl`.
_MOST_SAMPLES = 1000


class _Status(click.ParamType[str]):
    """A status, or a class of them."""

    name = "status"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the status in lower case; fail as click does."""
        text = str(value).lower()
        if re.fullmatch(r"[1-5](?:\d\d|xx)", text):
            return text
        return str(self.fail(f"{value} is neither a status, such as 404, nor a class, such as 4xx.", param, ctx))


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(list(FORMATS)),
    help="Format to write, each in a folder of its own. Can be repeated. Default: json and sse.",
)
@click.option("--clause", "clauses", multiple=True, metavar="GLOB", help="Only what shows these clauses. Repeatable.")
@click.option("--operation", "operations", multiple=True, metavar="ID", help="Only these operations. Repeatable.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    metavar="STATUS",
    type=_Status(),
    help="Only replies with these statuses; 4xx stands for all of its class. Repeatable.",
)
@click.option("--url", default="http://localhost:8000", show_default=True, help="Server in the URLs of requests.")
@click.option("--seed", default=0, show_default=True, type=int, help="Random seed for ids and generated text.")
@click.option(
    "--count",
    default=0,
    show_default=True,
    type=click.IntRange(0, 100_000_000),
    help="Number of generated samples per example, at most 1000; with --format jsonl alone, of exchanges in all.",
)
@click.option("--locale", default="", metavar="NAME", help="Language of samples, such as de_DE; needs Faker.")
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; exit with 1 and list the differences if the fixtures are out of date. Options come from the "
    "folder's manifest.",
)
def fixtures(
    folder: Path,
    formats: tuple[str, ...],
    clauses: tuple[str, ...],
    operations: tuple[str, ...],
    statuses: tuple[str, ...],
    url: str,
    seed: int,
    count: int,
    locale: str,
    check: bool,
) -> None:
    """Write the exchanges of the contract to DIR, in the formats that tests use."""
    from mockserver.build import own_contract
    from mockserver.fixtures.directory import FolderError, check_fixtures, write_bulk, write_fixtures
    from mockserver.fixtures.generate import DEFAULT_FORMATS, EmptySelectionError, FixtureOptions, Selection
    from mockserver.fixtures.play import FixtureError
    from mockserver.fixtures.prose import LocaleError

    selection = Selection(clauses, operations, statuses)
    options = FixtureOptions(
        seed, count, tuple(dict.fromkeys(formats)) or DEFAULT_FORMATS, selection, _url(url), locale
    )
    if count > _MOST_SAMPLES and not options.is_bulk:
        raise click.BadParameter(
            f"{count} is over {_MOST_SAMPLES}. For more, use --format jsonl.", param_hint="--count"
        )
    try:
        contract = own_contract()
        if check:
            return _check(folder, list(check_fixtures(contract, folder)))
        if options.is_bulk:
            written = write_bulk(contract, folder, options, lambda lines: _with_progress(lines, count))
        else:
            written = write_fixtures(contract, folder, options)
    except (FolderError, FixtureError, EmptySelectionError, LocaleError) as error:
        raise UserError(str(error)) from None
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror or error}.") from None
    for path in written.kept:
        click.echo(f"{path} is kept: it is no longer generated, but was changed by hand.")
    click.echo(f"{folder}: {written.files} files, {len(written.changed)} changed, {len(written.removed)} removed")
    return None


def _with_progress(lines: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Yield the lines; on a terminal, show a bar."""
    if not sys.stderr.isatty():
        yield from lines
        return
    with click.progressbar(lines, count, "exchanges", file=sys.stderr, update_min_steps=max(1, count // 200)) as bar:
        yield from bar


def _url(text: str) -> str:
    """Return the URL without a slash at its end; fail if it can't be the beginning of a request's URL."""
    if not re.fullmatch(r"https?://[^\s/?#]+(?:/[^\s?#]*)?", text):
        raise click.BadParameter(f"{text} is not a URL such as http://localhost:8000.", param_hint="--url")
    return text.rstrip("/")


def _check(folder: Path, differences: list[str]) -> None:
    if not differences:
        return click.echo(f"{folder} is up to date")
    for difference in differences:
        click.echo(difference)
    raise _StaleFixtures(
        f"{folder} is out of date ({len(differences)} differences). Run agent-contract fixtures {folder}."
    )


class _StaleFixtures(click.ClickException):
    exit_code = 1
