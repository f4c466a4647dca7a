"""Fixtures: made by the mock, true to the contract, and nobody else's files touched."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agent_contract import check_reply, check_request, understand
from agent_contract.routes import Found
from agent_contract.values import Event, Reply, Request
from mockserver.command import fixtures as command
from mockserver.fixtures import FixtureError, fixture_names, make_fixtures
from mockserver.text import a_sentence
from tests.agent_contract.documents import compiled
from tests.agent_contract.resources import TEXT, things
from tests.mockserver.asking import CONTRACT

ROOT = Path(__file__).parents[2]
FILES = make_fixtures(CONTRACT)
NAMES = fixture_names(CONTRACT)
STEPS = {NAMES[step.example.pointer]: step for step in CONTRACT.examples}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def loaded(name: str) -> Any:
    return json.loads(FILES[f"exchanges/{name}.json"])


def body_of(message: dict[str, Any]) -> bytes:
    """Return the bytes of a message as the README says a loader makes them."""
    if "json" in message:
        return json.dumps(message["json"], ensure_ascii=False, separators=(",", ":")).encode()
    if "text" in message:
        text: str = message["text"]
        return text.encode()
    if "base64" in message:
        return base64.b64decode(message["base64"])
    if "repeat" in message:
        return bytes((message["repeat"]["text"] * message["repeat"]["times"]).encode())
    return b""


def reply_of(message: dict[str, Any]) -> Reply:
    events = message.get("events")
    if events is None:
        return Reply(message["status"], message["headers"], body_of(message))
    datas = (
        one["data"]
        if isinstance(one["data"], str)
        else json.dumps(one["data"], ensure_ascii=False, separators=(",", ":"))
        for one in events
    )
    return Reply(message["status"], message["headers"], tuple(Event(data.encode()) for data in datas))


def exchanges() -> Iterator[tuple[str, Any]]:
    for path, content in FILES.items():
        if path.endswith(".json"):
            for exchange in json.loads(content)["exchanges"]:
                yield path, exchange


def test_the_committed_fixtures_are_what_the_contract_gives() -> None:
    """Run `agent-contract fixtures fixtures` when this fails."""
    result = run(ROOT / "fixtures", "--check")
    assert result.exit_code == 0, result.output


def test_each_example_and_each_clause_has_its_file() -> None:
    names = {f"exchanges/{name}.json" for name in STEPS} | {f"clauses/{one.id}.json" for one in CONTRACT.clauses}
    assert {path for path in FILES if path.endswith(".json")} == names


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert make_fixtures(CONTRACT) == FILES
    assert make_fixtures(CONTRACT, seed=1)["exchanges/hello.json"] != FILES["exchanges/hello.json"]


def test_every_reply_is_what_the_contract_documents() -> None:
    for path, exchange in exchanges():
        operation, _ = STEPS[exchange["example"].partition("~")[0]]
        assert check_reply(operation, reply_of(exchange["reply"])) == (), path


@pytest.mark.parametrize("name", STEPS)
def test_the_last_exchange_of_an_example_is_its_own(name: str) -> None:
    example = STEPS[name].example
    last = loaded(name)["exchanges"][-1]
    assert last["reply"]["status"] == example.status
    assert last["reply"]["headers"].get("content-type", "").startswith(example.media_type)
    if not example.set:
        assert body_of(last["request"]) == example.body


def test_every_accepted_request_is_valid() -> None:
    for path, exchange in exchanges():
        sent = exchange["request"]
        if exchange["reply"]["status"] < 300:
            found = CONTRACT.find(sent["method"], sent["path"])
            assert isinstance(found, Found)
            query = tuple((key, text) for key, text in sent.get("query", ()))
            call = understand(found, Request(sent["method"], sent["path"], query, sent["headers"], body_of(sent)))
            assert check_request(call) == (), path


def test_an_example_that_follows_another_has_both_in_order_each_under_its_name() -> None:
    played = loaded("session-extended-again")["exchanges"]
    assert [one["example"] for one in played] == ["session-created", "session-extended", "session-extended-again"]
    first, second, third = played
    session = first["reply"]["json"]["session_id"]
    assert second["request"]["json"]["store_in_session"] == third["request"]["json"]["store_in_session"] == session


def test_a_session_that_a_stream_created_is_extended() -> None:
    first, second = loaded("session-extended-after-stream")["exchanges"]
    assert second["request"]["json"]["store_in_session"] == first["reply"]["events"][0]["data"]["session_id"]


def test_a_chain_across_operations_carries_what_it_takes(tmp_path: Path) -> None:
    files = make_fixtures(compiled(tmp_path, TEXT))
    created, read, deleted = json.loads(files["exchanges/gone.json"])["exchanges"]
    assert [one["example"] for one in (created, read, deleted)] == ["small", "kept", "gone"]
    assert (read["request"]["path"], read["request"]["query"]) == ("/things/7", [["colour", "blue"]])
    assert read["request"]["headers"] == {"x-trace": "application/json"}
    assert (deleted["request"]["method"], deleted["request"]["path"]) == ("DELETE", "/things/7")
    assert deleted["request"].keys() == {"method", "path", "headers"}
    assert deleted["reply"] == {"status": 204, "headers": {}}


def test_what_twins_share_is_written_once_for_the_first(tmp_path: Path) -> None:
    files = make_fixtures(compiled(tmp_path, TEXT))
    names = ("alike", "all", "gone", "kept", "refused", "small", "some")
    assert [path for path in sorted(files) if path.startswith("exchanges")] == [f"exchanges/{n}.json" for n in names]
    assert json.loads(files["exchanges/small.json"])["operation"] == "createThing"


def test_of_two_examples_of_one_name_the_second_bears_its_operation_s_too(tmp_path: Path) -> None:
    document = things()
    document["paths"]["/things/{id}"]["get"]["x-examples"]["all"] = {"x-exchange": {"path": {"id": "7"}}}
    files = make_fixtures(compiled(tmp_path, document))
    assert {"exchanges/all.json", "exchanges/getThing.all.json"} < files.keys()


def test_a_chain_that_takes_what_is_not_there_says_so(tmp_path: Path) -> None:
    text = TEXT.replace("path.id: $response.body#/id", "path.id: $response.body#/key")
    with pytest.raises(FixtureError, match=r"kept: \$response.body#/key names nothing in the exchange before"):
        make_fixtures(compiled(tmp_path, text))


def test_each_stream_stands_as_bytes_too() -> None:
    streams = [name for name, step in STEPS.items() if step.example.media_type == "text/event-stream"]
    assert {path for path in FILES if path.endswith(".sse")} == {f"exchanges/{name}.sse" for name in streams}
    for name in streams:
        assert reply_of(loaded(name)["exchanges"][-1]["reply"]).content() == FILES[f"exchanges/{name}.sse"]


def test_a_clause_has_the_exchanges_of_every_example_that_shows_it() -> None:
    for clause in CONTRACT.clauses:
        found = json.loads(FILES[f"clauses/{clause.id}.json"])
        assert (found["sentence"], found["grade"], found["since"]) == (clause.sentence, clause.grade, clause.since)
        shown = [name for name, step in STEPS.items() if clause.id in step.example.shows]
        assert shown or clause.untestable
        assert found["exchanges"] == [one for name in shown for one in loaded(name)["exchanges"]]


def test_files_are_plain_text_in_which_nothing_hides() -> None:
    for path, content in FILES.items():
        if path.endswith(".json"):
            assert content.isascii(), path
            assert content.endswith(b"}\n"), path


def test_samples_vary_what_is_said_and_keep_the_status() -> None:
    files = make_fixtures(CONTRACT, count=2)
    assert {path: content for path, content in files.items() if path in FILES and path.startswith("exch")} == {
        path: content for path, content in FILES.items() if path.startswith("exch")
    }
    originals = {name: loaded(name)["exchanges"][-1] for name in STEPS}
    samples = [path for path in files if "~" in path and path.endswith(".json")]
    assert len(samples) > 2 * 40
    for path in samples:
        name = Path(path).stem.partition("~")[0]
        found = json.loads(files[path])["exchanges"][-1]
        assert found["reply"]["status"] == originals[name]["reply"]["status"]
        assert found["request"] != originals[name]["request"], path
        assert found["request"]["json"].keys() == originals[name]["request"]["json"].keys()
    said = {files[f"exchanges/hello~{number}.json"] for number in (1, 2)}
    assert len(said) == 2


@pytest.mark.parametrize("number", [0, 1, 2, 3, 2**63])
def test_a_sentence_is_a_sentence(number: int) -> None:
    assert a_sentence(number)[-1] in ".?"


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    assert run(tmp_path).exit_code == 0
    before = tree(tmp_path)
    assert {path: content for path, content in before.items() if path != "manifest.json"} == FILES
    assert "0 changed, 0 removed" in run(tmp_path).output
    assert tree(tmp_path) == before


def test_the_manifest_lists_every_file_with_its_digest(tmp_path: Path) -> None:
    run(tmp_path, "--seed", 3, "--count", 1)
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert (manifest["seed"], manifest["count"], manifest["contract"]) == (3, 1, CONTRACT.digest)
    assert manifest["files"].keys() == tree(tmp_path).keys() - {"manifest.json"}
    assert run(tmp_path, "--check").exit_code == 0


def test_a_check_takes_seed_and_count_from_the_manifest_and_writes_nothing(tmp_path: Path) -> None:
    run(tmp_path, "--seed", 3, "--count", 1)
    before = tree(tmp_path)
    assert run(tmp_path, "--check").exit_code == 0
    assert tree(tmp_path) == before


def test_a_check_says_what_differs_and_where(tmp_path: Path) -> None:
    run(tmp_path)
    hello = tmp_path / "exchanges" / "hello.json"
    hello.write_bytes(hello.read_bytes().replace(b'"status": 200', b'"status": 201'))
    (tmp_path / "clauses" / "chat.stream-done.json").unlink()
    result = run(tmp_path, "--check")
    assert result.exit_code == 1
    assert "exchanges/hello.json: line " in result.output
    assert '"status": 201' in result.output
    assert "clauses/chat.stream-done.json: is missing" in result.output


def test_a_check_finds_that_the_contract_has_changed(tmp_path: Path) -> None:
    run(tmp_path)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(CONTRACT.digest, "sha256:0"), encoding="utf-8")
    result = run(tmp_path, "--check")
    assert result.exit_code == 1
    assert "the contract has changed" in result.output


def test_a_check_without_a_manifest_is_told_what_to_do(tmp_path: Path) -> None:
    result = run(tmp_path, "--check")
    assert result.exit_code == 2
    assert "without --check" in result.output


def test_other_files_stay_and_stale_ones_go(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    run(tmp_path, "--count", 1)
    (tmp_path / "exchanges" / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "exchanges" / "own.json").write_text("mine", encoding="utf-8")
    assert run(tmp_path, "--count", 0).exit_code == 0
    left = tree(tmp_path)
    assert left.keys() - FILES.keys() == {"README.md", "manifest.json", "exchanges/notes.txt", "exchanges/own.json"}
    assert [left[path] for path in ("README.md", "exchanges/notes.txt", "exchanges/own.json")] == [b"mine"] * 3


def test_a_stale_file_that_somebody_changed_stays(tmp_path: Path) -> None:
    run(tmp_path, "--count", 1)
    changed = tmp_path / "exchanges" / "hello~1.json"
    changed.write_text("mine", encoding="utf-8")
    assert "it stays" in run(tmp_path).output
    assert changed.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("path", ["exchanges/hello.json", "manifest.json"])
def test_a_foreign_file_in_the_way_stops_before_anything_is_written(tmp_path: Path, path: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text("{}", encoding="utf-8")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "was not written by this command" in result.output
    assert tree(tmp_path) == {path: b"{}"}


def test_a_manifest_that_names_files_elsewhere_removes_none_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "fixtures"
    run(folder)
    (tmp_path / "precious.json").write_text("mine", encoding="utf-8")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["../precious.json"] = "sha256:0"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert run(folder).exit_code == 2
    assert (tmp_path / "precious.json").exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run(tmp_path / "file")
    assert result.exit_code == 2
    assert "is a file" in result.output
