"""`--spec`: the mock plays any OpenAPI document, from its examples and its schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_contract import check_reply
from agent_contract.messages import Reply, Request
from mockserver import load_engine
from mockserver.build import create_engine
from mockserver.core.play_options import PlayOptions
from mockserver.engine import Engine
from mockserver.recording.example_request import example_command

DOCUMENT = """\
openapi: 3.1.0
info: {title: Birds, version: "1"}
servers: [{url: https://birds.example/v2}]
paths:
  /birds/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}, example: 7}
    get:
      operationId: getBird
      responses:
        "200":
          description: The bird.
          headers:
            X-Rate: {required: true, schema: {type: integer, minimum: 3, maximum: 3}}
          content: {application/json: {schema: {$ref: "#/components/schemas/Bird"}}}
    put:
      operationId: putBird
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Bird"}}}
      responses:
        "400": {description: No bird.}
        "201":
          description: Made.
          content: {application/json: {schema: {type: object}, example: {name: heron}}}
    delete:
      operationId: deleteBird
      responses: {"204": {description: Gone.}}
  /songs:
    get:
      operationId: listenToBirds
      responses:
        "200":
          description: Songs.
          content:
            text/event-stream:
              schema: {type: object, required: [data], properties: {data: {const: chirp}}}
  /name:
    get:
      operationId: nameBird
      responses:
        default: {description: A name., content: {text/plain: {schema: {type: string, minLength: 2}}}}
  /impossible:
    get:
      operationId: impossible
      responses:
        "200":
          description: Nothing.
          content: {application/json: {schema: {type: integer, minimum: 2, maximum: 1}}}
components:
  schemas:
    Bird:
      type: object
      required: [name, wings]
      properties:
        name: {type: string, minLength: 1}
        wings: {type: integer, minimum: 2, maximum: 2}
        nest: {$ref: "#/components/schemas/Bird"}
"""


@pytest.fixture(scope="module")
def birds(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    path: Path = tmp_path_factory.mktemp("spec") / "birds.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return load_engine(path, play=PlayOptions(stateless=True))


def ask(birds: Engine, method: str, path: str, body: Any = None) -> Reply:
    sent = b"" if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"} if sent else {}
    return birds.reply(Request(method, "/v2" + path, (), headers, sent))


def test_a_reply_is_sampled_from_its_schema(birds: Engine) -> None:
    reply = ask(birds, "GET", "/birds/7")
    assert (reply.status, reply.headers["x-rate"]) == (200, "3")
    assert check_reply(birds.contract.operations["getBird"], reply) == ()
    assert json.loads(reply.content())["wings"] == 2


def test_the_same_seed_samples_the_same(birds: Engine) -> None:
    again = create_engine(birds.contract, birds.config, seed=birds.ids.seed)
    assert ask(again, "GET", "/birds/7") == ask(birds, "GET", "/birds/7")


def test_a_documented_example_goes_before_a_sample(birds: Engine) -> None:
    reply = ask(birds, "PUT", "/birds/7", {"name": "x", "wings": 2})
    assert (reply.status, json.loads(reply.content())) == (201, {"name": "heron"})


def test_a_bad_request_gets_the_status_that_is_documented_for_it(birds: Engine) -> None:
    assert ask(birds, "PUT", "/birds/7", {"name": "x"}).status == 400
    assert ask(birds, "GET", "/birds/0").status == 400


def test_a_reply_without_content_is_empty(birds: Engine) -> None:
    reply = ask(birds, "DELETE", "/birds/7")
    assert (reply.status, reply.body) == (204, b"")
    assert "content-type" not in reply.headers


def test_a_stream_is_sampled_as_events(birds: Engine) -> None:
    reply = ask(birds, "GET", "/songs")
    assert reply.content() == b"data: chirp\n\n" * 3
    assert reply.headers["content-type"] == "text/event-stream"


def test_a_string_is_sent_unchanged(birds: Engine) -> None:
    reply = ask(birds, "GET", "/name")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain")
    assert len(reply.content()) >= 2


def test_a_schema_without_a_sample_gives_a_501_that_asks_for_an_example(birds: Engine) -> None:
    reply = ask(birds, "GET", "/impossible")
    assert reply.status == 501
    assert "give it an example" in json.loads(reply.content())["detail"]


def test_405_names_every_method_of_a_path(birds: Engine) -> None:
    assert ask(birds, "PATCH", "/birds/7").headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"


def test_the_curl_to_try_needs_no_body(birds: Engine) -> None:
    assert (
        example_command(birds.contract, "http://127.0.0.1:1", False) == "curl -sS -X GET http://127.0.0.1:1/v2/birds/7"
    )


FOREIGN = """\
openapi: 3.1.0
info: {title: Travel, version: "1"}
servers: [{url: /v2}]
paths:
  /agents/{agent_id}:
    parameters:
      - {name: agent_id, in: path, required: true, schema: {type: string}}
    get:
      operationId: getAgent
      responses:
        "200":
          description: A travel agent.
          content: {application/json: {schema: {type: object}, example: {office: Oslo}}}
"""


def test_an_operation_id_of_the_agent_api_in_another_document_answers_with_its_example(tmp_path: Path) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_text(FOREIGN, encoding="utf-8")
    reply = ask(load_engine(file), "GET", "/agents/unknown")
    assert (reply.status, json.loads(reply.content())) == (200, {"office": "Oslo"})


def test_a_document_that_names_the_behaviours_gets_them(tmp_path: Path) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_text(f"{FOREIGN}x-behaviours: agent-api\n", encoding="utf-8")
    reply = ask(load_engine(file), "GET", "/agents/unknown")
    assert "No agent found" in json.loads(reply.content())["detail"]
