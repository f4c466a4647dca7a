"""Builds the engine from what a command line or a test gives: files, tokens, seed and pace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from agent_contract import Contract, load_contract
from agent_contract.messages import Exchange
from mockserver.config import Config, load_config
from mockserver.engine import Engine
from mockserver.generation.latency import Pace
from mockserver.stores import open_store


@lru_cache(maxsize=4)
def own_contract(api_version: str = "") -> Contract:
    """Return this project's own contract, as an API version had it if one is given; read once."""
    return load_contract(api_version=api_version)


def load_engine(
    spec: Path | str | None = None,
    config: Path | str | None = None,
    *,
    tokens: Iterable[str] = (),
    seed: int = 0,
    pace: Pace | None = None,
    journal: Callable[[Exchange], None] | None = None,
    store: str = "memory",
    max_sessions: int | None = None,
    api_version: str = "",
    control: bool = True,
    control_tokens: Iterable[str] = (),
    allowed_hosts: Iterable[str] = (),
) -> Engine:
    """Return an engine that plays the document at `spec`, by default this project's own.

    With an `api_version` it plays the document as that version had it, without what came later. `tokens` are added to
    those of the configuration, `max_sessions` replaces its limit, and `store` is an address as `open_store` takes it.
    The mock's own interface requires one of `control_tokens`, if there are any, and answers at the hosts that
    `control.origin` knows and at `allowed_hosts`; without `control` it has only health and readiness. Raises
    `ContractError` for a document, a configuration or a store that can't be used, with place, problem and remedy.
    """
    contract = load_contract(spec, api_version) if spec else own_contract(api_version)
    settings = load_config(Path(config)) if config else Config()
    settings = replace(settings, tokens=(*settings.tokens, *tokens), control=control)
    settings = replace(settings, control_tokens=tuple(control_tokens), allowed_hosts=tuple(allowed_hosts))
    if max_sessions is not None:
        settings = replace(settings, limits=replace(settings.limits, sessions=max_sessions))
    opened = open_store(store, items=settings.limits.sessions, size=settings.limits.store)
    return Engine(contract, settings, seed=seed, pace=pace or Pace(), journal=journal, store=opened)
