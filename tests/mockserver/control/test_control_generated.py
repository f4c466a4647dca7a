"""Requests that schemathesis generates from the control interface's document get documented replies."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from mockserver.adapters.wsgi import create_app
from mockserver.control.gateway import own_contract
from tests.mockserver.support.api_client import ApiClient
from tests.mockserver.support.chat_client import engine

_CONFIG: dict[str, Any] = {
    "seed": 0,
    "cache": {"enabled": False},
    "phases": {
        "examples": {"enabled": True},
        "coverage": {"enabled": True},
        "fuzzing": {"enabled": False, "error-feedback": {"enabled": False}},
        "stateful": {"enabled": False},
    },
}
_PLAYER = engine()
ApiClient(_PLAYER).chat("demo", create_session=True)
SCHEMA = schemathesis.openapi.from_dict(dict(own_contract().document), config=schemathesis.Config.from_dict(_CONFIG))
SCHEMA.app = create_app(_PLAYER)


@SCHEMA.parametrize()
def test_a_generated_request_gets_a_documented_reply(case: Case[Any]) -> None:
    # The document describes rules and faults loosely: their loader refuses with a place and a remedy for each problem.
    is_loose = case.operation.path in ("/__mock__/rules", "/__mock__/faults")
    case.call_and_validate(excluded_checks=[positive_data_acceptance] if is_loose else [])
