"""Applies overlays: files that change a document before it is read. Source: OpenAPI Overlay 1.0.0, section 4.4."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_contract.document.document import Document, read_document
from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.json_pointer import Place
from agent_contract.installation import missing
from agent_contract.messages import JSON

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathNodeList


def apply_overlay(document: Document, path: Path) -> None:
    """Change a document in place by the actions of an overlay, in their order.

    An action without a match changes nothing, as the specification asks. Raises ContractError with everything that is
    wrong with the overlay.
    """
    overlay = read_document(path)
    value: Any = overlay.files[""]
    problems = list(_problems(overlay, value))
    if problems:
        raise ContractError(problems)
    for index, action in enumerate(value["actions"]):
        place = Place("", ("actions", str(index), "target"))
        for tokens in _targets(overlay, place, document.files[""], action["target"]):
            _act(document.files, tokens, action)


def _problems(overlay: Document, value: Any) -> Iterator[Problem]:
    top, remedy = Place("", ()), "write 'overlay: 1.0.0', 'info' and 'actions'"
    if not isinstance(value, dict) or not str(value.get("overlay", "")).startswith("1."):
        yield overlay.problem(top, "is not an overlay of version 1", remedy)
        return
    actions = value.get("actions")
    if not isinstance(actions, list) or not actions:
        yield overlay.problem(top, "has no actions", "add 'actions', each with 'target' and 'update' or 'remove'")
        return
    for index, action in enumerate(actions):
        place = Place("", ("actions", str(index)))
        if not isinstance(action, dict) or not isinstance(action.get("target"), str):
            yield overlay.problem(place, "the action has no target", "add a JSONPath such as $.paths['/pets']")
        elif "update" not in action and action.get("remove") is not True:
            yield overlay.problem(place, "the action changes nothing", "add 'update: …' or 'remove: true'")


def _targets(overlay: Document, place: Place, root: JSON, target: str) -> list[tuple[str | int, ...]]:
    """Return the keys that lead to each value that a JSONPath selects, the last ones first."""
    try:
        from jsonpath_rfc9535 import JSONPathError, find
    except ImportError as error:
        reason = missing(error, "The overlay", "jsonpath")
        raise ContractError([overlay.problem(place, reason, "install it, or leave the overlay out")]) from None
    try:
        found: JSONPathNodeList = find(target, root)
    except (JSONPathError, RecursionError) as error:
        why = str(error).partition(", line ")[0]
        problem = overlay.problem(place, f"{target!r} is not a JSONPath: {why}", "write one as in RFC 9535")
        raise ContractError([problem]) from None
    # Items that are removed must not move those that are removed later.
    return sorted((node.location for node in found), key=lambda keys: [str(key).zfill(9) for key in keys], reverse=True)


def _act(files: dict[str, JSON], tokens: tuple[str | int, ...], action: dict[str, Any]) -> None:
    """Apply an action to one value of the document."""
    holder: Any = files
    key: str | int = ""
    for token in tokens:
        holder, key = holder[key], token
    if action.get("remove") is True:
        if tokens:
            del holder[key]
    else:
        holder[key] = _merged(holder[key], copy.deepcopy(action["update"]))


def _merged(value: JSON, update: JSON) -> JSON:
    """Return a value with an update: objects are merged, to an array the update is appended."""
    if isinstance(value, dict) and isinstance(update, dict):
        return {**value, **{name: _merged_child(value.get(name), one) for name, one in update.items()}}
    if isinstance(value, list):
        return [*value, *(update if isinstance(update, list) else [update])]
    return update


def _merged_child(value: JSON, update: JSON) -> JSON:
    """Return a property with an update: arrays are joined, and what is of another type is replaced."""
    if isinstance(value, list) and not isinstance(update, list):
        return update
    return _merged(value, update)
