"""Conforming deployments pass, whatever they do with agents and models; what they lack is not supported."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchmarks.detection.conforming_variants.around import VARIANTS
from benchmarks.detection.conforming_variants.variant import Variant
from benchmarks.detection.running import running
from contract_tests.verdict import Exit
from tests.contract_tests.support.judging import judged

#: What some of the clauses must be found to be, by the variant's name.
WORDS: Mapping[str, Mapping[str, str]] = {
    "around-404": {
        "agents.list": "not supported",
        "models.list": "not supported",
        "completions.answer": "not supported",
    },
    "around-405": {
        "agents.create": "not supported",
        "agents.get": "not supported",
        "embeddings.answer": "not supported",
    },
    "agents-read-only": {"agents.list": "passed", "agents.create": "not supported", "agents.update": "not supported"},
    "agents-hidden": {"agents.list": "not supported", "agents.get": "not supported", "models.list": "passed"},
    "agents-unread": {"agents.list": "passed", "agents.get": "not supported", "agents.update": "passed"},
    "agents-kept": {"agents.create": "passed", "agents.delete": "not supported"},
    "create-200": {"agents.create": "passed", "agents.create-status": "warning"},
    "agents-rich": {"agents.conforms": "passed", "models.list": "passed"},
    "agents-with-nulls": {"agents.conforms": "passed", "agents.update-null": "passed"},
    "agents-without-defaults": {"agents.create": "passed", "agents.defaults": "warning"},
    "agents-growing": {"agents.twins": "passed", "agents.after": "passed"},
    "agents-capped": {"agents.limit-accepted": "passed", "agents.has-more": "passed"},
    "embeddings-none": {"embeddings.answer": "not supported", "embeddings.input-required": "passed"},
    "embeddings-one-by-one": {"embeddings.answer": "warning"},
}
AROUND = ("agents.*", "models.*", "model-chat.*", "completions.*", "embeddings.*", "chat.agent-unknown")


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_conforming_deployment_passes(variant: Variant) -> None:
    with running(variant.hooks) as url:
        verdict = judged(
            url,
            f"agent-id={variant.hooks.agent_id}",
            *(f"clause={glob}" for glob in AROUND),
            *(option.removeprefix("--") for option in variant.options),
        )
    assert verdict.having("failed") == set(), [verdict.findings[id] for id in verdict.having("failed")]
    assert verdict.code == Exit.PASSED, verdict.reason
    wanted = WORDS.get(variant.name, {})
    assert {id: verdict.findings[id].word for id in wanted} == wanted


def test_each_of_the_expected_variants_is_there() -> None:
    assert WORDS.keys() <= {variant.name for variant in VARIANTS}
