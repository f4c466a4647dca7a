"""Ends connections as faults demand. Source: socket(7), SO_LINGER."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys

from mockserver.faults.broken_reply import Ending

#: Endings that reset the connection; it is too late to refuse one that is open.
RESETTING = frozenset({Ending.RESET, Ending.REFUSE})
_NO_LINGER = struct.pack("ii", 1, 0)


def reset_on_close(descriptor: int) -> None:
    """Make the close of a socket reset its connection."""
    with socket.socket(fileno=os.dup(descriptor)) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)


def end_connection(connection: socket.socket, ending: Ending) -> None:
    """Close or reset a connection at once, although its socket is still in use; further reads find its end."""
    with contextlib.suppress(OSError):  # the client has closed it
        if ending not in RESETTING or sys.platform == "win32":
            connection.shutdown(socket.SHUT_RDWR)
            return
        reset_on_close(connection.fileno())
        ours, other = socket.socketpair()
        with ours, other:
            os.dup2(ours.fileno(), connection.fileno())  # closes what the descriptor was
