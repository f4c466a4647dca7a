"""Tells systemd, or whatever started this process, that it serves.

Source: the manual page sd_notify(3).
"""

from __future__ import annotations

import contextlib
import os
import socket


def notify_ready() -> None:
    """Send `READY=1` to the socket that the variable NOTIFY_SOCKET names; do nothing without one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages:
        messages.connect(address)
        messages.sendall(b"READY=1")
