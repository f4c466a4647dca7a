"""`agent-contract proxy` as a process: its memory, its recordings at the end, and its banner."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from agent_contract.messages import Reply
from tests.mockserver.proxy.support.scripted_upstream import LIMIT, Asked, scripted
from tests.mockserver.support.chat_client import engine, path_of, request
from tests.support.serving import serve

HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}
MIB = 1024 * 1024
EVENT = b'data: {"x": "%s"}\n\n' % (b"y" * (MIB // 4 - 14))


def peak(pid: int) -> int:
    """Return the most memory that a process has used so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024  # type: ignore[index]


def test_a_long_stream_does_not_sit_in_memory(tmp_path: Path) -> None:
    """The measured peak was the same for 512 MiB."""

    def answer(asked: Asked) -> None:
        asked.stream()
        asked.chunk(*[EVENT] * 4 * 160, b"")

    with scripted(answer) as upstream, serve(upstream.url, "--record", str(tmp_path), name="proxy") as proxy:
        before, passed = peak(proxy.pid), 0
        with httpx.stream("POST", proxy.url + path_of(), json=HELLO, timeout=LIMIT) as reply:
            for piece in reply.iter_raw():
                passed += len(piece)
        assert passed >= 160 * MIB - 4096
        assert peak(proxy.pid) - before < 80
    assert list(tmp_path.iterdir()) == []


def test_what_is_waiting_is_recorded_when_the_proxy_stops(tmp_path: Path) -> None:
    reply = engine().reply(request(HELLO))
    good = Reply(200, {"content-type": "application/json"}, reply.content())
    options = ("--record", str(tmp_path))
    with scripted(lambda asked: asked.reply(good)) as upstream, serve(upstream.url, *options, name="proxy") as proxy:
        for _ in range(20):
            assert httpx.post(proxy.url + path_of(), json=HELLO, timeout=LIMIT).status_code == 200
    assert len(list(tmp_path.iterdir())) == 20


def test_the_banner_names_both_addresses(tmp_path: Path) -> None:
    with serve("http://127.0.0.1:9", "--record", str(tmp_path), name="proxy") as proxy:
        assert proxy.lines[0] == f"{proxy.url} passes requests to http://127.0.0.1:9 (Ctrl-C stops it)\n"
