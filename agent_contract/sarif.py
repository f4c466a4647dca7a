"""Findings as SARIF, which code hosts and editors show at the line of the document.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


@dataclass(frozen=True, slots=True)
class SarifResult:
    """One finding: the rule that is broken, `error`, `warning` or `note`, a message, and a place in a file.

    A finding that is `excused` is suppressed, with this reason. `subject` distinguishes findings of one rule in a file.
    """

    rule: str
    level: str
    message: str
    path: str
    line: int
    excused: str = ""
    subject: str = ""

    @property
    def fingerprint(self) -> str:
        """What makes the finding the same in the next run: its rule, file and subject."""
        return hashlib.sha256("\n".join((self.rule, self.path, self.subject)).encode()).hexdigest()


def to_sarif(version: str, rules: Mapping[str, str], results: Sequence[SarifResult]) -> str:
    """Return a log with one run. `rules` are the sentences of the rules, by id; each result's rule is among them."""
    order = list(rules)
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "agent-contract",
                        "semanticVersion": version,
                        "rules": [{"id": id, "shortDescription": {"text": text}} for id, text in rules.items()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, order.index(one.rule)) for one in results],
            }
        ],
    }
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def _result(one: SarifResult, index: int) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(one.path)}, "region": {"startLine": one.line}}
    suppressed = {"suppressions": [{"kind": "external", "justification": one.excused}]} if one.excused else {}
    return {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": one.level,
        "message": {"text": one.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"ruleFileSubject/v1": one.fingerprint},
        **suppressed,
    }
