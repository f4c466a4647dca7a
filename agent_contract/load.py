"""Loads the contract of an API version from a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from agent_contract.contract import Contract, compile_contract
from agent_contract.document.derived_cache import cache_key, keep_derived, read_derived
from agent_contract.document.document import Document, read_document
from agent_contract.document.errors import ContractError
from agent_contract.document.own_document import find_document, is_own
from agent_contract.document.walker import Walk

#: How often the parts that can't be compiled are left out: what refers to them may then be a fault of its own.
_ROUNDS = 30


def load_contract(
    path: Path | str | None = None,
    api_version: str = "",
    *,
    every_version: bool = False,
    allow_outside: bool = False,
    strict: bool = True,
    overlays: Iterable[Path] = (),
    allow_remote: Iterable[str] = (),
) -> Contract:
    """Return the contract of an OpenAPI 3.0, 3.1 or 3.2 document, YAML or JSON; without a path, of this kit's own.

    It is the contract of an API version, the newest by default. With `every_version` it is the whole document, with the
    parts and clauses that ended with an earlier version. A `$ref` may lead out of the document's folder only with
    `allow_outside`. ContractError holds every reason why a document can't be compiled; UnreadableError, a subclass,
    means that a file can't be read at all.

    Without `strict`, the faulty parts of other people's documents are repaired or left out, which the contract lists in
    `repairs`; Swagger 2.0 is converted. This kit's own document, which names its behaviours, must be without a fault.
    `overlays` change the document before it is read. Remote files are fetched from the hosts in `allow_remote` alone.
    """
    if path is None and not api_version and not every_version:
        return _newest_of_own()
    source = Path(path) if path is not None else find_document()
    document = read_openapi(
        source, allow_outside=allow_outside, strict=strict, overlays=overlays, allow_remote=allow_remote
    )
    return _compiled(document, api_version, every_version, strict)


def read_openapi(
    source: Path,
    *,
    allow_outside: bool = False,
    strict: bool = True,
    overlays: Iterable[Path] = (),
    allow_remote: Iterable[str] = (),
) -> Document:
    """Return the document of a file, as `read_document` does, changed by overlays; Swagger 2.0 becomes OpenAPI 3.0."""
    document = read_document(source, allow_outside=allow_outside, strict=strict, allow_remote=allow_remote)
    for overlay in overlays:
        from agent_contract.document.overlay import apply_overlay

        apply_overlay(document, overlay)
    root = document.files[""]
    if isinstance(root, dict) and "swagger" in root:
        from agent_contract.document.swagger import convert, is_swagger

        return convert(document) if is_swagger(document) else document
    return document


def compile_repaired(document: Document) -> tuple[Contract, Walk]:
    """Return the contract of a document after repairing it in place; ContractError if it is no OpenAPI at all."""
    from agent_contract.document.repair.mender import Mender

    mender = Mender(document)
    mender.mend()
    for _ in range(_ROUNDS):
        try:
            contract, walk = compile_contract(document, lazy=True, repaired=True)
            break
        except ContractError as error:
            if not mender.leave_out(error.problems):
                raise
    else:
        contract, walk = compile_contract(document, lazy=True, repaired=True)
    return replace(contract, repairs=tuple(mender.repairs)), walk


def _newest_of_own() -> Contract:
    source = find_document()
    key = cache_key(source)
    kept = read_derived(source, key)
    if kept is not None:
        return compile_contract(kept)[0]
    contract = _compiled(read_document(source))
    keep_derived(contract.schemas.document, key)
    return contract


def _compiled(document: Document, api_version: str = "", every_version: bool = False, strict: bool = True) -> Contract:
    from agent_contract.version_snapshot import as_of
    from agent_contract.versions.versions import has_ended_parts

    is_foreign = not (strict or is_own(document))
    contract, found = compile_repaired(document) if is_foreign else compile_contract(document)
    if every_version:
        return contract
    newest = contract.versions[-1]
    is_older = bool(api_version) and not api_version == contract.version == newest
    if is_older or has_ended_parts(found):
        repairs = contract.repairs
        contract, _ = compile_contract(
            as_of(contract, found, api_version or newest), lazy=bool(repairs), repaired=bool(repairs)
        )
        contract = replace(contract, repairs=repairs)
    return contract
