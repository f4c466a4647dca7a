"""Mutation testing of this project's own tests: `make mutants`.

Changes one place in the code of `agent_contract` or `mockserver`, as mutmut does, in a copy of the repository. A seeded
random sample of places is taken. Changed words in prose, such as a part of an error message, are left out: tests don't
repeat messages.

One measured run of the unchanged code shows which test runs which line, and how long it takes. A mutant meets the tests
that run its statement, up to the first that fails: those of its folder, `tests/<package>/<folder>`, then the quickest
of the other folders. A mutant that is still alive meets all other tests of its folder, some of which start processes.

One process imports the libraries once; each mutant is a fork of it.
"""

from __future__ import annotations

import ast
import gc
import importlib
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import click
import libcst
import pytest
from coverage import CoverageData
from mutmut.mutation.file_mutation import Mutation, create_mutations

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent_contract", "mockserver")
#: Imported before the forks: all that the tests import from outside, and nothing of this project.
WARM = (
    *("anyio", "anyio.pytest_plugin", "click", "faker.proxy", "httpx", "httpx2", "hypothesis", "jinja2"),
    *("jsonschema_rs", "msgspec", "openapi_core", "orjson", "pydantic", "rich.console", "schemathesis", "sqlite3"),
    *("uvicorn", "werkzeug.serving", "werkzeug.test", "xdist.plugin", "yaml"),
)
#: Files of the repository that the tests read.
COPIED = (
    *PACKAGES,
    "client_check",
    "clients",
    "contract_tests",
    "load_generator",
    "tests",
    "fixtures",
    "benchmarks",
    "docs",
)
#: The tests that all mutants may meet.
TESTS = ("tests/agent_contract", "tests/mockserver")
#: Survivors that are known for a reason.
EXPLAINED = ROOT / "benchmarks" / "source_mutants.toml"
#: A test that takes more seconds hangs.
TEST_SECONDS = 120
#: How many seconds the tests of other folders may take, as measured.
OTHERS_SECONDS = 20.0
OPTIONS = (
    *("-v", "-p", "no:cacheprovider"),
    # Plugins of installed libraries that no test needs and that take a second to import.
    *("-p", "no:langsmith_plugin", "-p", "no:schemathesis"),
    *("-o", f"faulthandler_timeout={TEST_SECONDS}", "-o", "faulthandler_exit_on_timeout=true"),
    # The libraries are imported before pytest can rewrite the assertions of their plugins.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
#: How faulthandler begins to report a test that hangs.
HANGS = "Timeout ("
#: The files of a measurement: which test runs which line, and the seconds of each test.
LINES, TIMES = "lines.coverage", "times.json"
OUTPUT = "output.txt"
KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"


@dataclass(frozen=True, slots=True)
class Limits:
    """CPU seconds, and seconds by the clock, after which a run of tests is ended."""

    cpu_seconds: int
    seconds: float


OF_A_MUTANT, OF_ALL_TESTS = Limits(200, 1200.0), Limits(3600, 7200.0)


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

    number: int
    mutant: SourceMutant
    verdict: str
    failed: set[str]
    seconds: float

    def __str__(self) -> str:
        by = f"  by {min(self.failed)}" if self.failed else ""
        return f"{self.number:>4} {self.verdict:<8} {self.seconds:>6.1f} s  {self.mutant}{by}"


@dataclass(frozen=True, slots=True)
class Only:
    """A plugin of pytest that runs only the tests with these ids."""

    tests: frozenset[str]

    @pytest.hookimpl
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drop all other tests."""
        items[:] = [item for item in items if item.nodeid in self.tests]


@dataclass(frozen=True, slots=True, eq=False)
class Stopwatch:
    """A plugin of pytest that writes the seconds that each test took to a file."""

    file: Path
    seconds: dict[str, float] = field(default_factory=dict)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the seconds of a phase of a test."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    @pytest.hookimpl
    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        self.file.write_text(json.dumps(self.seconds), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run on the unchanged code showed: the tests, with their seconds, and which line each runs."""

    seconds: dict[str, float]
    lines: CoverageData

    def covering(self, file: str, code: str, line: int) -> set[str]:
        """Return the tests that run the statement at a line of a file of the repository."""
        measured = next((one for one in self.lines.measured_files() if one.endswith(f"/{file}")), None)
        by_line = self.lines.contexts_by_lineno(measured) if measured else {}
        found = {name.rpartition("|")[0] for at in statement(code, line) for name in by_line.get(at, ())}
        return found & self.seconds.keys()


def sample(root: Path, count: int, seed: int, under: Sequence[str] = PACKAGES) -> list[SourceMutant]:
    """Return mutants of different places; a file is as likely as it is long. Equal arguments give equal mutants."""
    sizes = {path: path.stat().st_size for path in sorted(path for one in under for path in files_under(root / one))}
    chosen = random.Random(seed)
    parsed: dict[Path, tuple[libcst.Module, list[list[Mutation]]]] = {}
    found: list[SourceMutant] = []
    while sizes and len(found) < count:
        (path,) = chosen.choices(list(sizes), list(sizes.values()))
        module, left = parsed.setdefault(path, parsed.get(path) or places(path))
        if left:
            mutation = chosen.choice(left.pop(chosen.randrange(len(left))))
            found.append(mutant(path.relative_to(root).as_posix(), module, mutation))
        else:
            del sizes[path]
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


def mutant(file: str, module: libcst.Module, mutation: Mutation) -> SourceMutant:
    """Return the module with one change."""
    changed = module.deep_replace(mutation.original_node, mutation.mutated_node)
    assert isinstance(changed, libcst.Module)
    before, after = module.code.splitlines(), changed.code.splitlines()
    line = next(number for number, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
    return SourceMutant(file, line + 1, before[line].strip(), after[line].strip(), changed.code)


def mirrored_tests(root: Path, file: str) -> list[str]:
    """Return the test files of a module's folder, that of the module itself first."""
    folder = root / "tests" / Path(file).parent
    while not any(folder.glob("test_*.py")):
        folder = folder.parent
    own = folder / f"test_{Path(file).stem}.py"
    rest = sorted(one for one in folder.glob("test_*.py") if one != own)
    return [one.relative_to(root).as_posix() for one in ([own] if own.exists() else []) + rest]


def statement(code: str, line: int) -> range:
    """Return the lines of the smallest statement around a line."""
    found = [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return min(found, key=len)


@contextmanager
def repository() -> Iterator[Path]:
    """Yield a copy of the files that the tests read, byte code included; it is deleted at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="source-mutants-") as folder:
        copy = Path(folder).resolve()
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("node_modules"))
        for path in ROOT.iterdir():
            if path.is_file() and path.name != ".git":
                shutil.copy2(path, copy)
        yield copy


def run_tests(
    copy: Path, arguments: Sequence[str], plugin: object = None, limits: Limits = OF_A_MUTANT
) -> tuple[str, set[str]]:
    """Run tests of a copy in a fork of this process; return their verdict on the code, and the tests that failed."""
    output = copy / OUTPUT
    child = os.fork()
    if not child:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds))
        _run_pytest(copy, output, [*OPTIONS, *arguments], [plugin] if plugin else [])
    end = time.monotonic() + limits.seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return verdict_of(os.waitstatus_to_exitcode(status), output.read_text(errors="replace"))
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return TIMEOUT, set()


def verdict_of(code: int, output: str) -> tuple[str, set[str]]:
    """Return the verdict for an exit status of pytest and its output, and the tests that failed or hang."""
    if code < 0 or HANGS in output:
        return TIMEOUT, set(re.findall(r"^(\S+::.*?) ?$", output.partition(HANGS)[0], re.MULTILINE)[-1:])
    failed = set(re.findall(r"^(?:FAILED|ERROR) ([^\n]+?)(?: - .*)?$", output, re.MULTILINE))
    return SURVIVED if code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else KILLED, failed


def _run_pytest(copy: Path, output: Path, arguments: list[str], plugins: Sequence[object]) -> NoReturn:
    """Run pytest in the copy and end this process with its exit status."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it, and tests send it to servers
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    os.environ["PYTHONPATH"] = str(copy)
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(written, 1)
    os.dup2(written, 2)
    status: int = 3
    try:
        status = pytest.main(arguments, plugins)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


@contextmanager
def written(copy: Path, one: SourceMutant, time_stamp: int) -> Iterator[None]:
    """Write a mutant into the copy for the time of the block."""
    path = copy / one.file
    before, times = path.read_bytes(), path.stat()
    path.write_text(one.source, encoding="utf-8")
    # Byte code is found by the time of its source: each mutant has one of its own.
    os.utime(path, (times.st_atime, times.st_mtime + 10 + time_stamp))
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, (times.st_atime, times.st_mtime))


def measure(copy: Path, folder: Path) -> Measurement:
    """Return the measurement in a folder; if it has none, run all tests on the unchanged code first."""
    if not (folder / TIMES).exists():
        os.environ["COVERAGE_FILE"] = str(folder / LINES)
        options = ["--cov=" + package for package in PACKAGES] + ["--cov-context=test", "--cov-report="]
        verdict, failing = run_tests(copy, [*options, *TESTS], Stopwatch(folder / TIMES), OF_ALL_TESTS)
        if verdict != SURVIVED and not failing:
            raise click.ClickException((copy / OUTPUT).read_text(errors="replace"))
        for test in failing:
            click.echo(f"fails without any change: {test}")
    lines = CoverageData(str(folder / LINES))
    lines.read()
    return Measurement(json.loads((folder / TIMES).read_text(encoding="utf-8")), lines)


def steps(copy: Path, one: SourceMutant, measured: Measurement) -> Iterator[tuple[list[str], set[str]]]:
    """Yield files of tests, and the tests in them that a mutant meets, if it is still alive."""
    own = mirrored_tests(copy, one.file)
    code = (copy / one.file).read_text(encoding="utf-8")
    covering = measured.covering(one.file, code, one.line)
    here = {test for test in covering if test.partition("::")[0] in own}
    yield own, here
    left, others = OTHERS_SECONDS, set[str]()
    for test in sorted(covering - here, key=measured.seconds.__getitem__):
        left -= measured.seconds[test]
        if left < 0:
            break
        others.add(test)
    yield sorted({test.partition("::")[0] for test in others}), others
    yield own, {test for test in measured.seconds if test.partition("::")[0] in own} - here


def judge(copy: Path, number: int, one: SourceMutant, measured: Measurement) -> Result:
    """Return what the tests make of a mutant."""
    begun, verdict, failed = time.monotonic(), SURVIVED, set[str]()
    for files, tests in steps(copy, one, measured):
        needed = [file for file in files if any(test.startswith(f"{file}::") for test in tests)]
        if needed and verdict == SURVIVED:
            with written(copy, one, number):
                verdict, failed = run_tests(copy, ["-x", "-p", "no:cov", *needed], Only(frozenset(tests)))
    return Result(number, one, verdict, failed, round(time.monotonic() - begun, 1))


def failing_anyway(copy: Path, tests: set[str]) -> set[str]:
    """Return those of the tests that fail on the unchanged code."""
    return run_tests(copy, ["-p", "no:cov", *sorted(tests)])[1] if tests else set()


def explanations() -> dict[tuple[str, str, str], str]:
    """Return the reason why a mutant survives, by its file, the line before and the line after."""
    listed = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))["survivor"]
    return {(one["file"], one["before"], one["after"]): one["reason"] for one in listed}


@click.command()
@click.option("--count", default=200, show_default=True, help="How many mutants to try.")
@click.option("--seed", default=0, show_default=True, help="Random seed of the sample.")
@click.option("--under", multiple=True, default=PACKAGES, help="A folder or file whose code is changed. Repeatable.")
@click.option("--only", multiple=True, type=int, help="The number of a mutant of the sample to try. Repeatable.")
@click.option(
    "--measured",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "build" / "mutants",
    help="The folder that keeps the measurement of the tests; delete it after a change to the tests.",
)
def main(count: int, seed: int, under: tuple[str, ...], only: tuple[int, ...], measured: Path) -> None:
    """Print what becomes of each mutant, those that survive again at the end, and how many were killed."""
    for name in WARM:
        importlib.import_module(name)
    gc.freeze()  # A fork then neither visits nor copies what is imported here.
    measured.mkdir(parents=True, exist_ok=True)
    with repository() as copy:
        measurement = measure(copy, measured.resolve())
        mutants = enumerate(sample(copy, count, seed, under), 1)
        results: list[Result] = []
        for number, one in mutants:
            if not only or number in only:
                results.append(judge(copy, number, one, measurement))
                click.echo(results[-1])
        unreliable = failing_anyway(copy, {test for one in results for test in one.failed})
    report(results, [one for one in results if one.failed and one.failed <= unreliable])


def report(results: Sequence[Result], void: Sequence[Result]) -> None:
    """Print the mutants that survive, why, and how many were killed."""
    reasons = explanations()
    alive = [one for one in results if one.verdict == SURVIVED]
    for one in alive:
        reason = reasons.get((one.mutant.file, one.mutant.before, one.mutant.after))
        click.echo(
            f"explained: {one.number} {one.mutant} ({reason})" if reason else f"survived: {one.number} {one.mutant}"
        )
    for one in void:
        click.echo(f"void, the test fails on the unchanged code too: {one.number} {one.mutant}")
    tried = len(results) - len(void)
    killed = tried - len(alive)
    click.echo(f"{killed} of {tried} mutants killed ({100 * killed / max(1, tried):.0f} %)")


if __name__ == "__main__":
    main()
