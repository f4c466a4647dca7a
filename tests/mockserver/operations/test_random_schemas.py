"""Random schemas from clients: every reply is no fault of the server, and has a bounded size.

A longer run: `SCHEMAS=20000 python -m pytest tests/mockserver/operations/test_random_schemas.py`. It also checks
CPU seconds: in a run of everything they depend on what else the process has to collect.
"""

from __future__ import annotations

import json
import os
import random
import time
from typing import Any

import pytest

from agent_contract.messages import Reply
from tests.mockserver.support.chat_client import ChatClient, request
from tests.mockserver.support.random_schemas import random_schema

#: Number of schemas in a run, and in each test.
SCHEMAS = int(os.environ.get("SCHEMAS", "200"))
MEASURED = "SCHEMAS" in os.environ
EACH = 50
#: The bounds of docs/reference/limits.md: CPU seconds, and bytes: a character that is generated can take six as JSON
#: in JSON (`\\u0000`), and each of 65,536 tokens of a stream has a chunk of its own.
SECONDS = 1.0
BYTES = 8 * 1024**2
STREAM_BYTES = 64 * 1024**2


def random_body(chance: random.Random) -> dict[str, Any]:
    """Return a chat that sends random schemas as the form of its answer, or as parameters of functions."""
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "What is the fee? f0 f1 f2"}]}
    if chance.random() < 0.5:
        form = {"name": "x", "schema": random_schema(chance), "strict": chance.random() < 0.5}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    else:
        functions = [
            {"name": f"f{number}", "parameters": random_schema(chance)} for number in range(chance.choice((1, 2, 16)))
        ]
        body["tools"] = [{"type": "function", "function": one} for one in functions]
        body["tool_choice"] = chance.choice(("auto", "required"))
    return {**body, "n": chance.choice((1, 1, 4, 128)), "stream": chance.random() < 0.3}


def cost_of(ask: ChatClient, body: dict[str, Any]) -> tuple[Reply, int, float]:
    """Return the reply, its size in bytes and the CPU seconds that it took."""
    sent = request(json.dumps(body).encode(), agent="demo-tools")
    begun = time.thread_time()
    reply = ask.engine.reply(sent)
    size = len(reply.content())
    return reply, size, time.thread_time() - begun


@pytest.mark.parametrize("seed", range(max(1, SCHEMAS // EACH)))
def test_random_schemas_are_answered_within_the_bounds(ask: ChatClient, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(EACH):
        body = random_body(chance)
        reply, size, seconds = cost_of(ask, body)
        case = f"seed {seed}, number {number}: {json.dumps(body)[:2000]}"
        assert reply.status in (200, 400, 413, 422), (reply.content()[:300], case)
        assert seconds < SECONDS or not MEASURED, (seconds, case)
        assert size < (BYTES if isinstance(reply.body, bytes) else STREAM_BYTES), (size, case)
