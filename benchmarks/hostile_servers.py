"""Runs `verify`, `wait` and OIDC discovery against servers that try to hold or fill a client; prints a table.

    python -m benchmarks.hostile_servers [NAME ...] [--deadline SECONDS]

For each server: how the command ended, seconds, CPU seconds after the deadline, and the most memory that it took. A row
beyond its bound of seconds is measured a second time if the machine is busy with other work.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

#: Sends to one connection, after a request was read, until it returns or the client is gone.
Hostility: TypeAlias = Callable[[socket.socket], None]

ANSWER = json.dumps(
    {
        "id": "chat-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
).encode()
#: A load above which a measurement of seconds is repeated.
BUSY = 4.0
_MIB = 1024 * 1024
_BLOCK = 64 * 1024


def _head(*headers: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", "content-type: application/json", *headers, "", "")).encode()


def _whole(body: bytes, *headers: str) -> Hostility:
    return lambda to: to.sendall(_head(*headers, f"content-length: {len(body)}") + body)


def _endless(head: bytes, piece: bytes, pause: float = 0.0) -> Hostility:
    def send(to: socket.socket) -> None:
        to.sendall(head)
        while True:
            to.sendall(piece)
            time.sleep(pause)

    return send


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _bomb(layers: int, size: int) -> bytes:
    """Return zeros of a size, compressed by gzip several times; the checksum at the end is left out."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = compressor.compress(bytes(_MIB)) + compressor.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the same bytes are coded alike: they are compressed once.
    data = first + (compressor.compress(bytes(_MIB)) + compressor.flush(zlib.Z_FULL_FLUSH)) * (size // _MIB - 1)
    for _ in range(layers - 1):
        data = gzip.compress(data, 9)
    return data


def _empty_blocks() -> Iterator[bytes]:
    """Yield gzip data that never decodes to a byte."""
    yield b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    yield from itertools.repeat(b"\0\0\0\xff\xff" * 12800)


def _deflate_nothing(to: socket.socket) -> None:
    to.sendall(_head("content-encoding: gzip", "transfer-encoding: chunked"))
    for block in _empty_blocks():
        to.sendall(_chunk(block))


def _one_byte_chunks(to: socket.socket) -> None:
    to.sendall(_head("transfer-encoding: chunked"))
    to.sendall(b"1\r\n \r\n" * (4 * _MIB))
    to.sendall(b"0\r\n\r\n")


_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_EVENT = b'data: {"id": "x", "choices": [{"index": 1, "delta": {"content": "a"}}]}\n\n'


def _objects(number: int) -> bytes:
    return b'{"object": "list", "data": [' + b"{}," * (number - 1) + b"{}]}"


SERVERS: Mapping[str, Hostility] = {
    "gzip bomb, one layer": _whole(_bomb(1, 1024 * _MIB), "content-encoding: gzip"),
    "gzip bomb, three layers": _whole(_bomb(3, 1024 * _MIB), "content-encoding: gzip, gzip, gzip"),
    "empty deflate blocks": _deflate_nothing,
    "interim replies without an end": _endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
    "a head that drips": _endless(b"HTTP/1.1 200 OK\r\nx-drip: ", b"x", 1.0),
    "a body that drips": _endless(_head("content-length: 100000"), b" ", 1.0),
    "trailers without an end": _endless(_head("transfer-encoding: chunked") + b"0\r\n", b"x-trailer: x\r\n" * 100),
    "trailers that drip": _endless(_head("transfer-encoding: chunked") + b"0\r\nx: ", b"x", 1.0),
    "a body without an end": _endless(_head("transfer-encoding: chunked"), _chunk(b" " * _BLOCK)),
    "events without an end": _endless(_STREAM, _chunk(b'data: {"id": "x", "choices": []}\n\n' * 1000)),
    "16 MiB of carriage returns": _whole(b"\r" * 16 * _MIB),
    "4 MiB of carriage returns as events": lambda to: to.sendall(
        _STREAM + _chunk(b"\r" * (4 * _MIB - 100)) + b"0\r\n\r\n"
    ),
    "replies of 16 MiB": _whole(ANSWER[:-1] + b" " * 16 * _MIB + b"}"),
    "replies of 4 MiB": _whole(ANSWER[:-1] + b" " * (4 * _MIB - 1000) + b"}"),
    "4 MiB of empty objects": _whole(_objects(4 * _MIB // 3 - 20)),
    "90,000 empty objects": _whole(_objects(90_000)),
    "9,000 events": lambda to: to.sendall(_STREAM + _chunk(_EVENT * 9000) + b"0\r\n\r\n"),
    "chunks of one byte": _one_byte_chunks,
    "nothing": lambda _to: time.sleep(3600),
}


@contextmanager
def serving(hostility: Hostility) -> Iterator[str]:
    """Serve every request on a port of its own; yield the URL."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                while _request(connection):
                    hostility(connection)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def _request(connection: socket.socket) -> bool:
    """Read a request; return whether there was one."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(_BLOCK)
        if not piece:
            return False
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = int(lengths[0]) - len(body) if lengths else 0
    while missing > 0:
        missing -= len(connection.recv(_BLOCK)) or missing
    return True


def commands(url: str, deadline: float) -> Mapping[str, list[str]]:
    """Return the commands that meet the server, by name."""
    limits = ["--timeout=5", f"--deadline={deadline:g}", "--warmup=0"]
    oidc = [f"--oidc-issuer={url}", "--oidc-client-id=client"]
    return {
        "verify": ["verify", url, "--agent-id=a", *limits],
        "OIDC": ["verify", url, "--agent-id=a", *limits, *oidc],
        "wait": ["wait", url, "--timeout=5"],
    }


@dataclass(frozen=True, slots=True)
class Measured:
    """How a command ended, its seconds, its CPU seconds after the deadline, and the most MiB that it took."""

    ended: str
    seconds: float
    late: float
    memory: float


def measured(command: list[str], deadline: float) -> Measured:
    """Run a command and return what it took; it is killed a minute after its deadline.

    Seconds count from the first line that `verify` prints, which is when its deadline begins: what comes before is
    the start of Python.
    """
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "agent_contract", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "AGENT_CONTRACT_OIDC_CLIENT_SECRET": "the-secret-of-a-client"},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    begun = time.monotonic() if command[0] == "verify" else begun
    in_time: list[float] = []
    peak = [0.0]
    timers = [
        threading.Timer(deadline, lambda: in_time.append(_cpu_seconds(process.pid))),
        threading.Timer(deadline + 60, process.kill),
    ]
    for timer in timers:
        timer.start()
    threading.Thread(target=_watch, args=(process.pid, peak), daemon=True).start()
    last = (f"{first}{process.stdout.read()}".strip().splitlines() or [""])[-1]
    _, status, usage = os.wait4(process.pid, 0)
    for timer in timers:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    ended = "killed" if process.returncode < 0 else f"exit {process.returncode}"
    late = usage.ru_utime + usage.ru_stime - in_time[0] if in_time else 0.0
    return Measured(f"{ended}: {last.partition(': ')[2] or last}", time.monotonic() - begun, late, peak[0])


def _watch(pid: int, peak: list[float]) -> None:
    """Keep the most memory, in MiB, that a process has taken.

    `ru_maxrss` of a child begins with the memory of this process, which holds the replies.
    """
    try:
        while "VmHWM:" in (status := Path(f"/proc/{pid}/status").read_text(encoding="ascii")):
            peak[0] = max(peak[0], int(status.split("VmHWM:")[1].split()[0]) / 1024)
            time.sleep(0.02)
    except OSError:
        return


def _cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process has taken, as Linux counts them."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Print the table; return 1 if a command broke a bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="servers, all of them by default")
    parser.add_argument("--deadline", type=float, default=20.0)
    parser.add_argument("--command", action="append", help="verify, OIDC or wait; all of them by default")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    broken = 0
    print("| server | command | s | CPU s late | MiB | ended |\n| --- | --- | --- | --- | --- | --- |")
    for name, hostility in SERVERS.items():
        if given.names and name not in given.names:
            continue
        with serving(hostility) as url:
            for kind, command in commands(url, given.deadline).items():
                if given.command and kind not in given.command:
                    continue
                found = measured(command, given.deadline)
                if found.seconds > given.deadline + 5 and os.getloadavg()[0] > BUSY:
                    found = measured(command, given.deadline)
                broken += found.seconds > given.deadline + 5 or found.memory > 300
                figures = f"{found.seconds:.1f} | {found.late:.1f} | {found.memory:.0f}"
                print(f"| {name} | {kind} | {figures} | {found.ended[:110]} |", flush=True)
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
