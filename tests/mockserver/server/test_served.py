"""Several documents on one port, and documents that are served again when they change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import pytest

from mockserver.build import load_engine
from mockserver.cli.documents import documents_of
from mockserver.engine import Engine
from mockserver.server.served import Following, Mounts
from tests.agent_contract.support.documents import write
from tests.mockserver.documented.support.played import send, value

DOCUMENT = """\
openapi: 3.1.0
info: {{title: {title}, version: "1"}}
paths:
  /pets:
    post:
      requestBody: {{content: {{application/json: {{}}}}}}
      responses:
        "201":
          description: made
          headers: {{Location: {{schema: {{type: string}}}}}}
          content: {{application/json: {{example: {{id: a-1, owner: {title}}}}}}}
  /pets/{{id}}:
    parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}]
    get:
      responses: {{"200": {{description: ok, content: {{application/json: {{example: {{id: a-1, owner: {title}}}}}}}}}}}
"""


def engine(folder: Path, title: str, name: str = "openapi.yaml") -> Engine:
    """Return an engine that plays a document with a title."""
    return load_engine(write(folder, DOCUMENT.format(title=title), name))


def test_each_document_answers_below_its_prefix(tmp_path: Path) -> None:
    second = engine(tmp_path, "Two", "2.yaml")
    mounts = Mounts({"": engine(tmp_path, "One", "1.yaml"), "/two": second})
    played: Any = mounts

    created = send(played, "POST", "/two/pets", {"name": "Rex"})
    location = created.reply.headers["location"]

    assert value(send(played, "GET", "/pets/x"))["owner"] == "One"
    assert value(send(played, "GET", "/two/pets/x"))["owner"] == "Two"
    assert location.startswith("/two/pets/")
    assert value(send(played, "GET", location))["name"] == "Rex"
    assert created.request.path == "/two/pets"
    assert send(played, "GET", "/twofold").reply.status == 404
    assert send(played, "GET", "/two/__mock__/health", headers={"Host": "localhost"}).reply.status == 200
    assert len(second.requests()) == 3


def test_documents_are_given_with_their_prefix(tmp_path: Path) -> None:
    odd = write(tmp_path, "", "a=b.yaml")

    assert documents_of([Path("a.yaml"), Path("/x/=b.yaml"), Path("/y/z=c/d.yaml")]) == {
        "": Path("a.yaml"),
        "/x": Path("b.yaml"),
        "/y/z": Path("c/d.yaml"),
    }
    assert documents_of([odd]) == {"": odd}
    assert documents_of([]) == {"": None}
    with pytest.raises(click.UsageError, match="is used by two documents"):
        documents_of([Path("a.yaml"), Path("b.yaml")])


def changed(path: Path, text: str, at: int) -> None:
    """Write a file with a time of change."""
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at, at))


def test_a_changed_document_is_served_and_what_is_stored_stays(tmp_path: Path) -> None:
    path, said = tmp_path / "openapi.yaml", list[str]()
    first = engine(tmp_path, "One")
    following = Following(first, lambda: load_engine(path), said.append)
    played: Any = following
    id = value(send(played, "POST", "/pets", {"name": "Rex"}))["id"]

    assert not following.follow()
    changed(path, DOCUMENT.format(title="Two"), 1_000)
    assert following.follow()

    assert value(send(played, "GET", "/pets/other"))["owner"] == "Two"
    assert value(send(played, "GET", f"/pets/{id}"))["name"] == "Rex"
    assert said == ["Two 1 was changed and is served again."]


def test_a_document_that_can_not_be_read_is_not_served(tmp_path: Path) -> None:
    path, said = tmp_path / "openapi.yaml", list[str]()
    following = Following(engine(tmp_path, "One"), lambda: load_engine(path), said.append)
    played: Any = following
    changed(path, "openapi: [", 1_000)

    assert not following.follow()
    assert value(send(played, "GET", "/pets/x"))["owner"] == "One"
    assert "the one before it still is" in said[0]

    path.unlink()
    assert not following.follow()
    changed(path, DOCUMENT.format(title="Two"), 2_000)
    assert following.follow()
