"""How `serve` fits into a system: Unix sockets, systemd, and a stop that lets replies end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.mockserver.support.chat_client import path_of, user
from tests.mockserver.support.processes import ended, process_at

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")

CHAT = {"messages": [user("Hello!")]}


@contextmanager
def at_socket(path: Path, environment: dict[str, str] | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a server at a Unix socket; yield its process and its first line."""
    command = [sys.executable, "-m", "agent_contract", "serve", "--unix-socket", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def client(path: Path) -> httpx.Client:
    return httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://localhost")


def test_a_unix_socket_answers_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mock.sock"
    with at_socket(path) as (_, line), client(path) as asking:
        assert str(path) in line
        assert asking.post(path_of(), json=CHAT).status_code == 200
        assert asking.get("/__mock__/requests").json()["requests"][0]["reply"]["status"] == 200


def test_the_socket_of_a_server_that_ended_is_used_again(tmp_path: Path) -> None:
    path = tmp_path / "mock.sock"
    with at_socket(path):
        pass
    assert path.is_socket()
    with at_socket(path), client(path) as asking:
        assert asking.get("/__mock__/health").status_code == 200


def test_a_socket_that_is_in_use_and_another_file_are_refused(tmp_path: Path) -> None:
    path, file = tmp_path / "mock.sock", tmp_path / "notes.txt"
    file.write_text("kept", encoding="utf-8")
    with at_socket(path):
        for one in (path, file):
            done = ended("serve", "--unix-socket", str(one))
            assert done.returncode == 2
            assert f"Can't listen at {one}: a server or another file is there." in done.stderr
    assert file.read_text(encoding="utf-8") == "kept"


def test_systemd_learns_that_the_server_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages:
        messages.bind(str(tmp_path / "notify"))
        messages.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with process_at():
            assert messages.recv(100) == b"READY=1"


@pytest.mark.parametrize(("drain", "is_whole"), [("20", True), ("0", False)])
def test_a_stop_lets_open_replies_end_for_as_long_as_it_is_told(drain: str, is_whole: bool) -> None:
    with process_at("--tps", "20", "--drain-timeout", drain) as (process, url):
        received = b""
        try:
            with httpx.stream("POST", url + path_of(), json={**CHAT, "stream": True}, timeout=20) as reply:
                for piece in reply.iter_raw():
                    if not received:
                        process.send_signal(signal.SIGTERM)
                    received += piece
        except httpx.RemoteProtocolError:
            assert not is_whole
        assert received.endswith(b"data: [DONE]\n\n") is is_whole
        assert process.wait(20) == 0
