"""Nobody is accused of what real deployments do with agents and models; what they lack is not offered."""

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
    "around-404": {"agents.list": "not offered", "models.list": "not offered", "completions.answer": "not offered"},
    "around-405": {"agents.create": "not offered", "agents.get": "not offered", "embeddings.answer": "not offered"},
    "agents-read-only": {"agents.list": "held", "agents.create": "not offered", "agents.update": "not offered"},
    "agents-hidden": {"agents.list": "not offered", "agents.get": "not offered", "models.list": "held"},
    "agents-unread": {"agents.list": "held", "agents.get": "not offered", "agents.update": "held"},
    "agents-kept": {"agents.create": "held", "agents.delete": "not offered"},
    "create-200": {"agents.create": "held", "agents.create-status": "differs"},
    "agents-rich": {"agents.conforms": "held", "models.list": "held"},
    "agents-with-nulls": {"agents.conforms": "held", "agents.update-null": "held"},
    "agents-without-defaults": {"agents.create": "held", "agents.defaults": "differs"},
    "agents-growing": {"agents.twins": "held", "agents.after": "held"},
    "agents-capped": {"agents.limit-accepted": "held", "agents.has-more": "held"},
    "embeddings-none": {"embeddings.answer": "not offered", "embeddings.input-required": "held"},
    "embeddings-one-by-one": {"embeddings.answer": "differs"},
}
AROUND = ("agents.*", "models.*", "model-chat.*", "completions.*", "embeddings.*", "chat.agent-unknown")


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_conforming_deployment_is_accused_of_nothing(variant: Variant) -> None:
    with running(variant.deployment) as url:
        verdict = judged(
            url,
            f"agent-id={variant.deployment.agent_id}",
            *(f"clause={glob}" for glob in AROUND),
            *(option.removeprefix("--") for option in variant.options),
        )
    assert verdict.having("broken") == set(), [verdict.findings[id] for id in verdict.having("broken")]
    assert verdict.code == Exit.HELD, verdict.reason
    wanted = WORDS.get(variant.name, {})
    assert {id: verdict.findings[id].word for id in wanted} == wanted


def test_each_of_the_expected_variants_is_there() -> None:
    assert WORDS.keys() <= {variant.name for variant in VARIANTS}
