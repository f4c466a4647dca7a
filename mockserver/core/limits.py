"""Limits of one request and of the stored state."""

from __future__ import annotations

from dataclasses import dataclass

#: Strings, commas and opening brackets of a body. One C call parses all of them, and no other thread runs meanwhile:
#: this many take some 20 ms.
SYMBOLS = 256 * 1024
#: Numbers in all vectors of one request for embeddings, which one C call writes.
NUMBERS = 2 * 1024 * 1024
#: Bytes of a form besides its file.
_FORM = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one request and of the stored state, in bytes or items.

    In a request, `body` is in bytes, `upload` those of a file in a form, `schema` is the length of a JSON Schema in
    characters, and `choices`, `stops` and `tools` are numbers. `texts` limits the inputs of a request for embeddings,
    `dimensions` the size of a vector. `session` and `agent` are the bytes of one of them, `store` those of everything
    stored. `sessions` is a number; the least recently used session is evicted first. `agents` is the number in one
    scope, configured ones included. `resources` is the number of resources in one list of the control plane, for
    example of the documents of an index. `scopes` is the number of named scopes, `journal` the number of requests in
    each scope's journal; 0 keeps none.
    """

    body: int = 2 * 1024 * 1024
    upload: int = 10 * 1024 * 1024
    choices: int = 128
    stops: int = 1024
    tools: int = 128
    schema: int = 64 * 1024
    session: int = 4 * 1024 * 1024
    sessions: int = 10_000
    store: int = 256 * 1024 * 1024
    agents: int = 1_000
    agent: int = 256 * 1024
    resources: int = 1_000
    texts: int = 2_048
    dimensions: int = 4_096
    scopes: int = 1000
    journal: int = 500

    @property
    def form(self) -> int:
        """The bytes of a form with a file."""
        return self.upload + _FORM

    @property
    def largest_body(self) -> int:
        """The bytes that an adapter reads of a body, at most."""
        return max(self.body, self.form)
