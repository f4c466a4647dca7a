"""The base URL may be the server's root, or any longer part of the endpoint's URL."""

from __future__ import annotations

import pytest

from agent_contract.base_url import Target, TargetError, parse

PATH = "/api/v1/openai/assistants/{agent_id}/chat/completions"
AGENT = (("agent_id", "demo"),)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://host", Target("http://host")),
        ("https://host:8443/", Target("https://host:8443")),
        ("http://[::1]:80/", Target("http://[::1]:80")),
        ("http://host/api", Target("http://host")),
        ("http://host/api/v1/openai/", Target("http://host")),
        ("http://host/api/v1/openai/assistants", Target("http://host")),
        ("http://host/api/v1/openai/assistants/demo", Target("http://host", AGENT)),
        ("http://host/api/v1/openai/assistants/demo/", Target("http://host", AGENT)),
        ("http://host/api/v1/openai/assistants/demo/chat", Target("http://host", AGENT)),
        ("http://host/api/v1/openai/assistants/demo/chat/completions", Target("http://host", AGENT)),
        ("http://host/gate", Target("http://host/gate")),
        ("http://host/gate/api/v1/openai/assistants/demo", Target("http://host/gate", AGENT)),
        ("http://host/api/v1/openai/assistants/a%2Fb", Target("http://host", (("agent_id", "a/b"),))),
    ],
)
def test_server_and_agent_are_found(url: str, target: Target) -> None:
    assert parse(url, PATH) == target


def test_the_url_of_the_operation_is_made_of_them() -> None:
    target = parse("http://host/gate/api/v1/openai/assistants/a%2Fb", PATH)
    assert target.url(PATH) == "http://host/gate/api/v1/openai/assistants/a%2Fb/chat/completions"
    assert target.url(PATH, agent_id="x") == "http://host/gate/api/v1/openai/assistants/x/chat/completions"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("host:8000", "not an http or https URL"),
        ("ftp://host", "not an http or https URL"),
        ("http://", "not an http or https URL"),
        ("", "not an http or https URL"),
        ("http://host:port", "not a URL"),
        ("http://host:99999", "not a URL"),
        ("http://user:secret@host", "password"),
        ("http://host/?a=1", "query"),
        ("http://host/#a", "fragment"),
    ],
)
def test_an_invalid_base_url_is_refused(url: str, reason: str) -> None:
    with pytest.raises(TargetError, match=reason) as refusal:
        parse(url, PATH)
    assert "secret" not in str(refusal.value)
