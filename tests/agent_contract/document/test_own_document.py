"""Finding the document of this kit."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_contract import UnreadableError, find_document
from agent_contract.document import own_document


def test_in_a_checkout_the_document_is_the_one_at_its_root() -> None:
    assert find_document() == Path(own_document.__file__).parents[2] / "openapi.yaml"


def test_in_an_installed_package_the_document_is_the_one_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "agent_contract"
    package.mkdir()
    for folder in (tmp_path, package):
        (folder / "openapi.yaml").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(own_document, "__file__", str(package / "document" / "own_document.py"))
    assert find_document() == package / "openapi.yaml"


def test_an_installation_without_the_document_lists_the_searched_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_document, "__file__", str(tmp_path / "agent_contract" / "document" / "own_document.py"))
    with pytest.raises(UnreadableError, match="is in neither"):
        find_document()
