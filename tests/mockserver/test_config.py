"""The configuration file: what it declares, and what is said of its faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_contract import ContractError, load_contract
from mockserver import load_engine
from mockserver.agents import each
from mockserver.behaviour import Limits
from mockserver.config import SCHEMA, Config, ConfigError, load_config
from tests.mockserver.asking import Asker

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
    support, free = each(config.agents)
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


@pytest.mark.parametrize("text", ["", "# nothing\n", "tokens: []\n"])
def test_what_is_not_declared_is_as_usual(folder: Path, text: str) -> None:
    assert load(folder, text) == Config()


def test_an_engine_plays_what_is_declared(folder: Path) -> None:
    file = folder / "mock.yaml"
    file.write_text(WHOLE.replace("tokens: [secret]", "tokens: []"), encoding="utf-8")
    ask = Asker(load_engine(config=file))
    answer = ask.answer("When do parcels arrive?", agent="support", model="mistral-7b")
    assert [one["metadata"]["origin_name"] for one in answer["index_context_info"]] == ["faq"]
    assert ask.refusal(agent="support", n=3)[0] == 400
    assert ask.refusal(agent="demo")[0] == 404


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("agents: []\n", "mock.yaml:1 agents: [] has less than 1 item"),
        ("agents:\n  - model: x\n", 'mock.yaml:2 agents.0: "name" is a required property'),
        ("agents:\n  - name: a\n    colour: red\n", "mock.yaml:2 agents.0: "),
        ("agents:\n  - name: a\n    id: x\n", 'mock.yaml:3 agents.0.id: "x" is not a "uuid"'),
        ("agents:\n  - name: a/b\n", "mock.yaml:2 agents.0.name: "),
        ("tokens:\n  - a b\n", "mock.yaml:2 tokens.0: "),
        ("limits:\n  choices: 0\n", "mock.yaml:2 limits.choices: 0 is less than the minimum of 1"),
        ("limits:\n  choices: many\n", 'mock.yaml:2 limits.choices: "many" is not of type "integer"'),
        ("- a\n", 'mock.yaml:1 the file: ["a"] is not of type "object"'),
        ("a: [\n", "mock.yaml:"),
        ("agents:\n  - name: a\nagents:\n  - name: b\n", "mock.yaml:3 "),
        (
            "agents:\n  - name: a\n    documents:\n      - x\n",
            'mock.yaml:4 agents.0.documents.0: there is no document "x"',
        ),
        ("agents:\n  - name: a\n  - name: a\n", 'mock.yaml:3 agents.1.name: "a" is another agent\'s'),
        ("documents:\n  - name: a\n    file: nowhere.txt\n", "mock.yaml:3 documents.0.file: "),
        ("documents:\n  - name: a\n    text: x\n    file: y\n", "mock.yaml:2 documents.0: "),
        (
            "documents:\n  - {name: a, text: x}\n  - {name: a, text: y}\n",
            'mock.yaml:3 documents.1.name: "a" is declared',
        ),
    ],
)
def test_a_fault_is_named_by_file_line_and_key(folder: Path, text: str, fault: str) -> None:
    assert any(found.startswith(fault) for found in faults(folder, text)), faults(folder, text)


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
    import json

    from mockserver.agents import configured

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    limits = {name: part["default"] for name, part in schema["properties"]["limits"]["properties"].items()}
    assert Limits(**limits) == Limits()
    agent = {
        name: part["default"] for name, part in schema["$defs"]["agent"]["properties"].items() if "default" in part
    }
    made, plain = configured("", "x", **{**agent, "roles": frozenset(agent["roles"])}), configured("", "x")
    assert (made.model, made.roles, made.any_model) == (plain.model, plain.roles, plain.any_model)
    assert made.instructions == plain.instructions


def test_two_engines_of_one_document_share_it() -> None:
    """Reading it is what takes the time."""
    assert load_engine().contract is load_engine().contract
    assert load_engine().contract.digest == load_contract().digest
