"""Whatever a server sends, no report and no line of output has a control character in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.contract_tests.support.commands import CommandResult, environment, verify
from tests.contract_tests.support.servers import Answer, serving

ODD = "\x1b[31mred\x9b\u202edlo\x07"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]")


def steering(path: str, body: bytes) -> Answer:
    """Answer with what steers a terminal, in every place that a server fills."""
    headers = {"content-type": "application/json", "x-odd": ODD.encode().decode("latin-1")}
    if b'"stream": true' in body:
        text = f"event: {ODD}\nid: {ODD}\ndata: {ODD}\n\n{ODD}\n\n"
        return 200, {**headers, "content-type": "text/event-stream"}, text.encode()
    answer = {"id": ODD, "choices": [{"index": 0, "message": {"role": ODD, "content": f"half \ud83d {ODD}"}}], ODD: ODD}
    return (
        (422, headers, json.dumps({"detail": [ODD]}).encode())
        if b"[]" in body
        else (200, headers, json.dumps(answer).encode())
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("steered")


@pytest.fixture(scope="module")
def run(folder: Path) -> CommandResult:
    env = environment(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(folder / "summary.md"))
    files = [f"--report={folder / name}" for name in ("r.html", "r.json", "r.md")]
    clauses = [f"--clause=chat.{glob}" for glob in ("stream-*", "reply-*", "validation-*")]
    with serving(steering) as url:
        return verify(
            url, "--agent-id", f"a{ODD}", *clauses, *files, f"--report={folder / 'j.xml'}", env=env, cwd=folder
        )


@pytest.mark.parametrize("name", ["r.html", "r.json", "r.md", "j.xml", "summary.md", "output", "error"])
def test_no_control_character_is_written(name: str, run: CommandResult, folder: Path) -> None:
    assert run.code == 1, run.output + run.error
    texts = {"output": run.output, "error": run.error}
    text = texts[name] if name in texts else (folder / name).read_text(encoding="utf-8")
    assert _CONTROL.findall(text) == []


def test_nothing_else_is_left_in_the_working_directory(run: CommandResult, folder: Path) -> None:
    assert {file.name for file in folder.iterdir()} == {"r.html", "r.json", "r.md", "j.xml", "summary.md"}


def test_a_message_of_the_first_request_is_printable() -> None:
    with serving(lambda path, body: (500, {}, ODD.encode())) as url:
        found = verify(url, "--agent-id=a", "--warmup=0")
    assert found.code == 2
    assert "\\x1b[31mred" in found.last
    assert _CONTROL.findall(found.output + found.error) == []
