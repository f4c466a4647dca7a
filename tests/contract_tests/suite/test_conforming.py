"""Nobody is accused of what real deployments do: each differs where the contract leaves it free."""

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
    """The clauses that a deployment could be accused by, as globs, and what some of them must be found to be."""

    clauses: tuple[str, ...]
    words: Mapping[str, str] = field(default_factory=dict)


def case(*clauses: str, **words: str) -> Case:
    """Return the case; a clause is named with underscores, and is judged whether it is among the globs or not."""
    named = {f"chat.{name.replace('_', '-')}": word for name, word in words.items()}
    return Case((*(f"chat.{glob}" for glob in clauses), *named), named)


CASES: Mapping[str, Case] = {
    "lax-coercion": case("field-types", "n-*", coercion="differs", boolean_strict="differs"),
    "unlisted-refused": case("seed-accepted", unlisted_fields="differs"),
    "unlisted-kept": case("reply-conforms", unlisted_fields="held"),
    "null-refused": case("field-types", null_optional="differs"),
    "details-with-codes": case(validation_error="held", validation_location="held"),
    "system-accepted": case(role_system="differs", role_unknown="held"),
    "session-unknown-400": case(session_unknown="held", session_unknown_status="differs"),
    "ids-bare-uuids": case(reply_id="held", reply_conforms="held"),
    "session-id-null": case("reply-*", session_id_absent="held"),
    "session-id-on-create-alone": case("session-*", session_id_echoed="differs"),
    "errors-in-html": case(agent_unknown="held", model_unexpected="held", error_detail="differs"),
    "errors-in-silence": case(role_unknown="held", reply_content_type="held", reply_conforms="held"),
    "answer-bare": case("reply-*", max_tokens_finish="not offered"),
    "answer-rich": case("reply-*", reply_conforms="held"),
    "stream-lines-cr": case("stream-*", stream_framing="held"),
    "stream-byte-by-byte": case("stream-*", stream_framing="held"),
    "stream-one-piece": case("stream-*", stream_incremental="differs"),
    "stream-no-role": case("stream-*", stream_role="held"),
    "stream-usage-unasked": case("stream-*", stream_usage_unasked="differs"),
    "n-refused": case("choice-index", n_choices="not offered", stream_index="held"),
    "n-refused-at-zero": case(n_choices="held"),
    "reasoning-null": case("reply-*", "max-tokens-*", "session-*", reply_message="held"),
    "knowledge": case("session-*", session_used="differs", reply_context="held"),
    "never-the-same": case("session-*", "reply-*", stream_same_as_plain="differs"),
    "token-401": case(token_missing="held", token_wrong="held", token_status="held", token_challenge="held"),
    "token-403": case(token_missing="held", token_status="differs", token_challenge="not offered"),
    "cold-gateway": case(messages_one="held"),
    "rate-limited": case("temperature-*"),
    "gzip": case("reply-*", "stream-*"),
    "http2": case("reply-*", "stream-*"),
    "methods-404": case(method_refused="held", method_allow="not offered"),
    "9.0-refusing": case("stream-*", stream_usage="not offered"),
    "9.0-ignoring": case("stream-*", stream_usage="not selected"),
    "tools-refused-400": case("tool*", "stream-tool*", tools_type="held", tool_choice_named="not offered"),
    "tools-refused-501": case("tool*", "stream-tool*", "no-server-error", tool_choice_required="not offered"),
    "tools-named-alone": case("tool*", tool_choice_named="held", tool_choice_required="not offered"),
    "tools-end-with-stop": case("tool*", "stream-tool*", tool_choice_finish="held"),
    "tools-spaced": case("tool*", "stream-tool*", tool_arguments="held"),
    "response-format-refused": case("response-format-*", response_format_schema="not offered"),
    "reasoning-at-length": case("tool-*", tool_choice_named="not tested", response_format_json="not tested"),
    "plain": case(token_missing="not offered", token_wrong="not offered", token_challenge="not offered"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_conforming_deployment_is_accused_of_nothing(name: str) -> None:
    variant, wanted = BY_NAME[name], CASES[name]
    options = [option.removeprefix("--") for option in variant.options]
    pairs = [f"{option}={value}" for option, value in zip(options[::2], options[1::2], strict=True)]
    with running(variant.deployment) as url:
        trust = [f"ca-bundle={certificates().authority}"] if url.startswith("https:") else []
        verdict = judged(
            url,
            f"agent-id={variant.deployment.agent_id}",
            *(f"clause={glob}" for glob in wanted.clauses),
            *pairs,
            *trust,
            token=variant.deployment.token or "",
        )
    assert verdict.having("broken") == set(), [verdict.findings[id] for id in verdict.having("broken")]
    assert verdict.code == Exit.HELD, verdict.reason
    assert {id: verdict.findings[id].word for id in wanted.words} == wanted.words
