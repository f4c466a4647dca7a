"""One value that holds a document and the files that it refers to."""

from __future__ import annotations

from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError
from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON

#: The key of the bundle under which its files are, by name.
FILES = "x-files"


def bundle(document: Document) -> JSON:
    """Return the document as one value: its other files are in `x-files`, and every `$ref` leads to a place in it."""
    root = document.files[""]
    if len(document.files) == 1 or not isinstance(root, dict):
        return root
    others = {file: _bundled(document, value, file) for file, value in document.files.items() if file}
    return {**{key: _bundled(document, value, "") for key, value in root.items()}, FILES: others}


def _bundled(document: Document, value: JSON, file: str) -> JSON:
    if isinstance(value, list):
        return [_bundled(document, item, file) for item in value]
    if not isinstance(value, dict):
        return value
    bundled = {key: _bundled(document, item, file) for key, item in value.items()}
    reference = value.get("$ref")
    if isinstance(reference, str):
        try:
            target = document.target(reference, file)
        except ContractError:  # it is data, as in an example
            return bundled
        prefix = (FILES, target.file) if target.file else ()
        bundled["$ref"] = str(Place("", (*prefix, *target.tokens)))
    return bundled
