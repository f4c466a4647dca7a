"""The table of options: every command line comes from it, and none of them loses a value."""

from __future__ import annotations

from typing import Any

import pytest

from agent_contract import curl
from contract_tests.options import (
    PYTEST_PREFIX,
    TABLE,
    TOKEN_VARIABLE,
    OptionError,
    Options,
    given,
    objection,
    to_arguments,
    with_token,
)
from contract_tests.runner.plugin import pytest_addoption

#: A value for each option that is not its default.
OTHER: dict[str, Any] = {
    one.field: not one.default
    if isinstance(one.default, bool)
    else ("a.*", "b c")
    if isinstance(one.default, tuple)
    else one.choices[-1]
    if one.choices
    else type(one.default)(7 if isinstance(one.default, int | float) else f"x {one.field}")
    for one in TABLE
}


def parsed(arguments: list[str]) -> dict[str, Any]:
    """Return what pytest's parser reads from arguments, by the fields of `Options`."""
    from _pytest.config.argparsing import Parser

    parser = Parser(_ispytest=True)
    pytest_addoption(parser)
    found = parser.parse(arguments)
    values = {one.field: getattr(found, f"contract_{one.name.replace('-', '_')}") for one in TABLE}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def test_every_value_reaches_the_isolated_process() -> None:
    assert parsed(to_arguments(Options(**OTHER))) == OTHER


def test_defaults_take_no_arguments() -> None:
    assert to_arguments(Options()) == []
    assert parsed([]) == {one.field: one.default for one in TABLE}


def test_the_token_is_not_an_argument() -> None:
    assert not any("a-secret" in argument for argument in to_arguments(Options(**OTHER, token="a-secret")))


def test_a_negative_seed_is_kept() -> None:
    assert to_arguments(Options(seed=-3)) == [f"{PYTEST_PREFIX}seed=-3"]
    assert objection(Options(seed=-3), {}) == ""


@pytest.mark.parametrize("name", ["max_requests", "max_tokens", "rate", "deadline", "warmup", "timeout"])
@pytest.mark.parametrize("value", [-1, float("nan")])
def test_a_number_below_its_least_is_refused(name: str, value: float) -> None:
    values: dict[str, Any] = {name: value}
    assert objection(Options(**values), {}).startswith(f"--{name.replace('_', '-')} must be at least ")


def test_worse_needs_a_baseline() -> None:
    assert objection(Options(fail_on="worse"), {}) == "--fail-on worse needs --baseline"


def test_a_token_has_one_source() -> None:
    values = {one.field: one.default for one in TABLE}
    assert with_token(values, "", {"AGENT_CONTRACT_TOKEN": "a"}).token == "a"
    assert with_token(values, "MINE", {"AGENT_CONTRACT_TOKEN": "a", "MINE": "b"}).token == "b"
    with pytest.raises(OptionError, match="one of --token, --token-file"):
        with_token({**values, "token_file": "f"}, "", {}, "a")
    with pytest.raises(OptionError, match="no variable MINE"):
        with_token(values, "MINE", {})


def test_what_was_given_is_listed_once_for_each_value() -> None:
    found = [(one.name, text) for one, text in given(Options(clauses=("a", "b"), dry_run=True))]
    assert found == [("clause", "a"), ("clause", "b"), ("dry-run", "")]


def test_commands_name_the_variable_that_the_token_is_read_from() -> None:
    assert TOKEN_VARIABLE == curl.TOKEN_VARIABLE
