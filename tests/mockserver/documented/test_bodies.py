"""Bodies of all kinds are read with the types of their schema: forms, multipart, plain text, XML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_contract import Found, Request, parse_call
from agent_contract.contract import Contract
from mockserver.build import create_engine
from tests.agent_contract.support.documents import compiled
from tests.mockserver.documented.support.played import document, play, send, value

FORM = "application/x-www-form-urlencoded"
SCHEMA = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "price": {"type": "number"},
        "open": {"type": "boolean"},
        "name": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "sizes": {"type": "array", "items": {"type": "integer"}},
        "codes": {"type": "array", "items": {"type": "integer"}},
        "address": {
            "type": "object",
            "properties": {"zip": {"type": "integer"}, "lines": {"type": "array", "items": {"type": "string"}}},
            "additionalProperties": False,
        },
        "either": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]},
        "kind": {"enum": [1, 2]},
    },
    "additionalProperties": False,
}


def posting(media_type: str, media: Any) -> dict[str, Any]:
    """Return a document whose POST takes a body of a media type."""
    body = {"required": True, "content": {media_type: media}}
    return document({"/it": {"post": {"requestBody": body, "responses": {"200": {"description": "ok"}}}}})


def read(contract: Contract, content_type: str, body: bytes) -> Any:
    """Return the body that is read."""
    found = contract.find("POST", "/it")
    assert isinstance(found, Found)
    return parse_call(found, Request("POST", "/it", (), {"content-type": content_type}, body), lenient=True).body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("count=3&price=1.5&open=true&name=7", {"count": 3, "price": 1.5, "open": True, "name": "7"}),
        ("tags=a&tags=b", {"tags": ["a", "b"]}),
        ("tags=a", {"tags": ["a"]}),
        ("tags[]=a&tags[]=b", {"tags": ["a", "b"]}),
        ("tags[0]=a&tags[1]=b", {"tags": ["a", "b"]}),
        ("sizes=1,2", {"sizes": [1, 2]}),
        ("codes=1|2", {"codes": [1, 2]}),
        ("sizes=%5B1%2C2%5D", {"sizes": [1, 2]}),
        ("address[zip]=5&address[lines][]=x&address[lines][]=y", {"address": {"zip": 5, "lines": ["x", "y"]}}),
        ("address=%7B%22zip%22%3A5%7D", {"address": {"zip": 5}}),
        ("address.zip=5&name=a.b", {"address": {"zip": 5}, "name": "a.b"}),
        ("either=4", {"either": 4}),
        ("either[]=4&either[]=5", {"either": [4, 5]}),
        ("kind=2", {"kind": 2}),
        ("name=%5Bx", {"name": "[x"}),
        ("name=a&name=b", {"name": "b"}),
        ("", None),
    ],
)
def test_a_form_has_the_types_of_its_schema(tmp_path: Path, body: str, expected: Any) -> None:
    encoding = {"sizes": {"explode": False}, "codes": {"style": "pipeDelimited"}}
    contract = compiled(tmp_path, posting(FORM, {"schema": SCHEMA, "encoding": encoding}))

    assert read(contract, FORM, body.encode()) == expected


def multipart(*parts: tuple[str, str]) -> bytes:
    """Return a multipart body of parts: the headers after the disposition's `form-data`, and the content."""
    written = "".join(f"--x\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n" for head, content in parts)
    return (written + "--x--\r\n").encode("latin-1")


def test_multipart_has_the_types_of_its_schema(tmp_path: Path) -> None:
    files = {"type": "array", "items": {"type": "string", "format": "binary"}}
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "file": {"type": "string"}, "files": files}}  # type: ignore[dict-item]
    contract = compiled(tmp_path, posting("multipart/form-data", {"schema": schema}))
    body = multipart(
        ('name="count"', "3"),
        ('name="file"; filename="a.txt"\r\nContent-Type: text/plain', "content"),
        ('name="files[]"; filename="b"', "\xff\r\n\r\n1"),
        ('name="files[]"; filename="c"', "2"),
        ('name="address"\r\nContent-Type: application/json', '{"zip": 5}'),
        ('name="tags"', "a"),
    )

    got = read(contract, "multipart/form-data; boundary=x", body)

    assert got == {
        "count": 3,
        "file": "content",
        "files": ["\ufffd\r\n\r\n1", "2"],
        "address": {"zip": 5},
        "tags": ["a"],
    }


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"no parts"),
        ("multipart/form-data; boundary=x", multipart(('name="a"\r\nContent-Type: application/json', "{"))),
    ],
)
def test_a_broken_multipart_body_is_refused(tmp_path: Path, content_type: str, body: bytes) -> None:
    engine = create_engine(compiled(tmp_path, posting("multipart/form-data", {"schema": SCHEMA})))

    exchange = send(engine, "POST", "/it", body, {"Content-Type": content_type})

    assert exchange.reply.status == 400


@pytest.mark.parametrize(("schema", "body", "status"), [
    ({"type": "integer"}, b"12", 200),
    ({"type": "integer"}, b"twelve", 400),
    ({"type": "boolean"}, b"true", 200),
    ({"type": "string"}, b"12", 200),
    ({"type": "array", "items": {"type": "integer"}}, b"[1, 2]", 200),
])  # fmt: skip
def test_plain_text_has_the_type_of_its_schema(tmp_path: Path, schema: Any, body: bytes, status: int) -> None:
    engine = play(tmp_path, posting("text/plain", {"schema": schema}))

    assert send(engine, "POST", "/it", body, {"Content-Type": "text/plain"}).reply.status == status


PET = {
    "type": "object",
    "required": ["id", "name"],
    "additionalProperties": False,
    "xml": {"name": "pet"},
    "properties": {
        "id": {"type": "integer", "xml": {"attribute": True}},
        "name": {"type": "string"},
        "tags": {"type": "array", "xml": {"wrapped": True}, "items": {"type": "string", "xml": {"name": "tag"}}},
        "sizes": {"type": "array", "items": {"type": "integer", "xml": {"name": "size"}}},
    },
}
XML = b'<pet id="7"><name>Rex</name><tags><tag>a</tag><tag>b</tag></tags><size>1</size></pet>'
VALUE = {"id": 7, "name": "Rex", "tags": ["a", "b"], "sizes": [1]}


def test_xml_has_the_types_of_its_schema(tmp_path: Path) -> None:
    contract = compiled(tmp_path, posting("application/xml", {"schema": PET}))

    assert read(contract, "application/xml", XML) == VALUE


def test_a_value_is_sent_as_xml_and_read_back(tmp_path: Path) -> None:
    written = posting("application/xml", {"schema": PET})
    responses = written["paths"]["/it"]["post"]["responses"]
    responses["200"]["content"] = {"application/xml": {"schema": PET, "example": VALUE}}
    engine = play(tmp_path, written)

    reply = send(engine, "POST", "/it", XML, {"Content-Type": "application/xml"}).reply

    assert b'<pet id="7"><name>Rex</name>' in reply.content()
    assert read(engine.contract, "application/xml", reply.content()) == VALUE


@pytest.mark.parametrize(
    "body", [b"<pet>", b"not XML", b'<!DOCTYPE a [<!ENTITY b "c">]><pet id="1"><name>&b;</name></pet>']
)
def test_broken_xml_is_refused(tmp_path: Path, body: bytes) -> None:
    engine = play(tmp_path, posting("text/xml", {"schema": PET}))

    assert send(engine, "POST", "/it", body, {"Content-Type": "text/xml"}).reply.status == 400


def test_a_body_without_a_content_type_is_read_as_documented(tmp_path: Path) -> None:
    contract = compiled(tmp_path, posting(FORM, {"schema": SCHEMA}))
    found = contract.find("POST", "/it")
    assert isinstance(found, Found)

    assert parse_call(found, Request("POST", "/it", (), {}, b"count=3"), lenient=True).body == {"count": 3}


def test_a_body_that_several_branches_accept_is_tolerated_with_a_warning(tmp_path: Path) -> None:
    schema = {"oneOf": [{"type": "integer"}, {"type": "number"}]}
    engine = play(tmp_path, posting("application/json", {"schema": schema}))

    overlapping, neither = send(engine, "POST", "/it", 3), send(engine, "POST", "/it", "x")

    assert overlapping.reply.status == 200
    assert "valid under more than one branch" in overlapping.reply.headers["x-mock-warning"]
    assert overlapping.hints
    assert neither.reply.status == 400


def test_a_refusal_of_a_form_names_the_field(tmp_path: Path) -> None:
    engine = play(tmp_path, posting(FORM, {"schema": SCHEMA}))

    exchange = send(engine, "POST", "/it", b"count=many", {"Content-Type": FORM})

    assert value(exchange)["detail"][0]["loc"] == ["body", "count"]
