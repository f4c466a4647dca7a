"""The fixture `agent_mock` in the pytest of a user: isolation, reports, options, and no cost when unused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mockserver.testing.support.runs import run_pytest

HEAD = """
import httpx

def ask(mock, text="Hello!", **more):
    path = "/api/v1/compatibility/openai/v1/assistants/demo/chat/completions"
    body = {"messages": [{"role": "user", "content": text}], **more}
    return httpx.post(mock.url + path, json=body, headers={"Authorization": "Bearer secret-of-the-test"})
"""
REFUSED = HEAD + "\ndef test_it(agent_mock):\n    assert ask(agent_mock, temperature=3).status_code == 422\n"


def test_each_test_has_its_own_rules_faults_sessions_and_requests(tmp_path: Path) -> None:
    test = (
        HEAD
        + """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_rules(agent_mock, number):
    assert agent_mock.requests == []
    if number < 2:
        agent_mock.reply(f"The answer {number}.")
        agent_mock.fail(502, times=1)
    statuses = [ask(agent_mock).status_code for _ in range(2)]
    assert statuses == ([502, 200] if number < 2 else [200, 200])
    assert (f"The answer {number}." in ask(agent_mock).text) is (number < 2)
    assert len(agent_mock.requests) == 3
"""
    )
    run = run_pytest(tmp_path, test)
    assert run.status == 0, run.output


def test_it_works_with_xdist(tmp_path: Path) -> None:
    test = (
        HEAD
        + """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_it(agent_mock, number):
    agent_mock.reply(str(number))
    assert f'"{number}"' in ask(agent_mock).text
"""
    )
    run = run_pytest(tmp_path, test, "-p", "xdist", "-n", "2")
    assert run.status == 0, run.output
    assert "6 passed" in run.output


def test_a_request_that_breaks_the_contract_fails_its_test_and_the_report_explains_it(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, REFUSED)
    assert run.status == pytest.ExitCode.TESTS_FAILED, run.output
    assert "1 failed" in run.output
    for line in (
        "broke the contract: chat.temperature-above-maximum",
        "- agent mock -",
        '1. POST /api/v1/compatibility/openai/v1/assistants/demo/chat/completions 422 refused: "Hello!"',
        "clause: chat.temperature-above-maximum: A `temperature` above 2 is refused with 422.",
        "reason: body/temperature: Input should be less than or equal to 2",
        "value: 3",
        "remedy: send at most 2",
    ):
        assert line in run.output
    assert "secret-of-the-test" not in run.output.partition("- agent mock -")[2]


def test_a_test_that_fails_by_itself_gets_the_section_too(tmp_path: Path) -> None:
    test = HEAD + "\ndef test_it(agent_mock):\n    agent_mock.reply('Ho', name='hey')\n    assert not ask(agent_mock)\n"
    run = run_pytest(tmp_path, test)
    assert 'completions 200 answered by the rule hey: "Hello!"' in run.output


@pytest.mark.parametrize(
    ("options", "ini", "outcome"),
    [
        (["--agent-mock-rejections=warn"], "", "1 passed, 1 warning"),
        ([], "agent_mock_rejections = warn", "1 passed, 1 warning"),
        (["--agent-mock-rejections=off"], "agent_mock_rejections = strict", "1 passed in"),
    ],
)
def test_the_mode_of_rejections_is_an_option(tmp_path: Path, options: list[str], ini: str, outcome: str) -> None:
    run = run_pytest(tmp_path, REFUSED, *options, ini=ini)
    assert outcome in run.output, run.output


@pytest.mark.parametrize("name", ["rejections", "error_format"])
def test_a_value_that_does_not_exist_is_an_error_that_lists_the_others(tmp_path: Path, name: str) -> None:
    run = run_pytest(tmp_path, "def test_it(agent_mock):\n    pass\n", ini=f"agent_mock_{name} = maybe")
    assert f"pytest.ini: agent_mock_{name} is 'maybe'. Allowed: " in run.output
    assert "1 error" in run.output


def test_options_can_be_in_pyproject_toml(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nagent_mock_rejections = "off"\n')
    run = run_pytest(tmp_path, REFUSED, "-c", "pyproject.toml")
    assert run.status == 0, run.output


def test_an_expected_rejection_passes_and_a_missing_one_fails(tmp_path: Path) -> None:
    test = (
        HEAD
        + """
def test_expected(agent_mock):
    agent_mock.expect_rejection("chat.temperature-above-maximum")
    assert ask(agent_mock, temperature=3).status_code == 422

def test_missing(agent_mock):
    agent_mock.expect_rejection("chat.temperature-above-maximum")
    ask(agent_mock)
"""
    )
    run = run_pytest(tmp_path, test)
    assert "1 failed, 1 passed" in run.output, run.output
    assert "No request was refused because of chat.temperature-above-maximum, which the test expects." in run.output


def test_the_configuration_is_a_fixture_of_values_or_a_file(tmp_path: Path) -> None:
    test = (
        HEAD
        + """
def test_it(agent_mock):
    assert httpx.get(agent_mock.url + "/api/v1/compatibility/openai/v1/agents").json()["data"][0]["name"] == "librarian"
"""
    )
    (tmp_path / "mock.yaml").write_text("agents: [{name: librarian}]\n", encoding="utf-8")
    run = run_pytest(tmp_path, test, ini="agent_mock_config = mock.yaml")
    assert run.status == 0, run.output
    values = "import pytest\n@pytest.fixture(scope='session')\ndef agent_mock_config():\n    return {}\n"
    run = run_pytest(tmp_path, test, conftest=values.replace("{}", "{'agents': [{'name': 'librarian'}]}"))
    assert run.status == 0, run.output
    run = run_pytest(tmp_path, test, conftest=values.replace("{}", "{'agents': [{'nam': 'librarian'}]}"))
    assert 'agent_mock_config: agents.0.nam: "nam" is not a known key; did you mean "name"?' in run.output


def test_a_wrong_rule_shows_the_line_of_the_test_alone(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, "def test_it(agent_mock):\n    agent_mock.reply('x', user_contain='y')\n")
    assert 'did you mean "user_contains"' in run.output
    assert "> " in run.output
    assert "agent_mock.py" not in run.output


def test_the_error_format_is_an_option(tmp_path: Path) -> None:
    test = (
        HEAD
        + """
def test_it(agent_mock):
    agent_mock.expect_rejection()
    error = ask(agent_mock, temperature=3).json()["error"]
    assert error["code"] == "chat.temperature-above-maximum"
    assert error["message"] == "body.temperature: Input should be less than or equal to 2"
    try:
        agent_mock.client().chat.completions.create(model="", messages=[], temperature=3)
    except Exception as error:
        assert "body.temperature: Input should be less than or equal to 2" in str(error)
"""
    )
    run = run_pytest(tmp_path, test, "--agent-mock-error-format=openai")
    assert run.status == 0, run.output


def test_it_costs_other_runs_no_import(tmp_path: Path) -> None:
    heavy = {"mockserver", "httpx", "werkzeug", "orjson", "yaml", "agent_contract.document"}
    run = run_pytest(tmp_path, f"import sys\ndef test_it():\n    assert not {heavy} & set(sys.modules)\n")
    assert run.status == 0, run.output


@pytest.mark.parametrize(("options", "passed"), [((), True), (("--agent-mock-strict-rules", "on"), False)])
def test_a_rule_that_was_never_used_fails_its_test_if_that_is_set(
    tmp_path: Path, options: tuple[str, ...], passed: bool
) -> None:
    test = (
        HEAD
        + """
def test_it(agent_mock):
    agent_mock.reply("used")
    agent_mock.reply("other", name="forgotten", user="Bye!")
    ask(agent_mock)
"""
    )
    run = run_pytest(tmp_path, test, *options)
    assert (run.status == 0) is passed, run.output
    assert ("The rule forgotten was never used." in run.output) is not passed
