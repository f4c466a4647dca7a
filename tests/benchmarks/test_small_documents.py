"""Each small document starts, is repaired by the rules that it names, and gets the answer that it describes."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from agent_contract import Found, Request, UnreadableError, check_reply
from agent_contract.document.repair.mender import RULES
from agent_contract.lint import lint
from benchmarks.documents.small_documents import ANY, SmallDocument, read_small_documents
from mockserver.build import load_engine

DOCUMENTS = list(read_small_documents())


def _request(small: SmallDocument) -> Request:
    sent = small.request
    headers, body = dict(sent.get("headers", {})), b""
    if "body" in sent:
        headers["content-type"], body = "application/json", json.dumps(sent["body"]).encode()
    elif "form" in sent:
        headers["content-type"], body = "application/x-www-form-urlencoded", sent["form"].encode()
    query = tuple(sent.get("query", {}).items())
    return Request(sent["method"], quote(sent["path"]), query, headers, body)


def _written(small: SmallDocument, folder: Path) -> Path:
    """Return the path of the document, after writing it with the files that it refers to."""
    for name, text in {"openapi.yaml": small.text, **small.files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "openapi.yaml"


@pytest.mark.parametrize("small", DOCUMENTS, ids=lambda small: small.name)
def test_a_small_document_is_played(small: SmallDocument, tmp_path: Path) -> None:
    engine = load_engine(_written(small, tmp_path))
    contract = engine.contract
    assert {repair.rule.name for repair in contract.repairs} == set(small.rules)
    request = _request(small)
    reply = engine.handle(request).reply
    assert reply.status == small.status, reply.content()
    if small.reply is not ANY:
        assert json.loads(reply.content()) == small.reply
    found = contract.find(request.method, request.path)
    if isinstance(found, Found) and found.operation.responses and reply.status < 300:
        assert check_reply(found.operation, reply) == ()


@pytest.mark.parametrize("small", DOCUMENTS, ids=lambda small: small.name)
def test_the_problems_of_a_small_document_are_found(small: SmallDocument, tmp_path: Path) -> None:
    try:
        findings = lint(_written(small, tmp_path))
    except UnreadableError:  # a file that can't be read, or a key that is given twice
        assert small.rules[0] in ("dangling-reference", "reference-by-name", "repeated-key")
        return
    if findings.repairs:
        assert findings.errors, "a document that the strict reader accepts needs no repair"
        assert small.rules


def test_there_is_a_small_document_for_every_rule() -> None:
    assert {rule.name for rule in RULES} == {name for small in DOCUMENTS for name in small.rules}


def test_the_names_of_small_documents_differ() -> None:
    assert len({small.name for small in DOCUMENTS}) == len(DOCUMENTS)
