"""A program that does what the public clients of the API do runs against a served mock."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.clients.support.knowledge_program import KnowledgeProgram
from tests.support.serving import serve

STEPS = [
    "knowledge base island LOCAL_FILES",
    "index island 0 documents",
    "document ferries.md DONE",
    "twice 409",
    "search ferries.md",
    "agent AVAILABLE 1",
    "cites ['ferries.md']",
    "delete first 409",
    "deleted 404",
]


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_a_client_fills_a_knowledge_base_asks_it_and_deletes_it(store: str, tmp_path: Path) -> None:
    """The second run finds nothing that the first one has left."""
    options = ("--store", f"sqlite:///{tmp_path / 'state.db'}") if store == "sqlite" else ()
    with serve(*options) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        for _ in range(2):
            assert list(KnowledgeProgram(client).run()) == STEPS
