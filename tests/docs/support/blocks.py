"""The code blocks and links of the documentation, in the order in which a reader meets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[3]
DOCUMENTS = tuple(
    path
    for pattern in ("*.md", "docs/**/*.md", "fixtures/*.md", "contract_tests/*.md", "mockserver/*.md", "clients/*/*.md")
    for path in sorted(ROOT.glob(pattern))
)
#: A first line such as `# agents.yaml` or `// chat.mjs` names the file that a block is.
FILE_NAME = re.compile(r"(?:#|//) (\S+\.(?:yaml|yml|toml|py|mjs|cjs|ts|json))\n")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its document, the line of its fence, its language, and its text."""

    document: Path
    line: int
    language: str
    text: str

    @property
    def address(self) -> str:
        """`README.md:12`, as an editor opens it."""
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @property
    def file_name(self) -> str:
        """The name of the file that the block is, or nothing."""
        found = FILE_NAME.match(self.text)
        return found[1] if found else ""


def blocks_of(document: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a document."""
    for token in MarkdownIt().parse(document.read_text(encoding="utf-8")):
        if token.type == "fence":
            assert token.map is not None
            yield Block(document, token.map[0] + 1, token.info.split(" ")[0], token.content)


def links_of(document: Path) -> Iterator[str]:
    """Yield the targets of a document's links and pictures."""
    for token in MarkdownIt().parse(document.read_text(encoding="utf-8")):
        for child in token.children or ():
            if target := child.attrs.get("href") or child.attrs.get("src"):
                yield str(target)


def anchors_of(document: Path) -> frozenset[str]:
    """Return the anchors of a document's headings, as GitHub and the site make them."""
    tokens = MarkdownIt().parse(document.read_text(encoding="utf-8"))
    headings = (after.content for token, after in pairwise(tokens) if token.type == "heading_open")
    return frozenset(re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings)


def is_in_the_readers_repository(document: Path) -> bool:
    """Return whether a page's commands run in a repository of its reader, and not in a checkout of this one."""
    return document.parent.name == "how-to" or document.name == "tutorial.md"


BLOCKS = tuple(block for document in DOCUMENTS for block in blocks_of(document))
