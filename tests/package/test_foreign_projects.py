"""The kit in other projects: their pytest starts, whatever their packages are called and however old it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.package.support.environments import Environment, empty_environment, install

TEST = "def test_one_and_one() -> None:\n    assert 1 + 1 == 2\n"


@pytest.fixture(scope="module")
def older(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel, an older pytest and an older click."""
    environment = empty_environment(tmp_path_factory.mktemp("older"))
    install(environment, str(wheel), "pytest<9", "click<8.2", constrained=False)
    return environment


@pytest.mark.parametrize(
    "package", ["client_check", "contract_tests", "load_generator", "mockserver", "server_defects"]
)
def test_pytest_starts_in_a_project_with_a_package_of_the_same_name(
    installed_verify: Environment, package: str, tmp_path: Path
) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / package / "test_sum.py").write_text(TEST, encoding="utf-8")
    text = installed_verify.run("python", "-m", "pytest", cwd=tmp_path)
    assert "1 passed" in text


def test_verify_in_a_project_with_a_package_of_the_same_name_names_that_package(
    installed_verify: Environment, tmp_path: Path
) -> None:
    (tmp_path / "contract_tests").mkdir()
    (tmp_path / "contract_tests" / "__init__.py").write_text("", encoding="utf-8")
    text = installed_verify.run("python", "-m", "pytest", "--contract-url=http://127.0.0.1:9", cwd=tmp_path, status=4)
    assert "Python finds another package named 'contract_tests' at" in text
    assert "Traceback" not in text


def test_a_command_reports_that_another_package_hides_one_of_the_kit(installed: Environment, tmp_path: Path) -> None:
    (tmp_path / "mockserver").mkdir()
    (tmp_path / "mockserver" / "__init__.py").write_text("", encoding="utf-8")
    text = installed.run("python", "-m", "agent_contract", "serve", cwd=tmp_path, status=1)
    assert "Python finds another package named 'mockserver' at" in text
    assert "Traceback" not in text


def test_an_older_pytest_and_an_older_click_work(older: Environment, tmp_path: Path) -> None:
    (tmp_path / "test_sum.py").write_text(TEST, encoding="utf-8")
    assert "1 passed" in older.run("python", "-m", "pytest", cwd=tmp_path)
    older.run("agent-contract", "check")
    assert "--port" in older.run("agent-contract", "serve", "--help")
