"""Builds engines: wires the contract, the configuration, the store and the operations."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path

from agent_contract import Contract, load_contract
from agent_contract.document.checked_file import Source
from agent_contract.messages import Exchange
from agent_contract.redaction import redaction_of
from mockserver.config import Config, load_config
from mockserver.control.pages import pages_of
from mockserver.core.context import Behaviour, Settings
from mockserver.core.ids import IdSource
from mockserver.core.play_options import PlayOptions
from mockserver.core.scopes import Scopes
from mockserver.core.scripts import Scripts
from mockserver.documented.answers import DocumentedAnswers
from mockserver.documented.repaired_parts import RepairedParts
from mockserver.documented.rules import DocumentRules
from mockserver.documented.scripted import with_rules
from mockserver.documented.state import state_behaviours
from mockserver.engine import Engine
from mockserver.faults.catalogue import AnsweredBy
from mockserver.gateway.gateway import Gateway
from mockserver.generation.latency import Pace
from mockserver.generation.retrieval import KnowledgeIndex, search_indexes
from mockserver.operations.configured_knowledge import configured_resources
from mockserver.operations.table import CHAT_OPERATION, PUBLISHED_CREATE_FORM, behaviours_of, is_own_document
from mockserver.recording.journal import Journal, Subject, subject_of
from mockserver.recording.metrics import Metrics
from mockserver.recording.replay import Replay
from mockserver.recording.request_key import read_ignored
from mockserver.resources.agents import Agent, find_configured, id_of, unique
from mockserver.resources.models import EMBEDDINGS, with_agent_models
from mockserver.scenarios.contract_check import contract_check
from mockserver.scenarios.read import Scenario, read_scenario, read_scenario_file
from mockserver.stores import MemoryStore, Store, open_store


def own_contract(api_version: str = "") -> Contract:
    """Return the contract of this project's document, or of one API version; cached."""
    return _own_contract(api_version)  # so that the default is cached under one key, however it is given


@lru_cache(maxsize=4)
def _own_contract(api_version: str) -> Contract:
    return load_contract(api_version=api_version)


def load_engine(
    spec: Path | str | None = None,
    config: Config | Path | str | None = None,
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
    allow_outside: bool = False,
    strict: bool = False,
    scenario: Path | str | None = None,
    faults: Iterable[str] = (),
    error_format: str | None = None,
    play: PlayOptions | None = None,
    overlays: Iterable[Path] = (),
    allow_remote: Iterable[str] = (),
    metrics: Metrics | None = None,
) -> Engine:
    """Return an engine that serves the document at `spec`, by default this project's own.

    `api_version` leaves out what later versions of the API added. `tokens` are added to those of the configuration,
    `max_sessions` replaces its limit, and `store` is an address that `open_store` accepts. The control interface
    requires one of `control_tokens`, if any are given, and answers at `allowed_hosts` and at the hosts that
    `control.origin` lists; without `control` it has only health and readiness. With `allow_outside`, a `$ref` may leave
    the folder of `spec`. Faulty parts of another document than this project's are repaired or left out, unless `strict`
    is set. `journal` is called with every exchange. `scenario` is a file of rules and faults, instead of that of the
    configuration; `faults` are added to it. `error_format` is `fastapi` or `openai`. `play` is how a document without
    behaviours is played; `overlays` change the document, and its remote files are fetched from the hosts in
    `allow_remote` alone. The control interface shows `metrics`.
    Raises `ContractError`, with place, problem and remedy, if the document, the configuration or the store can't be
    used.
    """
    contract = (
        load_contract(
            spec,
            api_version,
            allow_outside=allow_outside,
            strict=strict,
            overlays=overlays,
            allow_remote=allow_remote,
        )
        if spec
        else own_contract(api_version)
    )
    settings = config if isinstance(config, Config) else load_config(Path(config)) if config else Config()
    settings = replace(settings, tokens=(*settings.tokens, *tokens), control=control)
    settings = replace(settings, control_tokens=tuple(control_tokens), allowed_hosts=tuple(allowed_hosts))
    if max_sessions is not None:
        settings = replace(settings, limits=replace(settings.limits, sessions=max_sessions))
    settings = replace(settings, scenario=scenario_of(contract, settings, scenario, tuple(faults)))
    if error_format is not None:
        settings = replace(settings, error_format=error_format)
    if play is not None:
        settings = replace(settings, play=play)
    opened = open_store(store, items=settings.limits.sessions, size=settings.limits.store)
    return create_engine(contract, settings, seed=seed, pace=pace, listener=journal, store=opened, metrics=metrics)


def scenario_of(contract: Contract, config: Config, file: Path | str | None, faults: Iterable[str]) -> Scenario:
    """Return the scenario of the file, by default that of the configuration, with the faults that are added.

    Raises `ContractError`.
    """
    check = contract_check(contract, CHAT_OPERATION)
    path = file or config.scenario_file
    found = read_scenario_file(Path(path), check) if path else config.scenario
    added = read_scenario({"faults": list(faults)}, Source("--fault"), check)
    return replace(found, faults=(*found.faults, *added.faults))


def create_engine(
    contract: Contract,
    config: Config | None = None,
    *,
    seed: int = 0,
    pace: Pace | None = None,
    clock: Callable[[], float] = time.time,
    store: Store | None = None,
    listener: Callable[[Exchange], None] | None = None,
    behaviours: Mapping[str, Behaviour] | None = None,
    metrics: Metrics | None = None,
    answered_by: Collection[AnsweredBy] = (AnsweredBy.MOCK,),
) -> Engine:
    """Return an engine that serves `contract` with these parts; the default store is in memory.

    `behaviours` replaces the default ones by operationId; operations without a behaviour answer with their examples.
    `answered_by` is what answers requests. Raises `ContractError` if a rule or a fault does not work in it.
    """
    config = config or Config()
    settings = _settings(config, seed, pace or Pace())
    limits = config.limits
    store = store or MemoryStore(limits.sessions, limits.store, clock)
    scopes = Scopes(store, limits.scopes, clock)
    scripts = _scripts(contract, config, store, scopes, clock, seed, answered_by)
    own = behaviours_of(contract) if behaviours is None else behaviours
    answers = DocumentedAnswers(contract, seed, strict=config.play.strict_examples)
    has_own = is_own_document(contract)
    stateful = {} if has_own or config.play.stateless else state_behaviours(contract, answers)
    documented = {**dict.fromkeys(contract.operations, answers.behaviour), **stateful}
    behaviours = {**{name: with_rules(behaviour) for name, behaviour in documented.items()}, **own}
    api = Gateway(
        contract,
        behaviours,
        config.tokens,
        max_body=limits.body,
        max_form=limits.form,
        answers_head=not has_own,
        tenants=config.tenants,
        rules=None if has_own else DocumentRules(contract, answers, config.play, RepairedParts(contract)),
        error_codes=config.error_codes,
        error_format=config.error_format,
        required=PUBLISHED_CREATE_FORM if config.published_create_form else {},
    )
    agents = unique(config.agents) if CHAT_OPERATION in own else ()
    return Engine(
        api=api,
        control=cache(partial(_control_gateway, contract, config, scripts, metrics)),
        pages=pages_of(api, config, agents),
        config=config,
        settings=settings,
        store=store,
        ids=IdSource(seed, clock, store),
        scopes=scopes,
        scripts=scripts,
        journal=Journal(store, limits.journal, redaction_of(config.secrets)),
        clock=clock,
        subject=partial(_subject, config.agents),
        listener=listener,
        metrics=metrics,
    )


def with_replay(
    engine: Engine, path: Path, *, ignore: Iterable[str] = (), strict: bool = False, speed: float = 1.0
) -> Engine:
    """Return a copy of the engine that answers from the recordings in a folder or a file; other answers are computed.

    `ignore` are settings of `read_ignored`. With `strict`, a request without a recording is refused. Delays are divided
    by `speed`; 0 removes them. Raises `RecordingError`, `IgnoreError`, and `ContractError` for a fault that does not
    work in a replay.
    """
    from mockserver.recording.recording_folder import belongs_to, read_recordings

    found = read_recordings(path, belongs_to(engine.contract))
    replay = Replay(found, read_ignored(ignore), engine.redaction, strict=strict, speed=speed, note=found.note)
    return replace(with_store(engine, engine.store, (AnsweredBy.REPLAY,)), replay=replay)


def with_store(engine: Engine, store: Store, answered_by: Collection[AnsweredBy] = ()) -> Engine:
    """Return a copy of the engine that uses another store; `answered_by` is what answers requests, if that changes."""
    scopes = Scopes(store, engine.limits.scopes, engine.clock)
    scripts = _scripts(
        engine.contract,
        engine.config,
        store,
        scopes,
        engine.clock,
        engine.ids.seed,
        answered_by or engine.scripts.answered_by,
    )
    scripts.is_empty = scripts.is_empty and engine.scripts.is_empty
    return replace(
        engine,
        control=cache(partial(_control_gateway, engine.contract, engine.config, scripts, engine.metrics)),
        store=store,
        ids=IdSource(engine.ids.seed, engine.clock, store),
        scopes=scopes,
        scripts=scripts,
        journal=replace(engine.journal, store=store),
    )


def _control_gateway(contract: Contract, config: Config, scripts: Scripts, metrics: Metrics | None) -> Gateway:
    """Return the gateway of the control interface, which is imported now."""
    from mockserver.control.gateway import control_gateway

    return control_gateway(contract, config, scripts, metrics)


def _settings(config: Config, seed: int, pace: Pace) -> Settings:
    agents = unique(config.agents)
    own = [KnowledgeIndex(agent.id, agent.name, agent.documents) for agent in agents if agent.documents]
    models, indexes = with_agent_models(config.models, agents), search_indexes([*config.indexes, *own])
    embedder = next((model.id for model in models.values() if model.type == EMBEDDINGS), "")
    configured = configured_resources(config.indexes, embedder)
    return Settings(
        config.agents, config.limits, pace, str(seed).encode(), models, indexes, configured, config.indexing
    )


def _scripts(
    contract: Contract,
    config: Config,
    store: Store,
    scopes: Scopes,
    clock: Callable[[], float],
    seed: int,
    answered_by: Collection[AnsweredBy] = (AnsweredBy.MOCK,),
) -> Scripts:
    """Return the scripts: those of the configuration's scenario, and none of a scope yet."""
    check = contract_check(contract, CHAT_OPERATION)
    addresses = partial(_addresses, config.agents)
    return Scripts(store, scopes, clock, seed, check, config.scenario, addresses, config.control, answered_by)


def _addresses(agents: Mapping[str, Agent], path_parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the id and the name of the agent in a path, and what the path calls it."""
    address = path_parameters.get("agent_id")
    if address is None:
        return ()
    known = find_configured(agents, address)
    return (address, known.id, known.name) if known else (address, address.lower())


def _subject(
    agents: Mapping[str, Agent], time: float, path_parameters: Mapping[str, str], touched: tuple[str, ...]
) -> Subject:
    """Return the agent and the session that a request was about."""
    address = path_parameters.get("agent_id", "")
    return subject_of(time, id_of(agents, address) if address else "", touched)
