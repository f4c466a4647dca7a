"""Measures what the most expensive requests cost: `make costs`, or `python -m benchmarks.costs_per_request`.

Each request is sent to a fresh mock in a process of its own, without a network. Prints a row of the table in
`docs/reference/limits.md` for each: bytes of its body, status, CPU seconds, MiB that the memory grew by at its peak,
and the longest time that another thread of the same process waited. That is CPU time of the process between two
moments at which the other thread ran, so that other programs on the machine don't count.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_contract.messages import Reply, Request
from mockserver.build import load_engine
from mockserver.engine import Engine
from mockserver.server.http_server import settle

BASE = "/api/v1/compatibility/openai/v1"
#: A process that takes more than this is ended: CPU seconds, and bytes.
_SECONDS, _BYTES = 100, 4 * 1024**3
#: Half the messages of a session; a request of more small values is refused.
_MESSAGES = 18_000
_QUESTION = [{"role": "user", "content": "When is the library open, and what are the fees for a late book?"}]


@dataclass(frozen=True)
class Cost:
    """What a request cost."""

    sent: int
    status: int
    cpu: float
    peak: int
    pause: float
    detail: str

    def row(self, name: str) -> str:
        """Return the cost as a row of a Markdown table."""
        cells = (name, f"{self.sent:,}", f"{self.status}", f"{self.cpu:.2f}", f"{self.peak}", f"{1e3 * self.pause:.0f}")
        return f"| {' | '.join(cells)} |"


def post(engine: Engine, path: str, body: Any) -> Reply:
    """Return the reply to a POST, its events written as a server writes them."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = engine.reply(Request("POST", BASE + path, (), {"content-type": "application/json"}, sent))
    if not isinstance(reply.body, bytes):
        for event in reply.body:
            event.encode()
    return reply


def get(engine: Engine, path: str) -> Reply:
    """Return the reply to a GET of the mock's own interface."""
    return engine.reply(Request("GET", "/__mock__" + path, (), {}, b""))


def chat(agent: str = "demo", messages: Any = None, **fields: Any) -> tuple[str, Any]:
    """Return path and body of a chat."""
    return f"/agents/{agent}/chat/completions", {"messages": messages or _QUESTION, **fields}


def form(schema: Any, **fields: Any) -> tuple[str, Any]:
    """Return path and body of a chat whose answer must have the form of a schema."""
    return chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}, **fields)


def tools(schemas: list[Any], **fields: Any) -> tuple[str, Any]:
    """Return path and body of a chat that calls functions with these parameters."""
    declared = [
        {"type": "function", "function": {"name": f"library{number}", "parameters": schema}}
        for number, schema in enumerate(schemas)
    ]
    named = [{"role": "user", "content": " ".join(f"library{number}" for number in range(len(schemas)))}]
    return chat("demo-tools", named, tools=declared, tool_choice="required", **fields)


def objects(count: int, **each: Any) -> dict[str, Any]:
    """Return a schema of an object that needs `count` properties of one kind."""
    names = [f"p{number}" for number in range(count)]
    return {"type": "object", "properties": dict.fromkeys(names, each), "required": names}


def doubling(depth: int) -> dict[str, Any]:
    """Return a schema that refers twice to the next one at each depth."""
    inner = {f"d{level}": {"properties": {"x": {"$ref": f"#/$defs/d{level + 1}"}}} for level in range(depth)}
    both = {name: {"allOf": [one, one], "required": ["x"]} for name, one in inner.items()}
    return {"$ref": "#/$defs/d0", "$defs": {**both, f"d{depth}": {"type": "object"}}}


def unevaluated(depth: int) -> dict[str, Any]:
    """Return a schema that judges again at each depth what the next one has judged."""
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"allOf": [schema, {"properties": {"p": {}}}], "unevaluatedProperties": {"type": "integer"}}
    return {**schema, "required": ["q"]}


def nested(depth: int) -> bytes:
    """Return the body of a chat that is nested so deep."""
    return b'{"messages":[{"role":"user","content":"a"}],"x":' + b"[" * depth + b"]" * depth + b"}"


def many(value: bytes, size: int) -> bytes:
    """Return the body of a chat of this size in bytes whose list of messages repeats a value."""
    return b'{"messages":[' + b",".join([value] * (size // (len(value) + 1))) + b"]}"


def vectors(count: int, dimensions: int) -> tuple[str, Any]:
    """Return path and body of a request for embeddings."""
    return "/embeddings", {
        "model": "bge-small-en-v1.5",
        "input": ["a late book " * 20] * count,
        "dimensions": dimensions,
    }


def with_format(engine: Engine, reference: str, top: int) -> tuple[str, Any]:
    """Create an agent that refers to what it knows in this form; return path and body of a chat with it."""
    fields = {"model": "llama-2-70b-chat-hf", "name": "x", "index_id": "1f0b7c92-d503-4a61-8e2f-903c5b4d1701"}
    created = post(engine, "/agents", {**fields, "index_reference_format": reference, "index_top_n": top})
    return chat(json.loads(created.content())["id"])


def long_session(engine: Engine, size: int, message: str) -> str:
    """Return a session that has at least `size` bytes, of messages such as this one."""
    half = [{"role": "user", "content": message}] * min(_MESSAGES, size // 2 // (len(message) + 33))
    session = json.loads(post(engine, *chat(messages=half, create_session=True)).content())["session_id"]
    post(engine, *chat(messages=half, store_in_session=session))
    return str(session)


#: What is measured: a name, and what prepares an engine and returns what is sent to it.
CASES: Mapping[str, Callable[[Engine], tuple[str, Any]]] = {
    "an ordinary question": lambda _: chat(),
    "pattern `[a-z]{9000}`, 50 items": lambda _: form(
        {"type": "array", "minItems": 50, "items": {"type": "string", "pattern": "[a-z]{9000}"}}
    ),
    "the same, `n` 4": lambda _: form(
        {"type": "array", "minItems": 50, "items": {"type": "string", "pattern": "[a-z]{9000}"}}, n=4
    ),
    "250 patterns `\\p{L}{1,99}`": lambda _: form(
        {"anyOf": [{"type": "string", "pattern": "\\p{L}{1,99}" + str(number)} for number in range(250)]}
    ),
    "600 patterns `\\p{L}{1,99}`": lambda _: form(
        {"anyOf": [{"type": "string", "pattern": "\\p{L}{1,99}" + str(number)} for number in range(600)]}
    ),
    "3 patterns `\\w{1,70}`, 200 strings": lambda _: form(
        {"type": "array", "minItems": 200, "items": {"allOf": [{"type": "string", "pattern": "^\\w{1,70}$"}] * 3}}
    ),
    "pattern that backtracks": lambda _: form(
        {"type": "string", "pattern": "^(a|a|aa)+(?=b)c$", "default": "a" * 9000}
    ),
    "16 tools, 3 arrays of 9,000 letters each": lambda _: tools(
        [objects(3, type="string", pattern="[a-z]{9000}") for _ in range(16)]
    ),
    "60 tools of 30 kB": lambda _: tools([objects(800, type="string") for _ in range(60)]),
    "16 tools of 400 properties": lambda _: tools([objects(400, type="string") for _ in range(16)]),
    "references that double 26 times": lambda _: form(doubling(26)),
    "references that double 8 times, 300 items": lambda _: form(
        {"type": "array", "minItems": 300, "items": {"$ref": "#/$defs/d0"}, "$defs": doubling(8)["$defs"]}
    ),
    "`unevaluatedProperties` 20 deep": lambda _: form(unevaluated(20)),
    "an `enum` of 12,000 numbers": lambda _: form({"enum": list(range(12_000))}, n=128),
    "5,000 branches": lambda _: form({"anyOf": [{"type": "null"}, *[{"minimum": 1}] * 1900]}, n=128),
    "6,000 required names": lambda _: form(objects(3_000)),
    "nested 120 deep": lambda _: form(json.loads('{"items":' * 120 + "{}" + "}" * 120)),
    "`minLength` 10⁹": lambda _: form({"type": "string", "minLength": 10**9}),
    "`minLength` 900,000": lambda _: form({"type": "string", "minLength": 900_000}, n=128),
    "`minItems` 10⁹": lambda _: form({"type": "array", "minItems": 10**9}),
    "`minItems` 6,000, a stream, `n` 128": lambda _: form(
        {"type": "array", "minItems": 6_000, "items": {"const": 1}}, n=128, stream=True
    ),
    "`minProperties` 15,000": lambda _: form({"type": "object", "minProperties": 15_000}),
    "`uniqueItems`, 400 numbers": lambda _: form(
        {"type": "array", "uniqueItems": True, "minItems": 400, "items": {"type": "integer"}}
    ),
    "`multipleOf` 10⁻³⁰⁰": lambda _: form({"type": "number", "multipleOf": 1e-300, "minimum": 1e300}),
    "no value fits": lambda _: form({"allOf": [objects(300, type="string"), {"not": {}}]}),
    "a `default` of 60 kB, 900 items": lambda _: form(
        {"type": "array", "minItems": 900, "items": {"default": "x" * 60_000}}
    ),
    "`n` 128, a stream": lambda _: chat(n=128, stream=True),
    "`n` 128, 1,024 `stop` sequences": lambda _: chat(n=128, stop=[f"{number:04}" for number in range(1024)]),
    "41,000 `{text}` in a reference format": lambda engine: with_format(engine, "{text}" * 41_000, 4),
    "128 prompts": lambda _: (
        "/agents/demo-knowledge/completions",
        {"prompt": ["The fees for a late book? " * 400] * 128},
    ),
    "2,048 inputs, 4,096 numbers each": lambda _: vectors(2048, 4096),
    "2,048 inputs, 1,024 numbers each": lambda _: vectors(2048, 1024),
    "nested 100,000 deep": lambda _: ("/agents/demo/chat/completions", nested(100_000)),
    "2 MiB of one text": lambda _: chat(messages=[{"role": "user", "content": "fee " * (512 * 1024 - 20)}]),
    "2 MiB of empty messages": lambda _: ("/agents/demo/chat/completions", many(b"{}", 2 * 1024**2 - 20)),
    "2 MiB of short messages": lambda _: (
        "/agents/demo/chat/completions",
        many(b'{"role":"user","content":"a"}', 2 * 1024**2 - 20),
    ),
    "36,000 short messages": lambda _: (
        "/agents/demo/chat/completions",
        many(b'{"role":"user","content":"a"}', 30 * 36_000),
    ),
    "131,000 empty messages": lambda _: ("/agents/demo/chat/completions", many(b"{}", 3 * 131_000)),
    "131,000 empty lists": lambda _: ("/agents/demo/chat/completions", many(b"[]", 3 * 131_000)),
    "260,000 numbers": lambda _: ("/agents/demo/chat/completions", many(b"1", 2 * 260_000)),
    "2 MiB that are not JSON": lambda _: ("/agents/demo/chat/completions", b"[" * 2 * 1024**2),
    "one more turn in a session of 4 MB": lambda engine: chat(
        store_in_session=long_session(engine, 4_000_000, "What is the fee for a late book? " * 30)
    ),
    "the same, of short messages": lambda engine: chat(store_in_session=long_session(engine, 4_000_000, "fee")),
    "reading that session": lambda engine: ("GET", f"/sessions/{long_session(engine, 4_000_000, 'fee')}"),
}


def _peak() -> int:
    """Return the most MiB that this process had since it was reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) // 1024


def _longest_pause(stop: threading.Event) -> float:
    longest, last = 0.0, time.process_time()
    while not stop.is_set():
        time.sleep(0.001)
        now = time.process_time()
        longest, last = max(longest, now - last), now
    return longest


def measure(prepare: Callable[[Engine], tuple[str, Any]]) -> Cost:
    """Return what a request costs, in this process."""
    engine = load_engine()
    settle()
    post(engine, *chat())
    path, body = prepare(engine)
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    Path("/proc/self/clear_refs").write_text("5")
    before, stop, pauses = _peak(), threading.Event(), list[float]()
    watch = threading.Thread(target=lambda: pauses.append(_longest_pause(stop)))
    watch.start()
    begun = time.thread_time()
    reply = get(engine, body) if path == "GET" else post(engine, path, sent)
    cpu = time.thread_time() - begun
    stop.set()
    watch.join()
    detail = reply.content()[:300].decode(errors="replace") if reply.status >= 400 else ""
    return Cost(len(sent), reply.status, cpu, _peak() - before, pauses[0], detail)


def measured_apart(prepare: Callable[[Engine], tuple[str, Any]]) -> Cost | str:
    """Return what a request costs, in a process of its own; how that ended, if it did not return."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            cost = measure(prepare)
            os.write(writing, json.dumps([getattr(cost, name) for name in Cost.__dataclass_fields__]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    status = os.waitpid(child, 0)[1]
    return Cost(*json.loads(told)) if told else f"no answer (wait status {status})"


def main(wanted: str = "") -> None:
    """Measure every case whose name contains `wanted`."""
    print("| request | bytes | status | CPU s | MiB | others waited ms |\n| --- | --- | --- | --- | --- | --- |")
    for name, prepare in CASES.items():
        if wanted in name:
            cost = measured_apart(prepare)
            print(cost.row(name) if isinstance(cost, Cost) else f"| {name} | {cost} |", flush=True)
            if isinstance(cost, Cost) and cost.detail and "-v" in sys.argv:
                print("    ", cost.detail)


if __name__ == "__main__":
    main(*[one for one in sys.argv[1:] if not one.startswith("-")])
