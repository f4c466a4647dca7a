"""A token comes from a file or from an OIDC provider, is renewed when it has expired, and is never shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.running import running
from contract_tests.deployment.auth import AuthError, IssuedToken, credentials, from_file
from contract_tests.options import Options
from contract_tests.runner.launcher import arguments
from tests.contract_tests.support.commands import CommandResult, environment, verify
from tests.contract_tests.support.provider import CLIENT, PASSWORD, SECRET, USER, Provider
from tests.contract_tests.support.servers import Answer, closed_port, serving

#: Clauses that take some ten requests.
SOME = ("--clause=chat.temperature-*", "--clause=chat.n-accepted")
VARIABLES = {"AGENT_CONTRACT_OIDC_CLIENT_SECRET": SECRET, "AGENT_CONTRACT_OIDC_PASSWORD": PASSWORD}
SECRETS = (SECRET, PASSWORD, "the-access-token", "refresh-me")


def judged_by(provider: Provider, *more: str, clauses: Sequence[str] = SOME) -> CommandResult:
    """Run `verify` against a deployment that takes this provider's tokens."""
    with ExitStack() as stack:
        issuer = stack.enter_context(provider.serving())
        url = stack.enter_context(running(provider.hooks))
        return verify(
            *(url, "--agent-id", provider.hooks.agent_id, "--oidc-issuer", issuer, "--oidc-client-id", CLIENT),
            *(*clauses, *more),
            env=environment(**VARIABLES),
        )


def test_a_client_asks_for_itself() -> None:
    provider = Provider()
    found = judged_by(provider, "--oidc-scope", "agents chat")
    assert found.code == 0, found.output
    assert provider.grants == ["client_credentials"]
    assert provider.forms[0]["scope"] == "agents chat"


def test_a_client_asks_for_a_user() -> None:
    provider = Provider()
    assert judged_by(provider, "--oidc-username", USER).code == 0
    assert provider.grants == ["password"]


def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there() -> None:
    provider = Provider(methods=["client_secret_post"])
    assert judged_by(provider).code == 0
    assert provider.forms[0]["client_secret"] == SECRET


def test_a_token_that_is_used_up_midway_is_replaced() -> None:
    provider = Provider(life=3)
    found = judged_by(provider)
    assert found.code == 0, found.output
    assert len(provider.tokens) > 2
    assert set(provider.grants) == {"client_credentials"}


def test_a_refresh_token_is_used_if_there_is_one() -> None:
    provider = Provider(life=3, refreshes=True)
    assert judged_by(provider, "--oidc-username", USER).code == 0
    assert provider.grants[0] == "password"
    assert set(provider.grants[1:]) == {"refresh_token"}


def test_a_token_that_can_not_be_replaced_ends_the_run_with_what_was_judged() -> None:
    found = judged_by(Provider(life=3, closed_after=1))
    assert found.code == 2
    assert "gives no token: invalid_grant: no token for you" in found.last
    assert " passed " in found.output
    assert found.row("chat.n-accepted") == "not tested"


def test_no_secret_is_seen(tmp_path: Path) -> None:
    """Not even if the deployment repeats the token, nor in the arguments of the isolated process."""
    provider = Provider()

    def repeat(path: str, body: bytes) -> Answer:
        return 400, {"content-type": "application/json"}, b'{"detail": "the-access-token-0 is a nice token"}'

    with provider.serving() as issuer, serving(repeat) as url:
        options = ("--oidc-issuer", issuer, "--oidc-client-id", CLIENT, "--clause=chat.messages-empty")
        report = tmp_path / "report.json"
        found = verify(url, "--agent-id=a", *options, f"--report={report}", env=environment(**VARIABLES))
    assert found.code == 1
    seen = found.output + found.error + report.read_text(encoding="utf-8")
    assert "is a nice token" in seen
    assert [secret for secret in SECRETS if secret in seen] == []
    told = arguments(Options(url=url, oidc_issuer=issuer, oidc_client_id=CLIENT, token="a-fixed-token"))
    assert [argument for argument in told if any(secret in argument for secret in (*SECRETS, "a-fixed"))] == []


def test_a_provider_that_is_another_issuer_is_not_trusted() -> None:
    found = judged_by(Provider(issuer="https://another.example/realm"))
    assert found.code == 2
    assert "speaks for another issuer, 'https://another.example/realm'" in found.last


def test_a_provider_that_is_not_there_gives_no_verdict() -> None:
    issuer = f"http://127.0.0.1:{closed_port()}"
    options = ("--oidc-issuer", issuer, "--oidc-client-id", CLIENT)
    found = verify("http://127.0.0.1:1", "--agent-id=a", *options, env=environment(**VARIABLES))
    assert found.code == 2
    assert f"the OIDC provider at {issuer} can't be asked" in found.last


def test_a_provider_without_a_token_endpoint_gives_no_verdict() -> None:
    with serving(lambda path, body: (404, {}, b"nothing")) as issuer:
        found = credentials(Options(oidc_issuer=issuer, oidc_client_id=CLIENT), VARIABLES)
        with pytest.raises(AuthError, match=r"names no token endpoint \(404\); give it with --oidc-token-url"):
            found.token()


def test_a_token_endpoint_can_be_named() -> None:
    provider = Provider()
    with provider.serving():
        options = Options(oidc_token_url=f"{provider.url}/token", oidc_client_id=CLIENT)
        assert credentials(options, VARIABLES).token() == "the-access-token-0"


def test_a_token_that_has_expired_is_not_sent() -> None:
    issued = iter([IssuedToken("old", lambda: True), IssuedToken("new")])
    found = credentials(Options(token="x"))
    found.issue = lambda: next(issued)
    assert [found.token(), found.token(), found.token()] == ["old", "new", "new"]
    assert found.seen == ["old", "new"]


def test_two_that_are_refused_at_once_ask_for_one_token() -> None:
    issued = iter("abc")
    found = credentials(Options(token="x"))
    found.issue = lambda: IssuedToken(next(issued))
    refused = found.token()
    assert [found.renewed(refused), found.renewed(refused)] == [True, True]
    assert found.current == "b"


def test_a_token_file_is_read_again_if_its_token_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    found = credentials(Options(token_file=str(file)))
    assert found.token() == "first"
    assert not found.renewed("first")
    file.write_text("second\n")
    assert found.renewed("first")
    assert found.token() == "second"


def test_a_token_is_taken_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("the-token-in-the-file\n")
    hooks = ServerHooks(token="the-token-in-the-file")
    with running(hooks) as url:
        found = verify(url, "--agent-id", hooks.agent_id, "--clause=chat.n-accepted", f"--token-file={file}")
    assert found.code == 0, found.output
    assert "the-token-in" not in found.output + found.error


@pytest.mark.parametrize(("text", "reason"), [(b"", "must hold one token"), (b"a b", "one token"), (b"\xff", "ASCII")])
def test_a_file_without_a_token_is_refused(tmp_path: Path, text: bytes, reason: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(text)
    with pytest.raises(AuthError, match=reason):
        from_file(os.fspath(file))


OIDC = ("--oidc-issuer", "http://host", "--oidc-client-id", "c")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--oidc-issuer", "http://host"), "OIDC needs --oidc-client-id"),
        (("--oidc-client-id", "c"), "--oidc-issuer or --oidc-token-url"),
        (OIDC, "no variable AGENT_CONTRACT_OIDC_CLIENT_SECRET"),
        ((*OIDC, "--oidc-client-secret-env", "MINE"), "no variable MINE"),
        ((*OIDC, "--oidc-username", "u"), "no variable AGENT_CONTRACT_OIDC_PASSWORD"),
        ((*OIDC, "--token", "t"), "give one of --token"),
        (("--token-file", "no-such-file"), "no such file: no-such-file"),
        (("--client-key", __file__), "--client-key needs --client-cert"),
        (("--ca-bundle", "no-such-file"), "--ca-bundle: no such file: no-such-file"),
        (("--proxy", "http://me:secret-word@proxy"), "--proxy has a password"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(options: tuple[str, ...], reason: str) -> None:
    found = verify("http://host", *options)
    assert found.code == 2
    assert reason in found.error
    assert "secret-word" not in found.error
