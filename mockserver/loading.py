"""Builds the engine from what a command line or a test gives: files, tokens, seed and pace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from agent_contract import Contract, load_contract
from agent_contract.values import Exchange
from mockserver.config import Config, load_config
from mockserver.engine import Engine
from mockserver.pace import Pace


@lru_cache(maxsize=1)
def own_contract() -> Contract:
    """Return this project's own contract, read once."""
    return load_contract()


def load_engine(
    spec: Path | str | None = None,
    config: Path | str | None = None,
    *,
    tokens: Iterable[str] = (),
    seed: int = 0,
    pace: Pace | None = None,
    journal: Callable[[Exchange], None] | None = None,
) -> Engine:
    """Return an engine that plays the document at `spec`, by default this project's own.

    `tokens` are added to the configuration's. Raises `ContractError` for a document or a configuration that can't be
    used, with place, problem and remedy.
    """
    contract = load_contract(spec) if spec else own_contract()
    settings = load_config(Path(config)) if config else Config()
    settings = replace(settings, tokens=(*settings.tokens, *tokens))
    return Engine(contract, settings, seed=seed, pace=pace or Pace(), journal=journal)
