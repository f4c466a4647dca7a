"""Finds this kit's own document: inside the package when installed, else at the root of the checkout."""

from __future__ import annotations

from pathlib import Path

from agent_contract.document.document import Document
from agent_contract.document.errors import Problem, UnreadableError

NAME = "openapi.yaml"


def find_document() -> Path:
    """Return the path of this kit's `openapi.yaml`; UnreadableError when the installation lacks it."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package, package.parent):
        if (folder / NAME).is_file():
            return folder / NAME
    problem = f"is in neither {package} nor {package.parent}"
    raise UnreadableError([Problem(NAME, "#", problem, "install the package again, or name a document")])


#: The field that names the behaviours of this kit's mock which the operations of a document have.
MARKER = "x-behaviours"


def is_own(document: Document) -> bool:
    """Return whether a document is this kit's own, or made from it: it names the behaviours of the mock."""
    root = document.files[""]
    return isinstance(root, dict) and MARKER in root
