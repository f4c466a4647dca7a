"""What reading and checking cost: imports, and work that is done once."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("openapi_core", "schemathesis", "hypothesis", "pytest", "faker", "granian", "httpx", "fastapi", "rich")


def imported(code: str) -> set[str]:
    """Return which of the heavy libraries a program has imported when it ends."""
    tail = f"; import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, check=True, text=True)
    return set(run.stdout.split())


def test_reading_the_contract_imports_no_test_library_and_no_server() -> None:
    assert imported("import agent_contract; agent_contract.load_contract()") == set()


def test_the_command_line_imports_nothing_heavy_to_list_its_commands() -> None:
    code = "from click.testing import CliRunner; from agent_contract.cli import main; "
    code += "CliRunner().invoke(main, ['--help'])"
    assert imported(code) == set()


def test_a_sampled_value_needs_no_faker() -> None:
    code = "import agent_contract as a; c = a.load_contract(); a.sample(c, '#/components/schemas/ContentPart')"
    assert imported(code) == set()
