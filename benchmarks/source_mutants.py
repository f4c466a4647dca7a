"""Mutation testing of this project's own tests: `make mutants`.

Changes one place in the code of `agent_contract` or `mockserver`, as mutmut does, and runs the tests of the changed
module's folder, as `tests/<package>/<folder>`, in a copy of the repository. A seeded random sample of places is taken.
Changed words in prose, such as a part of an error message, are left out: tests don't repeat messages.

One process imports the libraries once; each mutant is a fork of it.
"""

from __future__ import annotations

import importlib
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import click
import libcst
import pytest
from mutmut.mutation.file_mutation import Mutation, create_mutations

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent_contract", "mockserver")
#: Imported before the forks: all that the tests import from outside, and nothing of this project.
WARM = (
    *("anyio", "click", "faker", "httpx", "httpx2", "hypothesis", "jsonschema_rs", "openapi_core", "orjson"),
    *("rich.console", "uvicorn", "werkzeug.serving", "werkzeug.test", "yaml"),
)
#: Files of the repository that the tests read.
COPIED = (*PACKAGES, "contract_tests", "tests", "fixtures", "benchmarks", "docs")
#: CPU seconds, and seconds by the clock, after which the tests of a mutant are ended.
CPU_SECONDS, SECONDS = 120, 600.0
#: The libraries are imported before pytest can rewrite the assertions of their plugins.
OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:cov", "-W", "ignore::pytest.PytestAssertRewriteWarning")
KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"


@dataclass(frozen=True, slots=True)
class SourceMutant:
    """A file of the repository with one place changed; `source` is the file's new content."""

    file: str
    line: int
    before: str
    after: str
    source: str = field(repr=False, default="")

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.before} → {self.after}"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mutant: the verdict, the tests that failed, and the seconds that they took."""

    mutant: SourceMutant
    verdict: str
    failed: set[str]
    seconds: float


def sample(count: int, seed: int, under: Sequence[str] = PACKAGES) -> list[SourceMutant]:
    """Return mutants; a file is as likely as it is long. Equal arguments give equal mutants."""
    files = sorted(path for folder in under for path in files_under(ROOT / folder))
    chosen = random.Random(seed)
    parsed: dict[Path, tuple[libcst.Module, list[list[Mutation]]]] = {}
    found: list[SourceMutant] = []
    for path in chosen.choices(files, [path.stat().st_size for path in files], k=count):
        module, left = parsed.setdefault(path, parsed.get(path) or places(path))
        if left:
            found.append(mutant(path, module, chosen.choice(left.pop(chosen.randrange(len(left))))))
    return found


def files_under(path: Path) -> Iterator[Path]:
    """Yield the Python files in a folder, or the file itself."""
    yield from [path] if path.is_file() else path.rglob("*.py")


def places(path: Path) -> tuple[libcst.Module, list[list[Mutation]]]:
    """Return the parsed module, and for each place in it that mutmut can change the ways in which it does so."""
    module, mutations, _, _ = create_mutations(str(path), path.read_text(encoding="utf-8"))
    together: dict[int, list[Mutation]] = {}
    for mutation in mutations:
        if mutation.contained_by_top_level_function is not None and not is_prose(mutation.original_node):
            together.setdefault(id(mutation.original_node), []).append(mutation)
    return module, list(together.values())


def is_prose(node: libcst.CSTNode) -> bool:
    """Return whether a node is a string of several words."""
    return isinstance(node, libcst.SimpleString) and " " in node.value.strip("\"' ")


def mutant(path: Path, module: libcst.Module, mutation: Mutation) -> SourceMutant:
    """Return the module with one change."""
    changed = module.deep_replace(mutation.original_node, mutation.mutated_node)
    assert isinstance(changed, libcst.Module)
    before, after = module.code.splitlines(), changed.code.splitlines()
    line = next(number for number, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
    return SourceMutant(
        path.relative_to(ROOT).as_posix(), line + 1, before[line].strip(), after[line].strip(), changed.code
    )


def mirrored_tests(file: str) -> list[str]:
    """Return the tests of a module's folder, those of the module itself first."""
    folder = ROOT / "tests" / Path(file).parent
    while not any(folder.glob("test_*.py")):
        folder = folder.parent
    own = folder / f"test_{Path(file).stem}.py"
    rest = sorted(one for one in folder.glob("test_*.py") if one != own)
    return [one.relative_to(ROOT).as_posix() for one in ([own] if own.exists() else []) + rest]


@contextmanager
def repository() -> Iterator[Path]:
    """Yield a copy of the files that the tests read, byte code included; it is deleted at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="source-mutants-") as folder:
        copy = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("node_modules"))
        for path in ROOT.iterdir():
            if path.is_file() and path.name != ".git":
                shutil.copy2(path, copy)
        yield copy


def run_tests(copy: Path, tests: Sequence[str], *options: str) -> tuple[str, set[str]]:
    """Run tests of a copy in a fork of this process; return their verdict on the code, and the tests that failed."""
    output = copy / "output.txt"
    child = os.fork()
    if not child:
        os.setsid()
        _run_pytest(copy, output, [*OPTIONS, *options, *tests])
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            text = output.read_text(errors="replace")
            code = os.waitstatus_to_exitcode(status)
            if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
                raise click.ClickException(text)
            failed = set(re.findall(r"^(?:FAILED|ERROR) ([^\n]+?)(?: - .*)?$", text, re.MULTILINE))
            return SURVIVED if code == 0 else KILLED if code > 0 else TIMEOUT, failed
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return TIMEOUT, set()


def _run_pytest(copy: Path, output: Path, arguments: list[str]) -> NoReturn:
    """Run pytest in the copy and end this process with its exit status; too much CPU time ends it too."""
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    os.environ["PYTHONPATH"] = str(copy)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(written, 1)
    os.dup2(written, 2)
    status: int = 3
    try:
        status = pytest.main(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


@contextmanager
def written(copy: Path, one: SourceMutant, number: int) -> Iterator[None]:
    """Write a mutant into the copy for the time of the block."""
    path = copy / one.file
    before, times = path.read_bytes(), path.stat()
    path.write_text(one.source, encoding="utf-8")
    # Byte code is found by the time of its source: each mutant has one of its own.
    os.utime(path, (times.st_atime, times.st_mtime + 10 + number))
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, (times.st_atime, times.st_mtime))


def judge(mutants: Sequence[SourceMutant]) -> Iterator[Result]:
    """Yield what becomes of each mutant."""
    with repository() as copy:
        for number, one in enumerate(mutants):
            begun = time.monotonic()
            with written(copy, one, number):
                verdict, failed = run_tests(copy, mirrored_tests(one.file), "-x")
            yield Result(one, verdict, failed, round(time.monotonic() - begun, 1))


def failing_anyway(tests: set[str]) -> set[str]:
    """Return those of the tests that fail on the unchanged code."""
    with repository() as copy:
        return run_tests(copy, sorted(tests))[1] if tests else set()


@click.command()
@click.option("--count", default=200, show_default=True, help="How many mutants to try.")
@click.option("--seed", default=0, show_default=True, help="Random seed of the sample.")
@click.option("--under", multiple=True, default=PACKAGES, help="A folder or file whose code is changed. Repeatable.")
def main(count: int, seed: int, under: tuple[str, ...]) -> None:
    """Print what becomes of each mutant, those that survive again at the end, and how many were killed."""
    for name in WARM:
        importlib.import_module(name)
    results: list[Result] = []
    for result in judge(sample(count, seed, under)):
        results.append(result)
        by = f"  by {min(result.failed)}" if result.failed else ""
        click.echo(f"{len(results):>4} {result.verdict:<8} {result.seconds:>6.1f} s  {result.mutant}{by}")
    unreliable = failing_anyway({test for result in results for test in result.failed})
    void = [one for one in results if one.failed and one.failed <= unreliable]
    left = [one for one in results if one.verdict == SURVIVED]
    for title, chosen in (("survived", left), ("void, the test fails on the unchanged code too", void)):
        for one in chosen:
            click.echo(f"{title}: {one.mutant}")
    decided = len(results) - len(void)
    killed = decided - len(left)
    click.echo(f"{killed} of {decided} mutants killed ({100 * killed / max(1, decided):.0f} %)")


if __name__ == "__main__":
    main()
