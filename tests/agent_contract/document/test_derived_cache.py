"""The newest version of this kit's own document is derived once, and kept next to Python's bytecode."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent_contract import Contract, find_document, load_contract
from agent_contract.document.derived_cache import cache_key, keep_derived, read_derived
from agent_contract.document.document import Document


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which Python, and so the kit, keeps what it derives."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path


def kept(folder: Path) -> list[Path]:
    return list(folder.rglob("openapi.*.json"))


def essence(contract: Contract) -> tuple[object, ...]:
    names = [(step.operation.id, step.example) for step in contract.examples]
    return contract.digest, contract.versions, list(contract.operations), names, contract.clauses, contract.document


def test_a_kept_document_gives_the_contract_that_was_derived(folder: Path) -> None:
    derived = load_contract()
    assert len(kept(folder)) == 1
    assert read_derived(find_document(), cache_key(find_document())) is not None
    assert essence(load_contract()) == essence(derived)
    assert list(load_contract().document) == list(derived.document)


def test_a_document_that_was_kept_for_another_text_is_not_used(folder: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text(find_document().read_text(encoding="utf-8") + "# a comment\n", encoding="utf-8")
    load_contract()
    assert cache_key(changed) != cache_key(find_document())
    assert read_derived(changed, cache_key(changed)) is None


@pytest.mark.parametrize("damage", [b"", b"\n", b"{", b"\xff"])
def test_a_damaged_file_is_derived_again(folder: Path, damage: bytes) -> None:
    derived = load_contract()
    (file,) = kept(folder)
    file.write_bytes(file.read_bytes()[:64] + b"\n" + damage)
    assert essence(load_contract()) == essence(derived)
    assert len(file.read_bytes()) > 10_000


def test_nothing_is_kept_if_python_may_not_write_bytecode(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    load_contract()
    assert not kept(folder)


def test_a_place_that_can_not_be_written_is_ignored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "file"
    file.write_bytes(b"")
    monkeypatch.setattr(sys, "pycache_prefix", str(file))
    assert load_contract().operations
    assert not kept(folder)


def test_a_document_with_other_files_is_not_kept(folder: Path) -> None:
    keep_derived(Document(Path("a.yaml"), {"": {}, "b.yaml": {}}), b"key")
    assert not kept(folder)
