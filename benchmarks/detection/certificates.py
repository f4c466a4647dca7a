"""An authority of this process's own, and what it certifies: servers on this machine that speak TLS."""

from __future__ import annotations

import atexit
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM: the authority to trust, a certificate for `localhost`, and its key."""

    authority: Path
    certificate: Path
    key: Path


@cache
def certificates() -> Certificates:
    """Return the files, which are there until this process ends."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    found = Certificates(*(Path(folder.name) / name for name in ("authority.pem", "localhost.pem", "localhost.key")))
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(found.authority))
    leaf.cert_chain_pems[0].write_to_path(str(found.certificate))
    leaf.private_key_pem.write_to_path(str(found.key))
    return found
