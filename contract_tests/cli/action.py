"""The program of the GitHub Action: `verify` with the inputs of `action.yml`, as JSON in an environment variable."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping

from contract_tests.options import TOKEN, VERIFY, Option

#: The variable with the inputs, an object of strings.
VARIABLE = "AGENT_CONTRACT_INPUTS"
#: The options that are inputs. The token gets to `verify` by its variable.
INPUTS: tuple[Option, ...] = tuple(one for one in VERIFY if one is not TOKEN)


def input_name(option: Option) -> str:
    """Return the name of the input for an option: plural if it is repeatable."""
    return option.field.replace("_", "-")


def description(option: Option) -> str:
    """Return the description in `action.yml` of an option's input."""
    lines = isinstance(option.default, tuple)
    text = option.help.replace(" Repeatable.", " One per line.") if lines else option.help
    return f"{text} Default: {option.shown}." if option.shown else text


def arguments(inputs: Mapping[str, str]) -> list[str]:
    """Return the arguments of `verify`: of a repeatable option one for each line, of an empty input none."""
    return [*(argument for one in INPUTS for argument in _arguments(one, inputs)), "--", inputs["base-url"]]


def _arguments(option: Option, inputs: Mapping[str, str]) -> Iterator[str]:
    text = inputs.get(input_name(option), "").strip()
    if isinstance(option.default, bool):
        if text not in ("", "false"):
            yield f"--{option.name}" if text == "true" else f"--{option.name}={text}"  # which `verify` rejects
        return
    for line in text.splitlines() if isinstance(option.default, tuple) else [text]:
        if line.strip():
            yield f"--{option.name}={line.strip()}"


if __name__ == "__main__":
    from agent_contract.cli import main

    given = json.loads(os.environ.pop(VARIABLE))
    sys.exit(main(["verify", *arguments(given)]))
