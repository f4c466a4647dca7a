"""The types of the public names, as two type checkers see them in code that users write.

mypy reads the same file in the environment `typing`, as a part of the repository.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import mockserver
from tests.clients.support.install_node_packages import FOLDER
from tests.clients.support.node import node

HERE = Path(__file__).parent


def test_pyright_finds_no_error_in_code_that_users_write() -> None:
    pyright = FOLDER / "node_modules" / "pyright" / "index.js"
    ran = subprocess.run(
        [node(), str(pyright), "--project", str(HERE), "--pythonpath", sys.executable],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 errors, 0 warnings" in ran.stdout


def test_every_public_name_of_the_mock_is_in_the_code_that_users_write() -> None:
    words = set(re.findall(r"\w+", (HERE / "user_code.py").read_text(encoding="utf-8")))
    assert set(mockserver.__all__) - words == set()


@pytest.mark.parametrize("package", ["agent_contract", "contract_tests", "mockserver"])
def test_a_package_declares_that_it_is_typed(package: str) -> None:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert (Path(spec.origin).parent / "py.typed").is_file()
