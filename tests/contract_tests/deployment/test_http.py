"""TLS with certificates of one's own, mutual TLS, and proxies: against real servers."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
import trustme

from benchmarks.detection.certificates import certificates
from benchmarks.detection.conforming_variants import VARIANTS
from benchmarks.detection.running import running
from contract_tests.deployment.auth import credentials
from contract_tests.deployment.http import ConnectionSettingError, client
from contract_tests.options import Options
from contract_tests.report.saved_json import load
from tests.contract_tests.support.commands import environment, verify
from tests.contract_tests.support.servers import Answer, serving

QUICK = ("--agent-id", "a", "--clause", "chat.messages-empty")


@dataclass(frozen=True, slots=True)
class Files:
    """Certificates in files: of the authority, of a client, its key, and both in one."""

    bundle: str
    cert: str
    key: str
    both: str


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> Files:
    leaf = authority.issue_cert("judge@example.org")
    written = Files(*(str(tmp_path / name) for name in ("ca.pem", "client.pem", "client.key", "both.pem")))
    authority.cert_pem.write_to_path(written.bundle)
    leaf.cert_chain_pems[0].write_to_path(written.cert)
    leaf.private_key_pem.write_to_path(written.key)
    leaf.private_key_and_cert_chain_pem.write_to_path(written.both)
    return written


class Refusing(BaseHTTPRequestHandler):
    """Answers 422 to all that is asked."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(422)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    """Does not log handshakes that fail."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def serving_tls(authority: trustme.CA, *, mutual: bool = False) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    if mutual:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    server = Quiet(("127.0.0.1", 0), Refusing)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(authority: trustme.CA, files: Files) -> None:
    with serving_tls(authority) as url:
        found = verify(url, *QUICK, "--ca-bundle", files.bundle)
    assert found.code == 0, found.output
    assert found.row("chat.messages-empty") == "passed"


def test_an_authority_that_is_not_named_is_not_trusted(authority: trustme.CA) -> None:
    with serving_tls(authority) as url:
        found = verify(url, *QUICK)
    assert found.code == 2
    assert "CERTIFICATE_VERIFY_FAILED" in found.last


def test_a_client_shows_its_certificate(authority: trustme.CA, files: Files) -> None:
    with serving_tls(authority, mutual=True) as url:
        apart = ("--client-cert", files.cert, "--client-key", files.key)
        assert verify(url, *QUICK, "--ca-bundle", files.bundle, *apart).code == 0
        assert verify(url, *QUICK, "--ca-bundle", files.bundle, "--client-cert", files.both).code == 0
        assert "is unreachable" in verify(url, *QUICK, "--ca-bundle", files.bundle).last


def test_a_provider_is_asked_in_the_same_way(authority: trustme.CA, files: Files) -> None:
    """The certificate is good: the provider is reached, and answers 405 to what it does not know."""
    with serving_tls(authority, mutual=True) as url:
        options = Options(oidc_issuer=url, oidc_client_id="c", ca_bundle=files.bundle, client_cert=files.both)
        with pytest.raises(Exception, match="names no token endpoint"):
            credentials(options, {"AGENT_CONTRACT_OIDC_CLIENT_SECRET": "s"}).token()


def test_http_2_is_used_if_the_server_offers_it(tmp_path: Path) -> None:
    """Also for a stream: the report shows it for the exchange."""
    variant = next(variant for variant in VARIANTS if variant.name == "http2")
    silent = replace(variant.hooks, chunks=lambda chunks, call: chunks[:-1])
    with running(silent) as url:
        found = verify(
            *(url, "--agent-id", silent.agent_id, "--ca-bundle", str(certificates().authority)),
            *("--clause=chat.stream-finish", "--clause=chat.messages-empty", "--report=r.json"),
            cwd=tmp_path,
        )
    (failed,) = load(tmp_path / "r.json").having("failed")
    assert failed.id == "chat.stream-finish", found.output
    assert failed.transcript
    assert failed.transcript.reply.line == "HTTP/2 200 OK"
    assert failed.transcript.reply.events[-1].data == "[DONE]"


def test_http_1_is_spoken_otherwise(authority: trustme.CA, files: Files) -> None:
    made: httpx.Client = client(Options(ca_bundle=files.bundle), "https://host")
    with serving_tls(authority) as url, made:
        assert made.post(url).http_version == "HTTP/1.0"


@pytest.mark.parametrize("option", ["ca_bundle", "client_cert"])
def test_a_file_without_a_certificate_is_refused(option: str, tmp_path: Path) -> None:
    file = tmp_path / "no.pem"
    file.write_text("nothing of that kind")
    with pytest.raises(ConnectionSettingError, match=r"no\.pem can't be used"):
        client(Options(**{option: str(file)}), "https://host")  # type: ignore[arg-type]


def test_a_key_that_does_not_belong_to_the_certificate_is_refused(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    trustme.CA().issue_cert("x").private_key_pem.write_to_path(str(other))
    found = verify("http://host", "--agent-id", "a", "--client-cert", files.cert, "--client-key", str(other))
    assert found.code == 2
    assert "not the key that belongs to it" in found.last


def proxied(*options: str, **variables: str) -> list[str]:
    """Return the URLs that a run against an unknown host requests from a proxy."""
    asked: list[str] = []

    def answer(path: str, body: bytes) -> Answer:
        asked.append(path)
        return 422, {}, b"{}"

    with serving(answer) as proxy:
        given = [option.replace("PROXY", proxy) for option in options]
        child_environment = {name: value.replace("PROXY", proxy) for name, value in variables.items()}
        found = verify("http://agents.invalid", *QUICK, *given, env=environment(**child_environment))
    assert found.code == 0, found.output + found.error
    return asked


def test_a_proxy_is_asked_that_is_named() -> None:
    assert all(url.startswith("http://agents.invalid/api/") for url in proxied("--proxy", "PROXY"))


def test_a_proxy_is_asked_that_the_environment_names() -> None:
    assert proxied(HTTP_PROXY="PROXY", http_proxy="PROXY", NO_PROXY="", no_proxy="")


def test_an_invalid_proxy_gives_no_verdict() -> None:
    found = verify("http://host", "--agent-id", "a", "--proxy", "gopher://proxy")
    assert found.code == 2
    assert "the proxy can't be used" in found.last
