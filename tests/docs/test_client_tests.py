"""The page on client tests: five ordinary tests take at most 25 lines. The documentation's tests run them."""

from __future__ import annotations

from tests.docs.support.blocks import BLOCKS


def test_the_five_ordinary_tests_take_at_most_25_lines() -> None:
    (text,) = [block.text for block in BLOCKS if block.file_name == "test_assistant.py"]
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert sum(line.startswith("def test_") for line in lines) == 5
    assert len(lines) <= 25
