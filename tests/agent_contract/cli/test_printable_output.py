"""What the commands print of a document does not steer a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent_contract.cli import main

STEERING = "\x1b[31m\x9b2J\u202e\x7f"


def document(field: str) -> str:
    """Return a document with control characters in whatever it names."""
    schema = {"type": "object", "properties": {f"{field}{STEERING}": {"type": "string", "default": STEERING}}}
    success = {"description": STEERING, "content": {"application/json": {"schema": schema}}}
    operation = {
        "operationId": f"op{STEERING}",
        "x-clauses": [{"id": f"a.{field}{STEERING}", "sentence": f"S{STEERING}.", "grade": "core"}],
        "responses": {"200": success},
    }
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": f"T{STEERING}", "version": f"1{STEERING}"},
            "paths": {f"/x{STEERING}": {"get": operation}},
        }
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "one.json"],
        *(["clauses", "one.json", "--format", form] for form in ("table", "json", "markdown")),
        *(["diff", "one.json", "other.json", "--format", form] for form in ("table", "json", "markdown")),
    ],
    ids=" ".join,
)
def test_control_characters_of_a_document_are_printed_as_escapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    (tmp_path / "one.json").write_text(document("a"), encoding="utf-8")
    (tmp_path / "other.json").write_text(document("b"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    output = CliRunner().invoke(main, arguments, color=True).output

    assert not set(STEERING.replace("[31m", "").replace("2J", "")) & set(output)
    assert "x1b" in output or "u001b" in output
    if "json" in arguments:
        json.loads(output)
