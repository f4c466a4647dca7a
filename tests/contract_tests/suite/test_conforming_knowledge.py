"""Conforming deployments pass, whatever they do with knowledge bases; what they lack is not supported."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchmarks.detection.conforming_variants.knowledge import VARIANTS
from benchmarks.detection.conforming_variants.variant import Variant
from benchmarks.detection.running import running
from contract_tests.verdict import Exit
from tests.contract_tests.support.judging import judged

#: What some of the clauses must be found to be, by the variant's name.
WORDS: Mapping[str, Mapping[str, str]] = {
    "knowledge-none": {"control.list": "not supported", "documents.upload": "not supported"},
    "knowledge-read-only": {"control.list": "passed", "knowledge-bases.create": "not supported"},
    "knowledge-bare": {"control.list": "passed", "indexes.create-status": "warning", "documents.upload": "passed"},
    "knowledge-embedding": {"indexes.search-cutoff": "passed", "documents.searched": "passed"},
    "knowledge-uploads-alone": {"indexings.upload-starts": "passed", "indexings.indexing-waiting": "not tested"},
}
CLAUSES = ("control.*", "knowledge-bases.*", "indexes.*", "documents.*", "indexings.*")


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_conforming_deployment_passes(variant: Variant) -> None:
    with running(variant.hooks) as url:
        verdict = judged(
            url,
            f"agent-id={variant.hooks.agent_id}",
            *(f"clause={glob}" for glob in CLAUSES),
            *(option.removeprefix("--") for option in variant.options),
        )
    assert verdict.having("failed") == set(), [verdict.findings[id] for id in verdict.having("failed")]
    assert verdict.code == Exit.PASSED, verdict.reason
    wanted = WORDS[variant.name]
    assert {id: verdict.findings[id].word for id in wanted} == wanted
