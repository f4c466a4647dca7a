"""What a change of the contract means to one client: only what it sent and got counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent_contract import load_contract
from agent_contract.cli import main
from agent_contract.messages import Exchange, Reply, Request
from mockserver.analysis.impact import ImpactReport, find_impacts
from mockserver.recording.recording import Recording
from mockserver.recording.recording_folder import write_recording
from tests.mockserver.analysis.support.contract_changes import CHANGES, contract, recordings
from tests.mockserver.support.chat_client import engine, request, user

BEFORE = contract()
NAMED = {change.name: change for change in CHANGES}


def impacts(name: str) -> ImpactReport:
    return find_impacts(BEFORE, contract(NAMED[name]), recordings())


def lines(report: ImpactReport) -> list[tuple[str, str, str, str, tuple[str, ...]]]:
    return [
        (one.effect, one.difference.part, one.difference.what, one.difference.change, one.recordings)
        for one in report.impacts
    ]


# Slow: it compiles the contract once for each change.
def test_precision_and_recall_on_labelled_changes() -> None:
    found = {change.name for change in CHANGES if impacts(change.name).impacts}
    affecting = {change.name for change in CHANGES if change.affects}
    right = len(found & affecting)
    precision, recall = right / len(found), right / len(affecting)
    print(f"{len(CHANGES)} changes, {len(affecting)} affect: precision {precision:.3f}, recall {recall:.3f}")
    assert len(CHANGES) >= 30
    assert min(precision, recall) >= 0.95, found ^ affecting


def test_the_same_contract_affects_nothing() -> None:
    assert find_impacts(BEFORE, BEFORE, recordings()).impacts == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "the maximum of temperature is now below what was sent",
            ("refused", "request", "body/temperature", "maximum", ("0001.json",)),
        ),
        (
            "unlisted fields are refused",
            (
                *("refused", "request", "body/user", 'additionalProperties: expected false, sent "someone"'),
                ("0001.json", "0002.json", "0003.json", "0005.json"),
            ),
        ),
        ("a field of the chunks is removed", ("changed", "reply", 0, "removed", ("0003.json",))),
        ("a status that was got is removed", ("changed", "reply", "404", "removed", ("0005.json",))),
        (
            "an operation that was called is removed",
            ("refused", "operation", "GET /api/v1/compatibility/openai/v1/models", "removed", ("0007.json",)),
        ),
        ("a call without a token needs one", ("refused", "operation", "listModels", "security", ("0007.json",))),
        (
            "the default of a parameter that was left out",
            ("changed", "request", "query/order", "default", ("0006.json",)),
        ),
        (
            "a promise about what was sent is taken back",
            ("review", "clause", "chat.session-isolated", "removed", ("0002.json",)),
        ),
        (
            "a refused temperature is accepted now",
            (
                *("changed", "request", "body/temperature", "refused before, accepted now: expected 2, sent 3"),
                ("0004.json",),
            ),
        ),
    ],
)
def test_an_impact_names_what_has_changed_and_the_calls(name: str, expected: tuple[object, ...]) -> None:
    found = lines(impacts(name))
    way = "200 body(text/event-stream)/data/(content)/model"
    assert found == [tuple(way if part == 0 else part for part in expected)]


def test_a_call_that_neither_contract_knows_is_counted() -> None:
    strange = Recording("x.json", Exchange(Request("GET", "/elsewhere"), Reply(200, {}, b"")))
    report = find_impacts(BEFORE, BEFORE, [*recordings(), strange])
    assert (report.recordings, report.affected, report.unknown) == (7, 0, 1)


@pytest.mark.parametrize("body", [b"", b"{", b"[[[", b"\xff", b"null", b'{"messages": 1}', b"9" * 400])
def test_any_body_can_be_compared(body: bytes) -> None:
    sent = request(body)
    for reply in (Reply(200, {"content-type": "application/json"}, body), Reply(999, {}, body)):
        find_impacts(BEFORE, contract(NAMED["unlisted fields are refused"]), [Recording("x", Exchange(sent, reply))])


# The command


def run(folder: Path, *versions: str, options: tuple[str, ...] = (), **fields: object) -> Result:
    folder.mkdir(exist_ok=True)
    sent = request({"messages": [user("Hello!")], **fields})
    write_recording(folder, 1, replace(engine().handle(sent), operation="chat"))
    return CliRunner().invoke(main, ["impact", str(folder), *versions, *options])


def test_a_client_that_uses_nothing_of_what_changed_is_not_affected(tmp_path: Path) -> None:
    result = run(tmp_path / "r", "9.0", "9.1.1")
    assert (result.exit_code, result.output) == (
        0,
        "Agent API 9.0 → Agent API 9.1.1: 0 of 1 recorded calls affected\n",
    )


def test_a_client_that_is_affected_gets_the_exit_status_of_diff(tmp_path: Path) -> None:
    result = run(tmp_path / "r", "9.1.1", "9.0", top_p=0.5)
    assert result.exit_code == 1
    assert "1 of 1 recorded calls affected" in result.output
    assert "request  body/top_p  removed  chat.top-p-range  0001-chat.json" in result.output


def test_json_has_the_names_of_all_recordings(tmp_path: Path) -> None:
    value = json.loads(run(tmp_path / "r", "9.0", "9.1.1", options=("--format", "json"), top_p=0.5).output)
    assert (value["before"]["version"], value["after"]["version"]) == ("9.0", "9.1.1")
    assert (value["recordings"], value["affected"], value["unknown"]) == (1, 1, 0)
    assert value["impacts"][0] == {
        "effect": "changed",
        "part": "request",
        "what": "body/top_p",
        "change": "added",
        "before": "",
        "after": "",
        "operations": ["createAssistantChatCompletion"],
        "clauses": ["chat.top-p-range"],
        "pointer": value["impacts"][0]["pointer"],
        "recordings": ["0001-chat.json"],
    }


def test_documents_can_be_compared(tmp_path: Path) -> None:
    document = load_contract().source
    assert run(tmp_path / "r", str(document), str(document)).exit_code == 0


@pytest.mark.parametrize("versions", [("9.0", "7"), ("nothing.yaml", "9.0")])
def test_an_unknown_version_is_refused(tmp_path: Path, versions: tuple[str, str]) -> None:
    result = run(tmp_path / "r", *versions)
    assert (result.exit_code, "neither a file nor a version" in result.output) == (2, True)
