"""`serve --tls-cert`: HTTPS, also with certificates of clients."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme

from tests.mockserver.support.chat_client import path_of, user
from tests.mockserver.support.processes import ended, process_at

CHAT = {"messages": [user("Hello!")]}


@dataclass(frozen=True)
class Certificates:
    """Files in PEM: a server's certificate with its key and apart from it, and a client's certificate with its key."""

    authority: Path
    both: Path
    certificate: Path
    key: Path
    client: Path

    def trusted(self, client: bool = False) -> ssl.SSLContext:
        """Return the context of a client that trusts the authority, with or without a certificate of its own."""
        context = ssl.create_default_context(cafile=self.authority)
        if client:
            context.load_cert_chain(self.client)
        return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    files = Certificates(*(folder / name for name in ("ca.pem", "both.pem", "cert.pem", "key.pem", "client.pem")))
    authority.cert_pem.write_to_path(files.authority)
    server = authority.issue_cert("127.0.0.1")
    server.private_key_and_cert_chain_pem.write_to_path(files.both)
    server.cert_chain_pems[0].write_to_path(files.certificate)
    server.private_key_pem.write_to_path(files.key)
    authority.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(files.client)
    return files


@pytest.fixture(scope="module")
def url(certificates: Certificates) -> Iterator[str]:
    with process_at("--tls-cert", str(certificates.both)) as (_, url):
        yield url


def test_chats_and_streams_are_answered_over_tls(url: str, certificates: Certificates) -> None:
    with httpx.Client(base_url=url, verify=certificates.trusted()) as client:
        assert client.post(path_of(), json=CHAT).json()["object"] == "chat.completion"
        assert client.post(path_of(), json={**CHAT, "stream": True}).text.endswith("data: [DONE]\n\n")


def test_the_first_page_shows_the_address_with_https(url: str, certificates: Certificates) -> None:
    shown = httpx.get(url, headers={"accept": "application/json"}, verify=certificates.trusted()).json()
    assert shown["links"]["document"].startswith(f"{url}/")
    assert url.startswith("https://")


def test_a_client_without_tls_gets_no_answer(url: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url.replace("https", "http"))


def test_a_fault_can_reset_a_connection_with_tls(url: str, certificates: Certificates) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.post(
            url + path_of(), json=CHAT, headers={"x-mock-fault": "reset-before-headers"}, verify=certificates.trusted()
        )


def test_the_key_may_be_in_a_file_of_its_own_and_clients_may_have_to_show_a_certificate(
    certificates: Certificates,
) -> None:
    own = ("--tls-cert", certificates.certificate, "--tls-key", certificates.key)
    with process_at(*map(str, own), "--tls-client-ca", str(certificates.authority)) as (_, url):
        assert httpx.post(url + path_of(), json=CHAT, verify=certificates.trusted(client=True)).status_code == 200
        with pytest.raises(httpx.TransportError):
            httpx.post(url + path_of(), json=CHAT, verify=certificates.trusted())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--tls-key", "KEY"), "Add --tls-cert FILE"),
        (("--tls-client-ca", "CA"), "Add --tls-cert FILE"),
        (("--tls-cert", "CERT"), "no certificate or key that can be read"),
        (("--tls-cert", "CERT", "--tls-key", "absent.pem"), "absent.pem: No such file or directory"),
        (("--tls-cert", "BOTH", "--tls-client-ca", "KEY"), "no certificate or key that can be read"),
    ],
)
def test_files_that_can_not_be_used_are_named(
    options: tuple[str, ...], reason: str, certificates: Certificates
) -> None:
    files = {"KEY": certificates.key, "CA": certificates.authority, "CERT": certificates.certificate}
    files |= {"BOTH": certificates.both}
    done = ended("serve", "--port", "0", *(str(files.get(one, one)) for one in options))
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
