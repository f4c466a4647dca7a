"""What the proxy keeps of a body."""

from __future__ import annotations

import pytest

from mockserver.proxy.received import Received


@pytest.mark.parametrize(
    ("encodings", "shown"),
    [((b"br",), "'br'"), ((b"gzip", b"BR"), "'gzip, br'"), ((b"identity", b"br"), "'identity, br'")],
)
def test_a_body_in_another_encoding_is_not_kept_and_its_encodings_are_named(
    encodings: tuple[bytes, ...], shown: str
) -> None:
    received = Received([(b"content-encoding", one) for one in encodings], 100, lambda: 0.0, 0.0)
    received.add(b"abc")
    assert (received.is_readable, received.content) == (False, b"")
    assert f"content-encoding {shown} can't be read" in received.problem
