"""Text of a server can't steer a terminal, hide a part of itself, or break an encoding."""

from __future__ import annotations

import pytest

from agent_contract.printable import printable, printable_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31m\x00b\tc\nd\x9b", "a\\x1b[31m\\x00b\tc\nd\\x9b"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("half \ud83d pair", "half \\ud83d pair"),
        ("line\r\u2028line\x85", "line\\x0d\\u2028line\\x85"),
        ("\U000e0041tag\ufffe\uffff", "\\U000e0041tag\\ufffe\\uffff"),
        ("Ä 漢字 👩‍💻 „…“", "Ä 漢字 👩‍💻 „…“"),
    ],
)
def test_unprintable_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_line_has_no_line_ends() -> None:
    assert printable_line("a\r\n b\x1b\tc") == "a b\\x1b c"
