"""A small document with three API versions."""

from __future__ import annotations

TEXT = """\
openapi: 3.1.0
info: {title: Grown, version: "3", x-versions: ["1", "2", "3"]}
paths:
  /things:
    post:
      operationId: send
      parameters:
        - {name: old, in: query, schema: {type: string}}
        - {name: new, in: query, x-since: "2", schema: {type: string}}
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Thing"}
            examples:
              plain: {value: {name: a}, x-exchange: {shows: [a.name, a.size]}}
              sized: {value: {name: a, size: 1}}
              sized-null: {value: {name: a, size: null}}
              inner: {value: {name: a, inner: {list: [{}, {late: 1}]}}}
              shown: {value: {name: a}, x-exchange: {shows: [a.size]}}
              asked: {value: {name: a}, x-exchange: {query: {new: x}}}
              taken: {value: {name: a}, x-exchange: {after: plain, set: {query.new: $response.body#/name}}}
              following: {value: {name: a}, x-exchange: {after: sized}}
              linked: {value: {name: a}, x-exchange: {status: 409}}
              lent: {$ref: "#/components/examples/Lent"}
              colour-new: {value: {name: a, colour: green}}
              colour-old: {value: {name: a, colour: red}}
      responses:
        "200":
          description: ok
          content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}
          links:
            again: {operationId: send, parameters: {query.new: x, old: y}, requestBody: {name: b}}
            sized: {operationId: send, requestBody: {name: b, size: 1}}
            later: {operationId: later}
        "409": {$ref: "#/components/responses/Linked"}
        "422": {description: refused}
    get:
      operationId: get
      responses: {"200": {description: ok}}
  /later:
    post:
      operationId: later
      x-since: "3"
      responses: {"200": {description: ok}}
components:
  examples:
    Lent: {value: {name: a, size: 2}}
  responses:
    Linked: {description: linked, x-since: "3", x-clauses: [{id: a.linked, sentence: It is linked., grade: core}]}
  schemas:
    Thing:
      type: object
      required: [name, size]
      properties:
        name:
          type: string
          x-clauses:
            - {id: a.unmarked, sentence: It is newer., grade: core, since: "2"}
            - {id: a.name, sentence: It has a name., grade: core}
        size: {type: [integer, "null"], x-since: "2", x-clauses: [{id: a.size, sentence: It is sized., grade: core}]}
        inner: {$ref: "#/components/schemas/Inner"}
        part: {$ref: "#/components/schemas/Part"}
        parts: {type: array, x-since: "2", items: {$ref: "#/components/schemas/Part"}}
        colour:
          oneOf: [{const: red}, {const: green, x-since: "2"}]
        shape:
          anyOf: [{const: round, x-since: "3"}]
      example: {name: a, size: 3}
      examples: [{name: a}, {name: a, size: 3}]
    Inner:
      type: object
      properties:
        list: {type: array, items: {type: object, properties: {late: {x-since: "2"}}}}
    Part:
      x-since: "2"
      type: object
      properties:
        bit: {$ref: "#/components/schemas/Bit"}
    Bit:
      type: object
      x-clauses: [{id: a.bit, sentence: It is a bit., grade: core}]
"""
