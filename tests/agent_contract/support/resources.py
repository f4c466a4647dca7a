"""A document of a resource that is created, read and deleted under two names, with links and chained examples."""

from __future__ import annotations

from typing import Any

import yaml

TEXT = """\
openapi: 3.1.0
info: {title: Things, version: "1"}
x-clauses:
  - {id: thing.kept, sentence: A thing that was created is there., grade: core}
paths:
  /things:
    post:
      operationId: createThing
      requestBody: {$ref: "#/components/requestBodies/Thing"}
      responses:
        "201": {$ref: "#/components/responses/Created"}
        "422": {description: refused}
    get:
      operationId: listThings
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1}}
      responses:
        "200": {description: ok, content: {application/json: {schema: {type: array}, example: []}}}
        "422": {description: refused}
      x-examples:
        all: {summary: Every thing.}
        some: {x-exchange: {query: {limit: 2}}}
  /objects:
    post:
      operationId: createObject
      requestBody: {$ref: "#/components/requestBodies/Thing"}
      responses:
        "201": {$ref: "#/components/responses/Created"}
        "422": {description: refused}
  /things/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
    get:
      operationId: getThing
      parameters:
        - {name: X-Trace, in: header, schema: {type: string}}
      responses:
        "200": {description: ok, content: {application/json: {schema: {type: object}, example: {id: "7", size: 3}}}}
        "404": {description: none}
      x-examples:
        kept:
          x-exchange:
            after: createThing.small
            set:
              path.id: $response.body#/id
              query.colour: $request.body#/colour
              header.X-Trace: $response.header.Content-Type
            shows: [thing.kept]
    delete:
      operationId: deleteThing
      responses:
        "204": {description: gone}
        "404": {description: none}
      x-examples:
        gone: {x-exchange: {after: getThing.kept, set: {path.id: $request.path.id}}}
components:
  requestBodies:
    Thing:
      required: true
      content:
        application/json:
          schema: {type: object, required: [colour], properties: {colour: {type: string}, like: {type: string}}}
          examples:
            small: {value: {colour: "blue"}}
            alike:
              value: {colour: blue, like: "0"}
              x-exchange: {after: small, set: {/like: $response.body#/id}}
            refused: {value: {}, x-exchange: {status: 422}}
  responses:
    Created:
      description: created
      content:
        application/json:
          schema: {type: object}
          example: {id: "7"}
      links:
        get:
          operationId: getThing
          parameters: {id: $response.body#/id}
        delete:
          operationRef: "#/paths/~1things~1%7Bid%7D/delete"
          parameters: {path.id: "{$response.body#/id}"}
        again:
          operationId: createThing
          requestBody: {colour: red}
        elsewhere:
          operationRef: "https://example.org/other.yaml#/paths/~1a/get"
"""


def things() -> Any:
    """Return the document, a fresh one each time."""
    return yaml.safe_load(TEXT)
