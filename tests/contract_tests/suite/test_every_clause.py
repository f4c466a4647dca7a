"""Every clause has its test, and every test its clause."""

from __future__ import annotations

from pathlib import Path

import pytest

import contract_tests
from agent_contract import load_contract
from contract_tests.assertions.schemathesis_checks import CLAUSES
from contract_tests.runner import plugin
from contract_tests.runner.isolated_main import judge

HERE = Path(contract_tests.__file__).parent


class Collected:
    """Keeps what pytest collects, before any clause is left out."""

    def __init__(self) -> None:
        self.clauses: dict[str, set[str]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for clause in plugin.clauses_of(item):
                self.clauses.setdefault(clause, set()).add(item.nodeid)
            assert plugin.clauses_of(item), f"{item.nodeid} judges no clause"


@pytest.fixture(scope="module")
def collected() -> dict[str, set[str]]:
    listener = Collected()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        assert judge(["--collect-only"], listener) == pytest.ExitCode.OK
    return listener.clauses


def test_every_clause_that_can_be_tested_has_a_test(collected: dict[str, set[str]]) -> None:
    assert [c.id for c in load_contract(every_version=True).clauses if not c.untestable and c.id not in collected] == []


def test_every_marker_names_a_clause_that_can_be_tested(collected: dict[str, set[str]]) -> None:
    assert collected.keys() <= {c.id for c in load_contract(every_version=True).clauses if not c.untestable}


def test_every_check_of_generated_requests_names_a_clause() -> None:
    assert {c.id for c in load_contract(every_version=True).clauses} >= CLAUSES


def test_the_judge_names_no_module_of_the_mock() -> None:
    """Nor does it validate with the mock's engine."""
    for module in HERE.glob("*.py"):
        text = module.read_text()
        assert "mockserver" not in text, module.name
        assert "jsonschema_rs" not in text, module.name
