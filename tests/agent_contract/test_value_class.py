"""Values that every request creates: equal if their fields are, and without other attributes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent_contract.messages import Event, Request


def test_values_with_the_same_fields_are_equal_and_have_the_same_hash() -> None:
    assert Event(b"x") == Event(b"x", "", 0.0) != Event(b"y")
    assert len({Event(b"x"), Event(b"x"), Event(b"y")}) == 2


def test_a_value_is_replaced_by_one_with_other_fields() -> None:
    one = Request("GET", "/")
    assert (replace(one, method="PUT"), one.method) == (Request("PUT", "/"), "GET")


def test_a_value_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        Event(b"x").other = 1  # type: ignore[attr-defined]
