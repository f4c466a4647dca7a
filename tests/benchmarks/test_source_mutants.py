"""The sample of `make mutants`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.source_mutants import ROOT, files_under, is_prose, mirrored_tests, sample

UNDER = ("agent_contract/printable.py",)


def test_equal_seeds_give_equal_mutants_of_different_places() -> None:
    first = sample(5, 1, UNDER)
    assert first == sample(5, 1, UNDER) != sample(5, 2, UNDER)
    assert len({one.source for one in first}) == 5


def test_a_mutant_differs_from_the_code_at_its_line() -> None:
    code = (ROOT / UNDER[0]).read_text(encoding="utf-8").splitlines()
    for one in sample(5, 1, UNDER):
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
def test_the_mirrored_tests_a_module_are_those_of_its_folder(file: str, first: str) -> None:
    found = mirrored_tests(file)
    assert found[0].startswith(first)
    assert {str(Path(one).parent) for one in found} == {str(Path(found[0]).parent)}


def test_prose_is_left_out_and_words_are_not() -> None:
    import libcst

    assert is_prose(libcst.parse_expression('"is not a file"'))
    assert not is_prose(libcst.parse_expression('"name"'))


def test_files_are_found_in_folders_and_by_name() -> None:
    assert list(files_under(ROOT / UNDER[0])) == [ROOT / UNDER[0]]
    assert ROOT / UNDER[0] in files_under(ROOT / "agent_contract")
