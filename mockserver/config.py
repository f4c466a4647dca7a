"""The mock's configuration: reads and checks the YAML file of `serve --config`.

The file's JSON Schema is `config.schema.json` next to this module; editors use it to complete and check.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from agent_contract.document.checked_file import Source, schema_problems
from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.reader import parse_text, read_text
from mockserver.core.context import IndexingSettings
from mockserver.core.limits import Limits
from mockserver.core.play_options import PlayOptions
from mockserver.core.tenants import Tenant
from mockserver.generation.retrieval import KnowledgeDocument, KnowledgeIndex
from mockserver.resources.agents import BUILT_IN, CHAT_ROLES, LIBRARY, MODEL, Agent, by_address, configured_agent
from mockserver.resources.models import COMPLETIONS, EMBEDDINGS, MODELS, Model, configured_model
from mockserver.scenarios.read import Scenario

SCHEMA = Path(__file__).parent / "config.schema.json"


@dataclass(frozen=True, slots=True)
class Config:
    """What the mock serves: agents by id and by name, limits, models and indexes.

    A request must carry one of `tokens`; if the tuple is empty, no token is required. The models of agents exist even
    if `models` does not list them. `control` switches the control interface on. It requires one of `control_tokens`, or
    one of `tokens` if `control_tokens` is empty, and answers at `allowed_hosts` and at the hosts that `control.origin`
    lists. With `error_codes`, items of a 422 have `error_code` and `value`. With `published_create_form`, a new agent
    needs the fields of the published form. With the `error_format` `openai`, a refusal also has OpenAI's `error`.
    `indexing` is how uploads are indexed. `scenario` has the rules and faults of every scope; `scenario_file` replaces
    it when an engine is loaded. `play` is how a document without behaviours is played.
    """

    agents: Mapping[str, Agent] = field(default_factory=lambda: by_address(BUILT_IN))
    tokens: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    models: tuple[Model, ...] = MODELS
    indexes: tuple[KnowledgeIndex, ...] = (LIBRARY,)
    control: bool = True
    control_tokens: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    indexing: IndexingSettings = field(default_factory=IndexingSettings)
    error_codes: bool = False
    published_create_form: bool = False
    error_format: str = "fastapi"
    scenario: Scenario = field(default_factory=Scenario)
    scenario_file: Path | None = None
    play: PlayOptions = field(default_factory=PlayOptions)
    tenants: tuple[Tenant, ...] = ()

    @property
    def requires_token(self) -> bool:
        """Whether a request to the API must carry a token."""
        return bool(self.tokens or self.tenants)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every token of the server."""
        return (*self.tokens, *self.control_tokens, *(one.token for one in self.tenants))


class ConfigError(ContractError):
    """The configuration is invalid; each of `problems` has the file, line, key, problem and remedy."""


def load_config(path: Path) -> Config:
    """Return the configuration in a file; raises `ConfigError` with all problems that were found."""
    try:
        text = read_text(path, str(path))
        value = parse_text(text, str(path))
    except ContractError as error:
        raise ConfigError(error.problems) from None
    return read_config({} if value is None else value, Source(str(path), text), path.parent)


def read_config(value: Any, file: Source, folder: Path) -> Config:
    """Return the configuration that a value describes; the files that it names are relative to `folder`.

    Raises `ConfigError` with all problems that were found.
    """
    problems = list(schema_problems(orjson.loads(SCHEMA.read_bytes()), value, file))
    if problems:
        raise ConfigError(problems)
    declared: dict[str, Any] = value
    documents, problems = _documents(file, folder, declared.get("documents", []))
    agents = [_agent(one, documents) for one in declared.get("agents", [])]
    problems += _name_problems(file, declared, agents, documents)
    problems += _index_problems(file, declared, documents)
    problems += _model_problems(file, declared)
    problems += _tenant_problems(file, declared)
    limits = Limits(**declared.get("limits", {}))
    if len(agents) > limits.agents:
        problem = f"{len(agents)} agents are declared, but only {limits.agents} are allowed"
        problems.append(file.problem(("limits", "agents"), problem, f"set it to {len(agents)} or more"))
    if problems:
        raise ConfigError(problems)
    models = tuple(configured_model(**one) for one in declared["models"]) if "models" in declared else MODELS
    indexes = tuple(_index(one, documents) for one in declared["indexes"]) if "indexes" in declared else (LIBRARY,)
    return Config(
        by_address(agents or BUILT_IN),
        tuple(declared.get("tokens", ())),
        limits,
        models,
        indexes,
        indexing=_indexing(declared.get("indexing", {})),
        error_codes=declared.get("error_codes", False),
        published_create_form=declared.get("published_create_form", False),
        error_format=declared.get("error_format", "fastapi"),
        scenario_file=folder / declared["scenario"] if "scenario" in declared else None,
        tenants=_tenants(declared),
    )


def _tenants(declared: Mapping[str, Any]) -> tuple[Tenant, ...]:
    return tuple(Tenant(one["token"], one["scopes"]) for one in declared.get("tenants", ()))


def _tenant_problems(file: Source, declared: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each tenant that shares its token or a scope with another."""
    tokens, tenants = list(declared.get("tokens", ())), _tenants(declared)
    for index, one in enumerate(tenants):
        if one.token in tokens:
            yield file.problem(("tenants", index, "token"), "the token is used before", "give each its own")
        tokens.append(one.token)
        for other in tenants[:index]:
            if one.covers(other.scopes) or other.covers(one.scopes):
                problem = f'"{one.scopes}" and "{other.scopes}" have scopes in common'
                yield file.problem(("tenants", index, "scopes"), problem, "name them so that none begins with another")


def _indexing(declared: dict[str, Any]) -> IndexingSettings:
    failing = tuple(declared.get("failing", ()))
    return IndexingSettings(**{**declared, "failing": failing})


def _documents(
    file: Source, folder: Path, declared: list[dict[str, Any]]
) -> tuple[dict[str, KnowledgeDocument], list[Problem]]:
    documents: dict[str, KnowledgeDocument] = {}
    problems: list[Problem] = []
    for index, one in enumerate(declared):
        name = one["name"]
        if name in documents:
            problems.append(
                file.problem(("documents", index, "name"), f'"{name}" is declared twice', "choose another name")
            )
        try:
            text = one.get("text") or read_text(folder / one["file"], str(folder / one["file"]))
        except ContractError as error:
            problems.append(
                file.problem(("documents", index, "file"), f"{error.problems[0].place} {error.problem}", error.remedy)
            )
            continue
        identity = one.get("id", str(uuid.uuid5(uuid.NAMESPACE_URL, f"document/{name}")))
        media_type, origin = one.get("media_type", "text/plain"), one.get("origin_ref", one.get("file"))
        documents[name] = KnowledgeDocument(identity, text, name, media_type, origin)
    return documents, problems


def _index(one: dict[str, Any], documents: Mapping[str, KnowledgeDocument]) -> KnowledgeIndex:
    return KnowledgeIndex(
        one["id"],
        one.get("name", one["id"]),
        tuple(documents[name] for name in one["documents"]),
        one.get("tool_id", ""),
        one.get("knowledge_base_id", ""),
    )


def _index_problems(
    file: Source, declared: dict[str, Any], documents: Mapping[str, KnowledgeDocument]
) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, one in enumerate(declared.get("indexes", [])):
        if one["id"].lower() in seen:
            yield file.problem(
                ("indexes", index, "id"), f'"{one["id"]}" is already the id of another index', "choose another id"
            )
        seen.add(one["id"].lower())
        yield from _document_problems(file, ("indexes", index, "documents"), one["documents"], documents)
    for index, one in enumerate(declared.get("agents", []) if "indexes" in declared else ()):
        if one.get("index_id", "").lower() not in ("", *seen):
            indexes = ", ".join(sorted(seen)) or "none"
            problem = f'"{one["index_id"]}" is not a declared index'
            yield file.problem(("agents", index, "index_id"), problem, f"declared indexes: {indexes}")


def _document_problems(
    file: Source, keys: tuple[str | int, ...], names: list[str], documents: Mapping[str, KnowledgeDocument]
) -> Iterator[Problem]:
    declared = ", ".join(documents) or "none"
    for number, name in enumerate(names):
        if name not in documents:
            yield file.problem(
                (*keys, number), f'"{name}" is not a declared document', f"declared documents: {declared}"
            )


#: Keys of a configured agent that belong to the mock; all others are fields of the API.
_OWN_KEYS = ("id", "name", "roles", "any_model", "calls_tools", "documents")


def _agent(one: dict[str, Any], documents: Mapping[str, KnowledgeDocument]) -> Agent:
    return configured_agent(
        one.get("id", str(uuid.uuid5(uuid.NAMESPACE_URL, f"agent/{one['name']}"))),
        one["name"],
        roles=frozenset(one.get("roles", CHAT_ROLES)),
        any_model=one.get("any_model", False),
        calls_tools=one.get("calls_tools", False),
        documents=tuple(documents[name] for name in one.get("documents", ()) if name in documents),
        **{key: value for key, value in one.items() if key not in _OWN_KEYS},
    )


def _name_problems(
    file: Source, declared: dict[str, Any], agents: list[Agent], documents: Mapping[str, KnowledgeDocument]
) -> list[Problem]:
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, (agent, one) in enumerate(zip(agents, declared.get("agents", []), strict=True)):
        for key, address in (("name", agent.name), ("id", agent.id)):
            if address in seen:
                problems.append(
                    file.problem(
                        ("agents", index, key), f'"{address}" is already used by another agent', f"choose another {key}"
                    )
                )
            seen.add(address)
        problems.extend(_document_problems(file, ("agents", index, "documents"), one.get("documents", []), documents))
    return problems


def _model_problems(file: Source, declared: dict[str, Any]) -> Iterator[Problem]:
    types: dict[str, str] = {}
    for index, one in enumerate(declared.get("models", [])):
        if one["id"] in types:
            yield file.problem(("models", index, "id"), f'"{one["id"]}" is declared twice', "remove one of them")
        types[one["id"]] = one.get("model_type", COMPLETIONS)
    for index, one in enumerate(declared.get("agents", [])):
        if types.get(one.get("model", MODEL), COMPLETIONS) != COMPLETIONS:
            problem = (
                f'"{one.get("model", MODEL)}" is declared with the model_type {EMBEDDINGS}, which can\'t answer chats'
            )
            yield file.problem(
                ("agents", index, "model"), problem, f"choose a {COMPLETIONS} model, or correct its model_type"
            )
