"""Fetches the files of a document from other machines: only from allowed hosts, within limits, and never from private
addresses, so that a document can't make this process read what only this machine can reach.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from agent_contract.document.errors import Problem, UnreadableError

#: Bytes of one remote file, and seconds for it, from the name of the host to the last byte.
MAX_REMOTE_BYTES = 8 * 1024 * 1024
MAX_REMOTE_SECONDS = 10.0
#: Seconds for which a fetched file is used again.
KEPT_SECONDS = 24 * 60 * 60
_PORTS = {"http": 80, "https": 443}


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet."""
    return ipaddress.ip_address(address.partition("%")[0]).is_global


@dataclass(frozen=True, slots=True)
class RemoteFiles:
    """The hosts that files may be fetched from, each as `HOST` or `HOST:PORT`; `folder` keeps what was fetched.

    `permits` decides by the IP address to which the name of a host leads.
    """

    hosts: frozenset[str]
    folder: Path
    permits: Callable[[str], bool] = is_public

    def allows(self, url: str) -> bool:
        """Return whether a URL is one of HTTP and of an allowed host."""
        try:
            parts = urlsplit(url)
        except ValueError:  # brackets without an IPv6 address
            return False
        return parts.scheme in _PORTS and not self.hosts.isdisjoint((parts.netloc.lower(), parts.hostname or ""))

    def fetch(self, url: str) -> bytes:
        """Return the content of a URL, or what is kept of it; UnreadableError if it can't be had within the limits."""
        kept = self.folder / hashlib.sha256(url.encode()).hexdigest()
        with contextlib.suppress(OSError):
            if time.time() - kept.stat().st_mtime < KEPT_SECONDS and (content := _kept(kept)) is not None:
                return content
        try:
            content = self._get(url)
        except (OSError, ValueError, http.client.HTTPException) as error:
            old = _kept(kept)
            if old is not None:
                return old
            problem = f"can't be fetched: {' '.join(str(error).split()) or type(error).__name__}"
            remedy = "check the address, or copy the file next to the document and refer to it there"
            raise UnreadableError([Problem(url, "#", problem, remedy)]) from None
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            written = kept.with_suffix(f".{os.getpid()}")
            written.write_bytes(_digest(content) + b"\n" + content)
            written.replace(kept)
        return content

    def _get(self, url: str) -> bytes:
        end = time.monotonic() + MAX_REMOTE_SECONDS
        parts = urlsplit(url)
        connection, sock = self._connect(parts, end)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers={"accept": "*/*", "accept-encoding": "identity"})
            reply = connection.getresponse()
            if reply.status != 200:
                leads = f", which leads to {reply.headers['location'][:200]}" if "location" in reply.headers else ""
                raise ValueError(f"the host answers {reply.status}{leads}")
            return b"".join(_chunks(reply, sock, end))
        finally:
            connection.close()

    def _connect(self, parts: SplitResult, end: float) -> tuple[http.client.HTTPConnection, socket.socket]:
        """Return a connection to an address of the host that was checked, so that its name can't lead elsewhere."""
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        refused = [str(address[0]) for *_, address in found if not self.permits(str(address[0]))]
        if refused:
            raise ValueError(f"its host has the address {refused[0]}, which is not public")
        sock = socket.create_connection((str(found[0][4][0]), port), timeout=_left(end))
        if parts.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = sock
        return connection, sock


def default_folder() -> Path:
    """Return the folder for files that were fetched."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "agent-contract" / "documents"


def _chunks(reply: http.client.HTTPResponse, sock: socket.socket, end: float) -> Iterator[bytes]:
    read = 0
    while True:
        sock.settimeout(_left(end))
        chunk = reply.read1(64 * 1024)
        if not chunk:
            return
        read += len(chunk)
        if read > MAX_REMOTE_BYTES:
            raise ValueError(f"it has more than {MAX_REMOTE_BYTES // 1024**2} MiB")
        yield chunk


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"it takes more than {MAX_REMOTE_SECONDS:g} s")
    return left


def _kept(file: Path) -> bytes | None:
    """Return the content that was kept, None if there is none or if it was changed."""
    with contextlib.suppress(OSError):
        digest, _, content = file.read_bytes().partition(b"\n")
        if digest == _digest(content):
            return content
    return None


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
