"""Overlays change a document before it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_contract import ContractError, load_contract
from tests.agent_contract.support.documents import with_parameters, write

DOCUMENT = with_parameters({"name": "limit", "in": "query", "schema": {"type": "integer"}})


def overlaid(folder: Path, *actions: Any, **top: Any) -> dict[str, Any]:
    """Return the document with the actions of an overlay."""
    path = write(folder, yaml.safe_dump(DOCUMENT))
    written = {"overlay": "1.0.0", "info": {"title": "Changes", "version": "1"}, "actions": list(actions), **top}
    overlay = write(folder, yaml.safe_dump(written), "overlay.yaml")
    return load_contract(path, overlays=[overlay]).document


def test_an_object_is_merged(tmp_path: Path) -> None:
    changed = overlaid(tmp_path, {"target": "$.info", "update": {"title": "Mine", "license": {"name": "MIT"}}})

    assert changed["info"] == {"title": "Mine", "version": "1", "license": {"name": "MIT"}}


def test_an_item_is_appended_to_an_array(tmp_path: Path) -> None:
    added = {"name": "page", "in": "query", "schema": {"type": "integer"}}
    changed = overlaid(tmp_path, {"target": "$.paths['/things'].get.parameters", "update": added})

    assert [one["name"] for one in changed["paths"]["/things"]["get"]["parameters"]] == ["limit", "page"]


def test_every_match_is_changed(tmp_path: Path) -> None:
    changed = overlaid(tmp_path, {"target": "$.paths.*.get.responses.*", "update": {"description": "changed"}})

    assert changed["paths"]["/things"]["get"]["responses"]["200"] == {"description": "changed"}


def test_matches_are_removed_from_the_last_on(tmp_path: Path) -> None:
    names = [{"name": name, "in": "query", "schema": {"type": "integer"}} for name in ("a", "b")]
    changed = overlaid(
        tmp_path,
        {"target": "$.paths['/things'].get.parameters", "update": names},
        {"target": "$.paths['/things'].get.parameters[?@.name != 'b']", "remove": True},
    )

    assert [one["name"] for one in changed["paths"]["/things"]["get"]["parameters"]] == ["b"]


def test_an_action_without_a_match_changes_nothing(tmp_path: Path) -> None:
    assert overlaid(tmp_path, {"target": "$.webhooks", "remove": True}) == DOCUMENT


@pytest.mark.parametrize(
    ("actions", "top", "reason"),
    [
        ([{"target": "$..[", "remove": True}], {}, "is not a JSONPath"),
        ([{"update": {}}], {}, "the action has no target"),
        ([{"target": "$"}], {}, "the action changes nothing"),
        ([], {}, "has no actions"),
        ([], {"overlay": "2.0.0"}, "is not an overlay of version 1"),
    ],
)
def test_a_wrong_overlay_is_refused_with_its_place(tmp_path: Path, actions: Any, top: Any, reason: str) -> None:
    with pytest.raises(ContractError, match=reason) as refused:
        overlaid(tmp_path, *actions, **top)

    assert "overlay.yaml" in str(refused.value)
