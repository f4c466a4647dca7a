"""Remote files are fetched from allowed hosts alone, within limits, and never from private addresses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent_contract import ContractError, UnreadableError, load_contract
from agent_contract.document import remote
from agent_contract.document.document import read_document
from agent_contract.document.remote import RemoteFiles, is_public


@dataclass
class FileServer:
    """A server of files on the loopback interface; `asked` are the paths that were requested."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    host: str = ""


@pytest.fixture
def server() -> Iterator[FileServer]:
    known = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append(self.path)
            content = known.files.get(self.path)
            if content is None:
                self.send_response(302)
                self.send_header("location", "http://127.0.0.1/other")
            else:
                self.send_response(200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        known.host = f"127.0.0.1:{listening.server_address[1]}"
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield known
        listening.shutdown()


def remote_files(server: FileServer, folder: Path) -> RemoteFiles:
    """Return a reader that may read from the loopback interface."""
    return RemoteFiles(frozenset((server.host,)), folder, permits=lambda _: True)


def test_a_file_is_fetched_from_an_allowed_host_once(server: FileServer, tmp_path: Path) -> None:
    server.files["/pet.yaml"] = b"{const: 1}"
    files = remote_files(server, tmp_path)
    url = f"http://{server.host}/pet.yaml"
    assert [files.fetch(url), files.fetch(url)] == [b"{const: 1}"] * 2
    assert server.asked == ["/pet.yaml"]


def test_a_changed_copy_is_fetched_again(server: FileServer, tmp_path: Path) -> None:
    server.files["/pet.yaml"] = b"{const: 1}"
    files = remote_files(server, tmp_path)
    files.fetch(f"http://{server.host}/pet.yaml")
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"1}", b"2}"))
    assert files.fetch(f"http://{server.host}/pet.yaml") == b"{const: 1}"


def test_a_redirection_is_not_followed(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"answers 302, which leads to http://127\.0\.0\.1/other"):
        remote_files(server, tmp_path).fetch(f"http://{server.host}/moved")


def test_a_large_file_is_refused(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_REMOTE_BYTES", 1024 * 1024)
    server.files["/large"] = b"x" * (1024 * 1024 + 1)
    with pytest.raises(UnreadableError, match="more than 1 MiB"):
        remote_files(server, tmp_path).fetch(f"http://{server.host}/large")


def test_no_time_left_is_a_refusal(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_REMOTE_SECONDS", 0.0)
    with pytest.raises(UnreadableError, match="takes more than 0 s"):
        remote_files(server, tmp_path).fetch(f"http://{server.host}/slow")


def test_a_private_address_is_refused(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"127\.0\.0\.1, which is not public"):
        RemoteFiles(frozenset((server.host,)), tmp_path).fetch(f"http://{server.host}/pet.yaml")
    assert server.asked == []


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "fd00::1", "0.0.0.0"]
)
def test_an_address_of_this_network_is_not_public(address: str) -> None:
    assert not is_public(address)


def test_an_address_of_the_internet_is_public() -> None:
    assert is_public("93.184.216.34")


@pytest.mark.parametrize(
    "url", ["https://other.example/a", "ftp://example.com/a", "file:///etc/passwd", "//other.example/a"]
)
def test_another_host_or_scheme_is_not_allowed(url: str, tmp_path: Path) -> None:
    assert not RemoteFiles(frozenset(("example.com",)), tmp_path).allows(url)


def test_references_in_a_remote_file_are_relative_to_it(server: FileServer, tmp_path: Path) -> None:
    server.files = {"/a/pet.yaml": b"{Pet: {$ref: '../b/id.yaml#/Id'}}", "/b/id.yaml": b"{Id: {const: 1}}"}
    path = tmp_path / "openapi.yaml"
    path.write_text(f"{{a: {{$ref: 'http://{server.host}/a/pet.yaml#/Pet'}}}}", encoding="utf-8")
    document = read_document(path, allow_remote=[server.host])
    object.__setattr__(document, "remote", remote_files(server, tmp_path / "kept"))
    target = document.follow(document.target(f"http://{server.host}/a/pet.yaml#/Pet", ""))
    assert document.at(target) == {"const": 1}


def test_without_a_host_nothing_is_fetched(tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    text = "{openapi: 3.1.0, info: {title: a, version: '1'}, paths: {}, components: {schemas: {A: {$ref: 'URL'}}}}"
    path.write_text(text.replace("URL", "https://example.com/a.yaml"), encoding="utf-8")
    with pytest.raises(ContractError, match="--allow-remote HOST"):
        load_contract(path)
    (repair,) = load_contract(path, strict=False).repairs
    assert "is remote, and its host is not allowed" in repair.found
