"""The configuration file: what it declares, and what is said of its faults."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from agent_contract import ContractError, load_contract
from mockserver import load_engine
from mockserver.config import SCHEMA, Config, ConfigError, load_config
from mockserver.core.limits import Limits
from mockserver.resources.agents import FIELDS as AGENT_FIELDS
from mockserver.resources.agents import configured_agent, unique
from mockserver.resources.models import EMBEDDINGS, Model
from tests.mockserver.support.api_client import ApiClient
from tests.mockserver.support.chat_client import ChatClient

ROOT = Path(__file__).parents[2]
WHOLE = """\
# What a team's own agents look like.
agents:
  - name: support
    id: 3F2504E0-4F89-41D3-9A0C-0305E82C3301
    model: mistral-7b
    roles: [system, user]
    instructions: Be brief.
    documents: [faq, guide]
    index_top_n: 1
    session_max_ttl: 60
  - name: free
    any_model: true
documents:
  - name: faq
    text: Parcels arrive within three days.
  - name: guide
    file: guide.txt
    media_type: text/markdown
tokens: [secret]
limits:
  choices: 2
"""

INDEX = "1a2b3c4d-5e6f-4a61-8e2f-903c5b4d1701"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "guide.txt").write_text("Returns are free.", encoding="utf-8")
    return tmp_path


def load(folder: Path, text: str) -> Config:
    file = folder / "mock.yaml"
    file.write_text(text, encoding="utf-8")
    return load_config(file)


def faults(folder: Path, text: str) -> list[str]:
    """Return each fault as file:line, key and problem, the folder left out."""
    with pytest.raises(ConfigError) as raised:
        load(folder, text)
    assert all(problem.remedy for problem in raised.value.problems)
    return [f"{Path(one.place).name} {one.pointer}: {one.problem}" for one in raised.value.problems]


def test_agents_documents_tokens_and_limits_are_read(folder: Path) -> None:
    config = load(folder, WHOLE)
    support, free = unique(config.agents)
    assert config.agents["support"] is config.agents["3f2504e0-4f89-41d3-9a0c-0305e82c3301"] is support
    assert (support.model, set(support.roles), support.instructions) == ("mistral-7b", {"system", "user"}, "Be brief.")
    assert [document.text for document in support.documents] == [
        "Parcels arrive within three days.",
        "Returns are free.",
    ]
    assert (support.setting("index_top_n"), support.setting("session_max_ttl"), free.any_model) == (1, 60, True)
    assert config.tokens == ("secret",)
    assert config.limits == Limits(choices=2)


def test_declared_agents_take_the_place_of_the_built_in_ones(folder: Path) -> None:
    config = load(folder, "agents: [{name: own}]")
    assert sorted(config.agents, key=len)[0] == "own"
    assert "demo" not in config.agents


def test_an_id_made_of_a_name_is_always_the_same(folder: Path) -> None:
    text = "agents: [{name: own}]"
    assert load(folder, text).agents.keys() == load(folder, text).agents.keys()


FIELDS = """\
agents:
  - name: support
    description: Answers customers.
    metadata: {team: blue}
    session_max_length: 5000
    session_summarization_strategy: summarize
    chat_system_instruction_mode: system-message
    completion_role: assistant
    index_id: 1f0b7c92-d503-4a61-8e2f-903c5b4d1701
    index_similarity_cutoff: 0.5
    index_reference_format: structured
    index_reference_delimiter: "---"
    tools: [{link_type: GENERIC_MCP_TOOL_LINK, tool_id: 5b4d1701-92d5-4a61-8e2f-1f0b7c92d503, top_n: 1}]
    agent_type: chat
models:
  - id: mistral-7b
    model_engine: LLAMA_CPP
  - id: minilm
    model_type: EMBEDDINGS
limits: {agents: 2, agent: 2048, texts: 1, dimensions: 8}
"""


def test_an_agent_may_have_every_field_that_a_client_may_give_it(folder: Path) -> None:
    (agent,) = unique(load(folder, FIELDS + "documents: []\n").agents)
    declared = {**yaml.safe_load(FIELDS)["agents"][0], "model": agent.model}
    asked = dict.fromkeys(("instructions", "session_max_ttl", "index_top_n"))
    assert {**asked, **declared}.keys() == set(AGENT_FIELDS)
    assert {name: agent.setting(name) for name in declared} == declared


def test_declared_models_are_played_beside_the_agents_own(folder: Path) -> None:
    config = load(folder, FIELDS)
    assert config.models == (Model("mistral-7b", engine="LLAMA_CPP"), Model("minilm", EMBEDDINGS, "INFINITY"))
    call = ApiClient(load_engine(config=folder / "mock.yaml"))
    assert [model["id"] for model in call.get("/models")["data"]] == ["mistral-7b", "minilm", "llama-2-70b-chat-hf"]
    assert call.post(
        "/chat/completions", {"model": "llama-2-70b-chat-hf", "messages": [{"role": "user", "content": ""}]}
    )
    assert len(call.post("/embeddings", {"model": "minilm", "input": "a"})["data"][0]["embedding"]) == 8


def test_no_models_may_be_declared(folder: Path) -> None:
    assert load(folder, "models: []").models == ()


@pytest.mark.parametrize("text", ["", "# nothing\n", "tokens: []\n"])
def test_what_is_not_declared_is_as_usual(folder: Path, text: str) -> None:
    assert load(folder, text) == Config()


def test_an_engine_plays_what_is_declared(folder: Path) -> None:
    file = folder / "mock.yaml"
    file.write_text(WHOLE.replace("tokens: [secret]", "tokens: []"), encoding="utf-8")
    ask = ChatClient(load_engine(config=file))
    answer = ask.answer("When do parcels arrive?", agent="support", model="mistral-7b")
    assert [one["metadata"]["origin_name"] for one in answer["index_context_info"]] == ["faq"]
    assert ask.refusal(agent="support", n=3)[0] == 400
    assert ask.refusal(agent="demo")[0] == 404


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("agents: []\n", "mock.yaml:1 agents: [] has less than 1 item"),
        ("agents:\n  - model: x\n", 'mock.yaml:2 agents.0: "name" is a required property'),
        ("agents:\n  - name: a\n    colour: red\n", 'mock.yaml:3 agents.0.colour: "colour" is not a known key'),
        ("agents:\n  - name: a\n    id: x\n", 'mock.yaml:3 agents.0.id: "x" is not a "uuid"'),
        ("agents:\n  - name: a/b\n", "mock.yaml:2 agents.0.name: "),
        ("tokens:\n  - a b\n", "mock.yaml:2 tokens.0: "),
        ("limits:\n  choices: 0\n", "mock.yaml:2 limits.choices: 0 is less than the minimum of 1"),
        ("limits:\n  choices: many\n", 'mock.yaml:2 limits.choices: "many" is not of type "integer"'),
        ("- a\n", 'mock.yaml:1 the file: ["a"] is not of type "object"'),
        ("a: [\n", "mock.yaml:"),
        ("agents:\n  - name: a\nagents:\n  - name: b\n", "mock.yaml:3:1 "),
        (
            "agents:\n  - name: a\n    documents:\n      - x\n",
            'mock.yaml:4 agents.0.documents.0: "x" is not a declared document',
        ),
        ("agents:\n  - name: a\n  - name: a\n", 'mock.yaml:3 agents.1.name: "a" is already used by another agent'),
        ("documents:\n  - name: a\n    file: nowhere.txt\n", "mock.yaml:3 documents.0.file: "),
        ("documents:\n  - name: a\n    file: /dev/zero\n", "mock.yaml:3 documents.0.file: "),
        ("documents:\n  - name: a\n    text: x\n    file: y\n", "mock.yaml:2 documents.0: "),
        (
            "documents:\n  - {name: a, text: x}\n  - {name: a, text: y}\n",
            'mock.yaml:3 documents.1.name: "a" is declared',
        ),
        ("models:\n  - {id: a}\n  - {id: a}\n", 'mock.yaml:3 models.1.id: "a" is declared twice'),
        ("models:\n  - id: a\n    model_type: CHAT\n", "mock.yaml:3 models.0.model_type: "),
        ("models:\n  - id: a\n    model_engine: GPU\n", "mock.yaml:3 models.0.model_engine: "),
        ("models:\n  - model_type: EMBEDDINGS\n", 'mock.yaml:2 models.0: "id" is a required property'),
        (
            "models:\n  - {id: a, model_type: EMBEDDINGS}\nagents:\n  - name: b\n    model: a\n",
            'mock.yaml:5 agents.0.model: "a" is declared with the model_type EMBEDDINGS',
        ),
        ("agents:\n  - name: a\n    session_max_length: 0\n", "mock.yaml:3 agents.0.session_max_length: 0 is less"),
        ("agents:\n  - name: a\n    tools:\n      - tool_id: b\n", 'mock.yaml:4 agents.0.tools.0: "link_type" is'),
        ("agents:\n  - name: a\n    metadata:\n      b: 1\n", "mock.yaml:4 agents.0.metadata.b: 1 is not of type"),
        ("indexes:\n  - id: x\n    documents: []\n", 'mock.yaml:2 indexes.0.id: "x" is not a "uuid"'),
        (
            f"indexes:\n  - id: {INDEX}\n    documents:\n      - x\n",
            'mock.yaml:4 indexes.0.documents.0: "x" is not a declared document',
        ),
        (
            f"indexes:\n  - {{id: {INDEX}, documents: []}}\n  - {{id: {INDEX.upper()}, documents: []}}\n",
            "mock.yaml:3 indexes.1.id: ",
        ),
        (
            f"indexes:\n  - {{id: {INDEX}, documents: []}}\nagents:\n  - name: a\n    index_id: 9{INDEX[1:]}\n",
            "mock.yaml:5 agents.0.index_id:",
        ),
        ("agents:\n  - {name: a}\n  - {name: b}\nlimits:\n  agents: 1\n", "mock.yaml:5 limits.agents: "),
    ],
)
def test_a_problem_is_reported_with_file_line_and_key(folder: Path, text: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in faults(folder, text)), faults(folder, text)


@pytest.mark.parametrize(("declared", "listed"), [("[]", "none"), (f"[{{id: {INDEX}, documents: []}}]", INDEX)])
def test_the_remedy_for_an_unknown_index_lists_those_that_are_declared(
    folder: Path, declared: str, listed: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load(folder, f"indexes: {declared}\nagents:\n  - name: a\n    index_id: 9{INDEX[1:]}\n")
    assert [problem.remedy for problem in raised.value.problems] == [f"declared indexes: {listed}"]


def test_indexes_are_read_and_those_that_are_built_in_go(folder: Path) -> None:
    text = f"documents:\n  - {{name: a, text: x}}\nindexes:\n  - {{id: {INDEX}, documents: [a]}}\n"
    (index,) = load(folder, text).indexes
    assert (index.id, [document.text for document in index.documents]) == (INDEX, ["x"])
    assert load(folder, "tokens: [a]").indexes == Config().indexes


def test_all_faults_are_named_at_once(folder: Path) -> None:
    assert len(faults(folder, "tokens: [1]\nlimits: {body: 0, stops: 0}\n")) == 3


def test_an_unknown_key_is_answered_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load(folder, "agents:\n  - name: a\n    rolls: [user]\n")
    assert "roles" in raised.value.remedy


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"nowhere\.yaml"):
        load_config(tmp_path / "nowhere.yaml")


def test_the_schema_names_the_defaults_that_count() -> None:
    """An editor shows them."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    limits = {name: part["default"] for name, part in schema["properties"]["limits"]["properties"].items()}
    assert Limits(**limits) == Limits()
    agent = {
        name: part["default"] for name, part in schema["$defs"]["agent"]["properties"].items() if "default" in part
    }
    made, plain = configured_agent("", "x", **{**agent, "roles": frozenset(agent["roles"])}), configured_agent("", "x")
    assert (made.model, made.roles, made.any_model) == (plain.model, plain.roles, plain.any_model)
    assert made.instructions == plain.instructions


def test_the_documentation_names_every_limit_and_every_key_that_is_the_mocks_own() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")))
    own = schema["$defs"]["agent"]["properties"].keys() - set(AGENT_FIELDS)
    assert (schema["properties"]["limits"]["properties"].keys() | own) - named == set()
    assert set(AGENT_FIELDS) <= schema["$defs"]["agent"]["properties"].keys()


def test_two_engines_of_one_document_share_it() -> None:
    """Reading it is what takes the time."""
    assert load_engine().contract is load_engine().contract
    assert load_engine().contract.digest == load_contract().digest


SCHEMA_OF_FILE = json.loads(SCHEMA.read_text(encoding="utf-8"))
OTHER_ID = f"{INDEX[:-1]}9"
#: For each type, a value that no key has by default, and keys that need another value.
OTHER_VALUES: dict[str, object] = {
    "string": "other",
    "boolean": True,
    "integer": 4096,
    "number": 0.25,
    **dict.fromkeys(("id", "tool_id", "index_id", "knowledge_base_id"), OTHER_ID),
    "documents": ["more"],
    "file": "guide.txt",
    "metadata": {"a": "b"},
    "model_engine": "LLAMA_CPP",
    "model_type": "EMBEDDINGS",
    "roles": ["developer"],
    "session_summarization_strategy": "summarize",
    "tools": [{"link_type": "x", "tool_id": INDEX}],
}
#: The lists of the configuration, and what an item must have.
LEAST_ITEMS: dict[str, dict[str, object]] = {
    "agents": {"name": "a"},
    "models": {"id": "m"},
    "indexes": {"id": INDEX, "documents": []},
    "documents": {"name": "d", "text": "x"},
}


def item_keys(name: str) -> dict[str, dict[str, str]]:
    """Return the schemas of the keys that an item of a list can have."""
    item = SCHEMA_OF_FILE["properties"][name]["items"]["$ref"].rpartition("/")[2]
    keys: dict[str, dict[str, str]] = SCHEMA_OF_FILE["$defs"][item]["properties"]
    return keys


def config_with(folder: Path, name: str, item: Mapping[str, object]) -> Config:
    """Return a configuration that has this item in a list; if it is a document or an index, an agent uses it."""
    file: dict[str, list[object]] = {
        "documents": [{"name": "more", "text": "y"}],
        "indexes": [{"id": OTHER_ID, "documents": ["more"]}] if name == "agents" else [],
        "agents": [{"name": "reader", "documents": [item["name"]]}] if name == "documents" else [],
    }
    file.setdefault(name, []).append(item)
    return load(folder, yaml.safe_dump({key: items for key, items in file.items() if items}))


@pytest.mark.parametrize(("name", "key"), [(name, key) for name in LEAST_ITEMS for key in item_keys(name)])
def test_every_key_of_an_item_that_the_schema_offers_changes_the_configuration(
    folder: Path, name: str, key: str
) -> None:
    """So the schema offers no key that the code ignores; the code can't read one that the schema refuses."""
    least = LEAST_ITEMS[name]
    other = {**least, key: OTHER_VALUES.get(key) or OTHER_VALUES[item_keys(name)[key]["type"]]}
    if key == "file":
        del other["text"]
    assert config_with(folder, name, other) != config_with(folder, name, least)


@pytest.mark.parametrize("key", sorted(SCHEMA_OF_FILE["properties"].keys() - LEAST_ITEMS.keys()))
def test_every_other_key_that_the_schema_offers_changes_the_configuration(folder: Path, key: str) -> None:
    values = {
        "tokens": ["secret"],
        "tenants": [{"token": "secret", "scopes": "red"}],
        "limits": {"choices": 7},
        "indexing": {"seconds": 7},
        "error_format": "openai",
        "scenario": "scenario.yaml",
    }
    other = values.get(key, True)
    assert load(folder, yaml.safe_dump({key: other})) != Config()
