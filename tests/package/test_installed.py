"""The package in an empty environment, run as a user runs it, outside the checkout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.support.environments import ROOT, VERSION, Environment
from tests.support.serving import Served, serve

FIND = """
import agent_contract
contract = agent_contract.load_contract()
print(agent_contract.find_document().resolve(), contract.digest, sep="\\n")
"""


@pytest.fixture(scope="module")
def served(installed: Environment) -> Iterator[Served]:
    program = str(installed.programs / "agent-contract")
    with serve(command=[program], environment=installed.variables(), cwd=installed.outside) as running:
        yield running


def found_by(environment: Environment) -> tuple[Path, str]:
    place, digest = environment.run("python", "-c", FIND).splitlines()
    return Path(place), digest


def distributions_of(environment: Environment) -> set[str]:
    code = "import importlib.metadata as m; print(*{d.name.lower() for d in m.distributions()})"
    return set(environment.run("python", "-c", code).split())


def test_the_document_is_found_in_the_wheel(installed: Environment) -> None:
    place, _ = found_by(installed)
    assert place.is_relative_to(installed.folder.resolve())


def test_the_document_is_found_in_the_wheel_from_the_sdist(
    installed: Environment, installed_from_sdist: Environment
) -> None:
    place, digest = found_by(installed_from_sdist)
    assert place.is_relative_to(installed_from_sdist.folder.resolve())
    assert digest == found_by(installed)[1]


def test_an_editable_install_finds_the_document_of_the_checkout(
    installed: Environment, installed_editable: Environment
) -> None:
    place, digest = found_by(installed_editable)
    assert place == ROOT / "openapi.yaml"
    assert digest == found_by(installed)[1]


def test_the_version_is_the_projects(installed: Environment) -> None:
    assert VERSION in installed.run("agent-contract", "--version")


def test_help_names_every_command(installed: Environment) -> None:
    text = installed.run("agent-contract", "--help")
    assert [name for name in ("check", "fixtures", "serve", "verify", "wait") if name not in text] == []


def test_check_finds_no_fault_in_the_document(installed: Environment) -> None:
    installed.run("agent-contract", "check")


def test_wait_returns_once_the_server_answers(installed: Environment, served: Served) -> None:
    installed.run("agent-contract", "wait", served.url)


def test_wait_gives_up_on_a_server_that_is_not_there(installed: Environment) -> None:
    text = installed.run("agent-contract", "wait", "http://127.0.0.1:9", "--timeout", "0.2", status=None)
    assert "Traceback" not in text
    assert "http://127.0.0.1:9" in text


def test_verify_holds_the_mock_to_the_contract(installed_verify: Environment, served: Served) -> None:
    installed_verify.run("agent-contract", "verify", served.url, "--agent-id", "demo")


def test_the_contract_tests_run_under_pytest(installed_verify: Environment, served: Served) -> None:
    options = ["--contract-url", served.url, "--contract-agent-id", "demo"]
    text = installed_verify.run("pytest", "--pyargs", "contract_tests", "-q", *options)
    assert " passed" in text


def test_verify_without_its_extra_names_what_to_install(installed: Environment) -> None:
    text = installed.run("agent-contract", "verify", "http://127.0.0.1:9", status=1)
    assert text == (
        "Error: agent-contract verify needs pytest, which is not installed: pip install 'agent-contract-kit[verify]'\n"
    )


def test_load_without_its_extra_names_what_to_install(installed: Environment) -> None:
    text = installed.run("agent-contract", "load", "http://127.0.0.1:9", status=1)
    assert text == (
        "Error: agent-contract load needs locust, which is not installed: pip install 'agent-contract-kit[load]'\n"
    )


def test_a_journal_is_checked_without_an_extra(installed: Environment, tmp_path: Path) -> None:
    journal = tmp_path / "journal.json"
    journal.write_text('{"requests": []}', encoding="utf-8")
    assert installed.run("agent-contract", "coverage", str(journal)) == "contract coverage: no request\n"
    assert installed.run("agent-contract", "lint-session", str(journal)) == "no misuse of sessions\n"


def test_diff_of_contracts_needs_no_extra(installed: Environment) -> None:
    assert installed.run("agent-contract", "diff", "9.0", "9.1", status=1).startswith("Agent API 9.0 → Agent API 9.1: ")


def test_diff_of_reports_without_its_extra_names_what_to_install(installed: Environment, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text('{"format": "agent-contract-report", "version": 2}', encoding="utf-8")
    text = installed.run("agent-contract", "diff", str(report), str(report), status=2)
    assert text.startswith("Error: agent-contract diff of two reports needs ")
    assert text.endswith(", which is not installed: pip install 'agent-contract-kit[verify]'\n")


def test_the_command_has_the_name_of_the_distribution_too(installed: Environment) -> None:
    assert installed.run("agent-contract-kit", "--version") == installed.run("agent-contract", "--version")


def test_the_plain_install_has_no_library_of_the_judge(installed: Environment) -> None:
    names = distributions_of(installed)
    assert names & {"hypothesis", "openapi-core", "pytest", "schemathesis", "jinja2", "rich"} == set()
    assert len(names) < 20


def test_the_plain_install_adds_no_other_plugin_to_pytest(installed: Environment) -> None:
    """Faker and anyio have plugins that pytest imports at each start, which takes longer than pytest itself."""
    assert distributions_of(installed) & {"faker", "anyio", "httpx"} == set()


def test_fixtures_are_those_of_the_checkout(installed: Environment, tmp_path: Path) -> None:
    committed = json.loads((ROOT / "fixtures" / "manifest.json").read_bytes())
    options = ["--seed", str(committed["seed"]), "--count", str(committed["count"])]
    installed.run("agent-contract", "fixtures", str(tmp_path), *options)
    installed.run("agent-contract", "fixtures", str(tmp_path), "--check")

    written = json.loads((tmp_path / "manifest.json").read_bytes())
    files = {**committed["files"], **written["files"]}
    assert [name for name in files if committed["files"].get(name) != written["files"].get(name)] == []
    assert written == committed


def test_proxy_without_its_extra_names_what_to_install(installed: Environment) -> None:
    text = installed.run("agent-contract", "proxy", "http://127.0.0.1:9", status=1)
    assert text == (
        "Error: agent-contract proxy needs httpx, which is not installed: pip install 'agent-contract-kit[proxy]'\n"
    )
