"""Requests as shell commands: the shell gives curl the body byte for byte."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from agent_contract.curl import curl_command

URL = "http://127.0.0.1:8000/things"


#: By what is special in it.
BODIES = {
    "text": b"plain",
    "signs": b"it's\n$HOME `x` %s \\n",
    "all bytes": bytes(range(256)),
    "escapes": b"\0%\\'\r\n",
    "carriage return": b"\r",
    "long": b"ab" * 60_000,
    "one letter": b"a" * 2_000,
    "one backslash": b"\\" * 2_000,
    "zeros": b"\0" * 2_000,
    "a high byte": b"\xff" * 2_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_shell_passes_the_body_on_unchanged(body: bytes) -> None:
    command = curl_command("POST", URL, {"content-type": "text/plain"}, body)
    before, _, sent = command.partition("curl -sS")
    if before:
        assert sent.endswith(" --data-binary @-")
        shown = subprocess.run(["sh", "-c", f"{before} cat"], capture_output=True, check=True, timeout=20).stdout
    else:
        words = shlex.split(sent)
        assert words[-2] == "--data-raw"
        shown = words[-1].encode()
    assert shown == body


def test_a_header_that_refers_to_a_variable_is_left_to_the_shell() -> None:
    command = curl_command("GET", URL, {"authorization": "Bearer $TOKEN", "x-cost": "5 $", "x-empty": ""})
    assert command == f"""curl -sS -X GET {URL} -H "authorization: Bearer $TOKEN" -H 'x-cost: 5 $' -H 'x-empty;'"""


def test_curl_adds_no_content_type_of_its_own() -> None:
    assert " -H 'content-type:' " in curl_command("POST", URL, {}, b"x")
    assert "content-type" not in curl_command("POST", URL, {})


def test_head_has_an_option_of_its_own() -> None:
    assert curl_command("HEAD", URL, {}) == f"curl -sS --head {URL}"
