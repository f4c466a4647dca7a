"""The page about the architecture names modules, classes and functions that exist."""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import resolve_name

import pytest

from tests.docs.support.blocks import ROOT

PAGE = ROOT / "docs" / "explanation" / "architecture.md"
PACKAGES = ("agent_contract", "mockserver", "contract_tests", "load_generator", "server_defects", "client_check")
NAMES = sorted(set(re.findall(rf"`((?:{'|'.join(PACKAGES)})\.[\w.]+)`", PAGE.read_text(encoding="utf-8"))))


def test_the_page_names_parts_of_each_package() -> None:
    assert {name.partition(".")[0] for name in NAMES} == set(PACKAGES)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_on_the_page_exists(name: str) -> None:
    assert resolve_name(name)


def test_a_name_that_does_not_exist_is_an_error() -> None:
    import_module("mockserver.engine")
    with pytest.raises((AttributeError, ImportError)):
        resolve_name("mockserver.engine.Engine.nothing")
