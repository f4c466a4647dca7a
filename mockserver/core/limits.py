"""Limits of one request and of what the mock keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost and what the mock keeps: bytes, or numbers of items.

    `tools` limits the tools that a request declares, `schema` the characters of a JSON Schema in it. `session` limits
    the stored bytes of one session, `sessions` the number of sessions and `store` their bytes together: the least
    recently used session is evicted first. `agents` limits the agents of one scope, configured ones included, `agent`
    the stored bytes of one. `texts` and `dimensions` limit one request for embeddings. `scopes` limits the scopes that
    have a name, `journal` the requests that the journal of each scope keeps; 0 keeps none.
    """

    body: int = 2 * 1024 * 1024
    choices: int = 128
    stops: int = 1024
    tools: int = 128
    schema: int = 64 * 1024
    session: int = 4 * 1024 * 1024
    sessions: int = 10_000
    store: int = 256 * 1024 * 1024
    agents: int = 1_000
    agent: int = 256 * 1024
    texts: int = 2_048
    dimensions: int = 4_096
    scopes: int = 1000
    journal: int = 500
