"""Engines with rules and faults."""

from __future__ import annotations

from typing import Any

from agent_contract.document.checked_file import Source
from mockserver.build import create_engine
from mockserver.core.scripts import Scripts
from mockserver.engine import Engine
from tests.mockserver.support.chat_client import CONTRACT, ChatClient, Clock

TEST = Source("test")


def with_rules(*rules: Any, strict: bool = False, scope: str = "") -> ChatClient:
    """Return a client of an engine with these rules."""
    chat = ChatClient()
    chat.engine.scripts.add(scope, {"rules": list(rules), "strict": strict}, TEST)
    return chat


def with_faults(*faults: Any, seed: int = 0) -> tuple[ChatClient, Clock]:
    """Return a client of an engine with these faults, and the engine's clock."""
    clock = Clock()
    engine: Engine = create_engine(CONTRACT, seed=seed, clock=clock)
    engine.scripts.add("", {"faults": list(faults)}, TEST)
    return ChatClient(engine), clock


def scripts() -> Scripts:
    return ChatClient().engine.scripts
