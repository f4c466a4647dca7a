"""What looks like a token, and what does not although it is as random."""

from __future__ import annotations

import pytest

from agent_contract.secret_scan import looks_like_token

RANDOM = "a8Fh3kLq9ZxVb2Nm7RtYw4Ec"


@pytest.mark.parametrize(
    "text",
    [
        "sk-" + "ant-api03-abcdefghij0123456789",
        "sk_" + "live_abcdefghij0123456789",
        "ghp_" + "a" * 36,
        "github_pat_" + "a" * 40,
        "glpat-" + "a" * 20,
        "xoxb-" + "1234567890-abc",
        "AKIA" + "IOSFODNN7EXAMPLE",
        "AIza" + "b" * 35,
        "hf_" + "c" * 34,
        "gho_" + "a" * 36,
        "ghr_" + "a" * 36,
        "ghs_" + "a" * 36,
        "ghu_" + "a" * 36,
        "gldt-" + "a" * 20,
        "glrt-" + "a" * 20,
        "glptt-" + "a" * 20,
        "glcbt-" + "a" * 20,
        "gloas-" + "a" * 20,
        "xapp-" + "1-abcdefghij",
        "rk_" + "live_abcdefghij0123456789",
        "pk-" + "lf-abcdefghij0123456789",
        "ASIA" + "IOSFODNN7EXAMPLE",
        "ya29." + "a" * 20,
        "GOCSPX-" + "a" * 20,
        "gsk_" + "a" * 30,
        "r8_" + "a" * 30,
        "nvapi-" + "a" * 30,
        "xai-" + "a" * 30,
        "pypi-AgE" + "a" * 30,
        "dop_v1_" + "a" * 40,
        "shpat_" + "a" * 30,
        "shpca_" + "a" * 30,
        "shppa_" + "a" * 30,
        "shpss_" + "a" * 30,
        "SG." + "a" * 16 + "." + "b" * 16,
        "AGE-SECRET-KEY-1" + "A" * 30,
        "hvb." + "a" * 20,
        "hvs." + "a" * 20,
        "npm_" + "d" * 36,
        "eyJhbGciOiJI.eyJzdWIiOiIx.abc",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_a_token_of_a_known_form_is_found_in_any_text(text: str) -> None:
    assert looks_like_token("", f"My key is {text}, keep it.")


@pytest.mark.parametrize("value", [RANDOM, "9f86d081884c7d659a2feaa0c55ad015", f"{RANDOM}/+=", f"v1.{RANDOM}"])
def test_a_random_word_is_a_token_as_the_whole_value_of_a_field(value: str) -> None:
    assert looks_like_token("x-custom", value)
    assert not looks_like_token("", value)
    assert not looks_like_token("note", f"the word {value}")


@pytest.mark.parametrize(
    "name", ["id", "tool_call_id", "x-request-id", "traceId", "etag", "cf-ray", "traceparent", "system_fingerprint"]
)
def test_an_id_is_not_a_token(name: str) -> None:
    assert not looks_like_token(name, RANDOM)


@pytest.mark.parametrize(
    "value",
    [
        "d4713d60-c8a7-4639-ab11-67b367a9c378",
        "chatcmpl-d4713d60-c8a7-4639-ab11-67b367a9c378",
        "Meta-Llama-3.1-70B-Instruct-Turbo",
        "llama-2-70b-chat-hf",
        "ContractViolationErrorHandlerV2",
        "text/event-stream",
        "python-httpx/0.28.1",
        "sk-learn-pipelines-are-useful",
        "https://example.com/a/long/path/with/Words/2024",
        "createAssistantChatCompletion",
        "x" * 600,
    ],
)
def test_ordinary_words_are_not_tokens(value: str) -> None:
    assert not looks_like_token("note", value)
