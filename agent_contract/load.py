"""Loads the contract of an API version from a file."""

from __future__ import annotations

from pathlib import Path

from agent_contract.contract import Contract, compile_contract
from agent_contract.document.derived_cache import cache_key, keep_derived, read_derived
from agent_contract.document.document import read_document
from agent_contract.document.own_document import find_document


def load_contract(
    path: Path | str | None = None, api_version: str = "", *, every_version: bool = False, allow_outside: bool = False
) -> Contract:
    """Return the contract of an OpenAPI 3.0, 3.1 or 3.2 document, YAML or JSON; without a path, of this kit's own.

    It is the contract of an API version, the newest by default. With `every_version` it is the whole document, with the
    parts and clauses that ended with an earlier version. A `$ref` may lead out of the document's folder only with
    `allow_outside`. ContractError holds every reason why a document can't be compiled; UnreadableError, a subclass,
    means that a file can't be read at all.
    """
    if path is None and not api_version and not every_version:
        return _newest_of_own()
    source = Path(path) if path is not None else find_document()
    return _compiled(source, api_version, every_version, allow_outside)


def _newest_of_own() -> Contract:
    source = find_document()
    key = cache_key(source)
    kept = read_derived(source, key)
    if kept is not None:
        return compile_contract(kept)[0]
    contract = _compiled(source)
    keep_derived(contract.schemas.document, key)
    return contract


def _compiled(
    source: Path, api_version: str = "", every_version: bool = False, allow_outside: bool = False
) -> Contract:
    from agent_contract.version_snapshot import as_of
    from agent_contract.versions.versions import has_ended_parts

    contract, found = compile_contract(read_document(source, allow_outside=allow_outside))
    if every_version:
        return contract
    newest = contract.versions[-1]
    is_older = bool(api_version) and not api_version == contract.version == newest
    if is_older or has_ended_parts(found):
        contract, _ = compile_contract(as_of(contract, found, api_version or newest))
    return contract
