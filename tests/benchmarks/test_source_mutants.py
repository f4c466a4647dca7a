"""The sample of `make mutants`."""

from __future__ import annotations

from pathlib import Path

import pytest
from coverage import CoverageData

from benchmarks.source_mutants import (
    KILLED,
    ROOT,
    SURVIVED,
    TIMEOUT,
    Measurement,
    SourceMutant,
    explanations,
    files_under,
    is_prose,
    mirrored_tests,
    sample,
    statement,
    steps,
    verdict_of,
)

UNDER = ("agent_contract/printable.py",)


def test_equal_seeds_give_equal_mutants_of_different_places() -> None:
    first = sample(ROOT, 5, 1, UNDER)
    assert first == sample(ROOT, 5, 1, UNDER) != sample(ROOT, 5, 2, UNDER)
    assert len({one.source for one in first}) == 5


def test_a_mutant_differs_from_the_code_at_its_line() -> None:
    code = (ROOT / UNDER[0]).read_text(encoding="utf-8").splitlines()
    for one in sample(ROOT, 5, 1, UNDER):
        assert code[one.line - 1].strip() == one.before != one.after
        compile(one.source, one.file, "exec")


@pytest.mark.parametrize(
    ("file", "first"),
    [
        ("agent_contract/printable.py", "tests/agent_contract/test_printable.py"),
        ("mockserver/control/pagination.py", "tests/mockserver/control/"),
        ("agent_contract/versions/versions.py", "tests/agent_contract/"),
    ],
)
def test_the_mirrored_tests_of_a_module_are_those_of_its_folder(file: str, first: str) -> None:
    found = mirrored_tests(ROOT, file)
    assert found[0].startswith(first)
    assert {str(Path(one).parent) for one in found} == {str(Path(found[0]).parent)}


def test_prose_is_left_out_and_words_are_not() -> None:
    import libcst

    assert is_prose(libcst.parse_expression('"is not a file"'))
    assert not is_prose(libcst.parse_expression('"name"'))


def test_files_are_found_in_folders_and_by_name() -> None:
    assert list(files_under(ROOT / UNDER[0])) == [ROOT / UNDER[0]]
    assert ROOT / UNDER[0] in files_under(ROOT / "agent_contract")


CODE = """\
def f(a):
    if (
        a
    ):
        return 1
    return 2
"""


@pytest.mark.parametrize(("line", "lines"), [(1, range(1, 7)), (3, range(2, 6)), (5, range(5, 6)), (6, range(6, 7))])
def test_a_statement_is_the_smallest_around_a_line(line: int, lines: range) -> None:
    assert statement(CODE, line) == lines


@pytest.fixture
def measured(tmp_path: Path) -> Measurement:
    """A measurement with two tests of the folder, and two of another one, that run line 42 of `printable`."""
    lines = CoverageData(str(tmp_path / "lines"))
    names = ["tests/agent_contract/test_printable.py::a", "tests/mockserver/test_config.py::quick"]
    slow, other = "tests/mockserver/test_config.py::slow", "tests/agent_contract/test_cost.py::other"
    for name in (*names, slow):
        lines.set_context(f"{name}|run")
        lines.add_lines({f"/copy/{UNDER[0]}": [42]})
    return Measurement({**dict.fromkeys(names, 0.1), slow: 1000.0, other: 0.1}, lines)


def test_a_mutant_meets_its_folder_s_tests_of_its_line_then_quick_ones_then_the_rest_of_its_folder(
    measured: Measurement,
) -> None:
    found = [tests for _, tests in steps(ROOT, SourceMutant(UNDER[0], 42, "", ""), measured)]
    assert found == [
        {"tests/agent_contract/test_printable.py::a"},
        {"tests/mockserver/test_config.py::quick"},
        {"tests/agent_contract/test_cost.py::other"},
    ]


@pytest.mark.parametrize(
    ("code", "output", "verdict"),
    [
        (0, "1 passed", (SURVIVED, set())),
        (5, "no tests ran", (SURVIVED, set())),
        (1, "x\nFAILED tests/a.py::b[c d] - no\n", (KILLED, {"tests/a.py::b[c d]"})),
        (4, "ImportError while loading conftest", (KILLED, set())),
        (-24, "", (TIMEOUT, set())),
        (1, "tests/a.py::a PASSED\ntests/a.py::b \nTimeout (0:02:00)!\nThread", (TIMEOUT, {"tests/a.py::b"})),
    ],
)
def test_a_mutant_is_killed_by_a_failure_an_error_or_a_test_that_hangs(
    code: int, output: str, verdict: tuple[str, set[str]]
) -> None:
    assert verdict_of(code, output) == verdict


def test_the_survivors_that_are_explained_are_mutants_of_the_code() -> None:
    for file, before, after in explanations():
        lines = [line.strip() for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
        assert before in lines
        assert after not in lines
