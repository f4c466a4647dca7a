"""Headers for a gateway go with every request, and are shown nowhere; a failure is repeated as it was found."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from mockserver import MockServer
from tests.contract_tests.support.commands import environment, verify
from tests.contract_tests.support.servers import Answer, serving

KEY = "the-key-of-the-gateway"
HELLO = "--clause=chat.reply-*"


def test_each_request_carries_them() -> None:
    with MockServer() as server:
        found = verify(
            server.url, HELLO, "--header", "X-Tenant=blue", "--header-env=X-Key=KEY", env=environment(KEY=KEY)
        )
        seen = [entry["request"]["headers"] for entry in server.engine.requests()]
    assert found.code == 0, found.output
    assert len(seen) > 10
    assert {headers.get("x-tenant") for headers in seen if "agent" not in headers} >= {"blue"}


def test_their_values_are_shown_nowhere_and_the_commands_name_the_variables(tmp_path: Path) -> None:
    def echo(path: str, body: bytes) -> Answer:
        return 200, {"content-type": "application/json"}, f'{{"id": "{KEY} blue-tenant-1"}}'.encode()

    token = environment(KEY=KEY, MY_TOKEN="it's-my-token")
    options = ("--token-env=MY_TOKEN", "--header-env=X-Key=KEY", "--header=X-Tenant=blue-tenant-1", "--seed=3")
    with serving(echo) as url:
        found = verify(url, "--agent-id=a", HELLO, *options, "--report=r.json", cwd=tmp_path, env=token)
    shown = found.output + found.error + (tmp_path / "r.json").read_text()
    assert not any(secret in shown for secret in (KEY, "blue-tenant-1", "it's-my-token"))
    line = next(line for line in found.output.splitlines() if "agent-contract verify" in line)
    words = shlex.split(line.partition("alone")[2])
    assert words[words.index("--token-env") + 1] == "MY_TOKEN"
    assert words[words.index("--header-env") + 1] == "X-Key=KEY"
    assert words[words.index("--seed") + 1] == "3"
    assert '-H "authorization: Bearer $MY_TOKEN"' in found.output
    assert '-H "x-key: $KEY"' in found.output


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--header=secret-value", "--header takes NAME=VALUE"),
        ("--header=a b=secret-value", "--header takes NAME=VALUE"),
        ("--header=Authorization=secret-value", "can't set authorization"),
        ("--header=x=secret-value\nx", "is not printable ASCII"),
        ("--header-env=x=MISSING", "the environment has no variable MISSING"),
    ],
)
def test_a_header_that_can_not_be_sent_is_refused_and_not_repeated(option: str, reason: str) -> None:
    found = verify("http://127.0.0.1:1", "--agent-id=a", option)
    assert found.code == 2
    assert reason in found.error
    assert "secret-value" not in found.error
