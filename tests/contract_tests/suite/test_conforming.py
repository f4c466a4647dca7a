"""Conforming deployments pass. Each differs from the others in what the contract allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from benchmarks.detection.certificates import certificates
from benchmarks.detection.conforming_variants import VARIANTS
from benchmarks.detection.running import running
from contract_tests.verdict import Exit
from tests.contract_tests.support.judging import judged

BY_NAME = {variant.name: variant for variant in VARIANTS}


@dataclass(frozen=True, slots=True)
class Case:
    """The clauses that a deployment could fail, as globs, and the expected verdicts of some of them."""

    clauses: tuple[str, ...]
    words: Mapping[str, str] = field(default_factory=dict)


def case(*clauses: str, **words: str) -> Case:
    """Return the case; a clause is named with underscores, and is judged whether it is among the globs or not."""
    named = {f"chat.{name.replace('_', '-')}": word for name, word in words.items()}
    return Case((*(f"chat.{glob}" for glob in clauses), *named), named)


CASES: Mapping[str, Case] = {
    "lax-coercion": case("field-types", "n-*", coercion="warning", boolean_strict="warning"),
    "unlisted-refused": case("seed-accepted", unlisted_fields="warning"),
    "unlisted-kept": case("reply-conforms", unlisted_fields="passed"),
    "null-refused": case("field-types", null_optional="warning"),
    "details-with-codes": case(validation_error="passed", validation_location="passed"),
    "system-accepted": case(role_system="warning", role_unknown="passed"),
    "session-unknown-400": case(session_unknown="passed", session_unknown_status="warning"),
    "ids-bare-uuids": case(reply_id="passed", reply_conforms="passed"),
    "session-id-null": case("reply-*", session_id_absent="passed"),
    "session-id-on-create-alone": case("session-*", session_id_echoed="warning"),
    "errors-in-html": case(agent_unknown="passed", model_unexpected="passed", error_detail="warning"),
    "errors-in-silence": case(role_unknown="passed", reply_content_type="passed", reply_conforms="passed"),
    "answer-bare": case("reply-*", max_tokens_finish="not supported"),
    "answer-rich": case("reply-*", reply_conforms="passed"),
    "stream-lines-cr": case("stream-*", stream_framing="passed"),
    "stream-byte-by-byte": case("stream-*", stream_framing="passed"),
    "stream-at-once": case("stream-*", stream_incremental="not tested"),
    "stream-one-piece": case("stream-*", stream_incremental="warning"),
    "stream-no-role": case("stream-*", stream_role="passed"),
    "stream-usage-unasked": case("stream-*", stream_usage_unasked="warning"),
    "n-refused": case("choice-index", n_choices="not supported", stream_index="passed"),
    "n-refused-at-zero": case(n_choices="passed"),
    "reasoning-null": case("reply-*", "max-tokens-*", "session-*", reply_message="passed"),
    "knowledge": case("session-*", session_used="warning", reply_context="passed"),
    "knowledge-recalled": case(session_used="passed", session_streamed="passed", session_isolated="passed"),
    "never-the-same": case("session-*", "reply-*", stream_same_as_plain="warning"),
    "token-401": case(token_missing="passed", token_wrong="passed", token_status="passed", token_challenge="passed"),
    "token-403": case(token_missing="passed", token_status="warning", token_challenge="not supported"),
    "cold-gateway": case(messages_one="passed"),
    "rate-limited": case("temperature-*"),
    "gzip": case("reply-*", "stream-*"),
    "http2": case("reply-*", "stream-*"),
    "methods-404": case(method_refused="passed", method_allow="not supported"),
    "9.0-refusing": case("stream-*", stream_usage="not supported"),
    "9.0-ignoring": case("stream-*", "tool*", "response-format-*", stream_usage="not supported"),
    "tools-refused-400": case("tool*", "stream-tool*", tools_type="passed", tool_choice_named="not supported"),
    "tools-refused-501": case("tool*", "stream-tool*", "no-server-error", tool_choice_required="not supported"),
    "tools-named-alone": case("tool*", tool_choice_named="passed", tool_choice_required="not supported"),
    "tools-end-with-stop": case("tool*", "stream-tool*", tool_choice_finish="passed"),
    "tools-spaced": case("tool*", "stream-tool*", tool_arguments="passed"),
    "response-format-refused": case("response-format-*", response_format_schema="not supported"),
    "reasoning-at-length": case("tool-*", tool_choice_named="not tested", response_format_json="not tested"),
    "plain": case(token_missing="not supported", token_wrong="not supported", token_challenge="not supported"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_conforming_deployment_passes(name: str) -> None:
    variant, wanted = BY_NAME[name], CASES[name]
    options = [option.removeprefix("--") for option in variant.options]
    pairs = [f"{option}={value}" for option, value in zip(options[::2], options[1::2], strict=True)]
    with running(variant.hooks) as url:
        trust = [f"ca-bundle={certificates().authority}"] if url.startswith("https:") else []
        verdict = judged(
            url,
            f"agent-id={variant.hooks.agent_id}",
            *(f"clause={glob}" for glob in wanted.clauses),
            *pairs,
            *trust,
            token=variant.hooks.token or "",
        )
    assert verdict.having("failed") == set(), [verdict.findings[id] for id in verdict.having("failed")]
    assert verdict.code == (Exit.NO_VERDICT if variant.undecided else Exit.PASSED), verdict.reason
    assert {id: verdict.findings[id].word for id in wanted.words} == wanted.words
