"""Plays published documents with several mock servers: `make documents`.

Each server starts with each document and gets one valid request for each operation. Printed are the documents that it
starts with, the seconds of the start, the memory, and the good replies: a documented success with a documented media
type and a valid body. The documents and the other servers come from npm; paths of more documents can be added.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from agent_contract import Contract, Operation, Reply, check_reply, load_contract
from benchmarks.documents.requests import WireRequest, request_for
from benchmarks.documents.small_documents import SmallDocument, read_small_documents
from benchmarks.npm_servers import BUILD, ServerError, free_port, install, running
from benchmarks.serving.process import resident

HERE = Path(__file__).parent
FOLDER = BUILD / "documents"
MODULES = FOLDER / "node_modules"
#: The documents of the packages, from the fastest to the slowest.
PUBLISHED = (
    "@readme/oas-examples/3.0/json/*.json",
    "@readme/oas-examples/3.1/json/*.json",
    "@readme/oas-examples/2.0/json/*.json",
    "@scalar/galaxy/dist/3.1.yaml",
    "@directus/specs/dist/openapi.json",
    "@blockfrost/openapi/openapi.yaml",
    "@figma/rest-api-spec/openapi/openapi.yaml",
    "@octokit/openapi/generated/api.github.com.json",
)
_START, _REPLY = 60.0, 10.0


def _own(file: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "agent_contract", "serve", "--spec", str(file), "--port", str(port)]


def _prism(file: Path, port: int) -> list[str]:
    script = str(MODULES / "@stoplight/prism-cli/dist/index.js")
    return ["node", script, "mock", str(file), "-v", "silent", "-p", str(port)]


def _steady(file: Path, port: int) -> list[str]:
    return ["node", str(MODULES / "@stdy/cli/steady.js"), "-q", "--host", "127.0.0.1", "-p", str(port), str(file)]


def _scalar(file: Path, port: int) -> list[str]:
    return ["node", str(FOLDER / "scalar_server.mjs"), str(file), str(port)]


SERVERS: dict[str, Callable[[Path, int], list[str]]] = {
    "this kit": _own,
    "Prism": _prism,
    "Steady": _steady,
    "Scalar": _scalar,
}


@dataclass(slots=True)
class Result:
    """What one server did with all documents."""

    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    replies: Counter[str] = field(default_factory=Counter)


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", nargs="*", type=Path, help="more documents")
    parser.add_argument("--quick", action="store_true", help="play five documents with this kit alone")
    parser.add_argument("--match", default="", help="play only the published documents with this in their path")
    parser.add_argument("--most", type=int, default=150, help="operations of one document (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        if not options.quick:
            install(HERE / "package.json", FOLDER)
            (FOLDER / "scalar_server.mjs").write_text((HERE / "scalar_server.mjs").read_text(encoding="utf-8"))
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    published = [file for pattern in PUBLISHED for file in sorted(MODULES.glob(pattern))]
    documents = [*(file for file in published if options.match in str(file)), *options.documents]
    if options.quick:
        FOLDER.mkdir(parents=True, exist_ok=True)
        documents = [*_written(read_small_documents()), *options.documents]
    results = {name: Result() for name in (["this kit"] if options.quick else SERVERS)}
    for file in documents:
        contract = load_contract(file, strict=False)
        operations = [one for one in contract.operations.values() if _can_succeed(one)][: options.most]
        requests = [(one.id, request_for(contract, one)) for one in operations]
        for name, result in results.items():
            _play(SERVERS[name], file, contract, [(one, request) for one, request in requests if request], result)
            print(f"{file.name}: {name}: {dict(result.replies)}", file=sys.stderr)
    print(_table(results, len(documents)))
    return 0


def _can_succeed(operation: Operation) -> bool:
    """Return whether a success is documented: without one, no reply of any server is right."""
    return any(status[0] in "23d" for status in operation.responses)


def _written(small: Iterable[SmallDocument]) -> list[Path]:
    """Write the first five small documents to files, and return their paths."""
    files = []
    for index, one in enumerate(islice(small, 5)):
        files.append(FOLDER / f"small-{index}.yaml")
        files[-1].write_text(one.text, encoding="utf-8")
    return files


def _play(
    command: Callable[[Path, int], list[str]],
    file: Path,
    contract: Contract,
    requests: list[tuple[str, WireRequest]],
    result: Result,
) -> None:
    port = free_port()
    begin = time.perf_counter()
    try:
        with running(command(file.resolve(), port), port, FOLDER / "server.log", _START) as process:
            result.seconds.append(time.perf_counter() - begin)
            for name, request in requests:
                result.replies[_verdict(contract, name, _sent(port, request))] += 1
            result.memory.append(resident(process.pid))
    except ServerError:
        result.refused.append(file.name)
        result.replies["not started"] += len(requests)


def _sent(port: int, request: WireRequest) -> Reply | None:
    """Return the reply to a request; None if there is none in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_REPLY)
    try:
        connection.request(request.method, request.target, request.body or None, dict(request.headers))
        reply = connection.getresponse()
        headers = {name.lower(): value for name, value in reply.getheaders()}
        return Reply(reply.status, headers, reply.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _verdict(contract: Contract, name: str, reply: Reply | None) -> str:
    if reply is None:
        return "no reply"
    if not 200 <= reply.status < 400:
        return "refused" if reply.status < 500 else "failed"
    faults = check_reply(contract.operations[name], reply)
    return "good" if not faults else "invalid body" if faults[0].where[0] == "body" else "undocumented"


def _table(results: dict[str, Result], documents: int) -> str:
    lines = [
        "| server | documents | start: median, worst | memory: worst | good replies | invalid bodies | others |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, result in results.items():
        total, good = sum(result.replies.values()), result.replies["good"]
        invalid = result.replies["invalid body"]
        start = f"{statistics.median(result.seconds):.2f} s, {max(result.seconds):.2f} s" if result.seconds else "-"
        memory = f"{max(result.memory):.0f} MB" if result.memory else "-"
        rate = f"{good} of {total} ({100 * good / max(total, 1):.1f} %)"
        started = documents - len(result.refused)
        others = total - good - invalid
        lines.append(f"| {name} | {started} of {documents} | {start} | {memory} | {rate} | {invalid} | {others} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
