"""Converts fixtures of aimock (formerly llmock) into rules. Source: `FixtureFile` of @copilotkit/aimock 1.43."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from mockserver.scenarios.converted import Conversion, content, tool_call

_MATCH = {
    "userMessage",
    "toolCallId",
    "toolResultContains",
    "hasToolResult",
    "toolName",
    "model",
    "responseFormat",
    "sequenceIndex",
    "turnIndex",
    "endpoint",
}
_RESPONSE = {"content", "toolCalls", "blocks", "refusal", "finishReason", "usage", "error", "status", "role"}
_OPTIONS = {"match", "response", "latency", "truncateAfterChunks", "streamingProfile"}
_USAGE = ("prompt_tokens", "completion_tokens", "total_tokens")


def from_aimock(value: Any) -> Conversion:
    """Return the rules of the fixtures in a file; those with a `sequenceIndex` become one rule with several answers."""
    made = Conversion()
    sequences: dict[bytes, list[tuple[int, dict[str, Any]]]] = {}
    for number, fixture in enumerate(value["fixtures"]):
        place = f"fixtures[{number}]"
        match, response = fixture.get("match") or {}, fixture.get("response") or {}
        if match.get("endpoint", "chat") != "chat" or not any(name in response for name in _RESPONSE - {"status"}):
            made.note(place, "is left out: it is not for chats")
            continue
        made.note_others(f"{place}.match", match, _MATCH)
        made.note_others(f"{place}.response", response, _RESPONSE)
        made.note_others(place, fixture, _OPTIONS)
        if "turnIndex" in match:
            made.note(f"{place}.match.turnIndex", "becomes the number of user messages, and must match exactly")
        rule: dict[str, Any] = {"when": _when(match)} if _when(match) else {}
        answer = _answer(fixture, response)
        if "raw" in answer:
            rule["off_contract"] = True
        if "sequenceIndex" not in match:
            made.rules.append({**rule, "answer": answer})
            continue
        key = orjson.dumps(rule, option=orjson.OPT_SORT_KEYS)
        if key not in sequences:
            sequences[key] = []
            made.rules.append({**rule, "answers": sequences[key]})
        sequences[key].append((match["sequenceIndex"], answer))
    for rule in made.rules:
        if "answers" in rule:
            ordered = sorted(rule["answers"], key=lambda one: one[0])
            rule["answers"] = [answer for _, answer in ordered]
            rule["times"] = len(ordered)  # then aimock looks for another fixture
    return made


def _when(match: dict[str, Any]) -> dict[str, Any]:
    when: dict[str, Any] = {}
    if match.get("userMessage"):
        when["user_contains"] = match["userMessage"]
    if "turnIndex" in match:
        when["turn"] = match["turnIndex"] + 1
    if "toolResultContains" in match:
        when["tool_result"] = {"contains": match["toolResultContains"]}
    elif "hasToolResult" in match:
        when["tool_result"] = match["hasToolResult"]
    if "model" in match:
        when["model"] = match["model"]
    paths = {
        "$.messages[-1].tool_call_id": match.get("toolCallId"),
        "$.tools[*].function.name": match.get("toolName"),
        "$.response_format.type": match.get("responseFormat"),
    }
    body = {path: value for path, value in paths.items() if value is not None}
    return {**when, "body": body} if body else when


def _answer(fixture: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    if "error" in response:
        error = response["error"] if isinstance(response["error"], dict) else {"message": str(response["error"])}
        return {"raw": {"status": response.get("status", 500), "body": {"error": error}}}
    answer: dict[str, Any]
    if "refusal" in response:
        answer = {"refusal": response["refusal"]}
    elif isinstance(response.get("content"), (dict, list)) and not response.get("toolCalls"):
        answer = {"data": response["content"]}
    else:
        answer = content([*_parts(response)])
    if "finishReason" in response:
        answer["finish_reason"] = response["finishReason"]
    usage = {name: count for name, count in (response.get("usage") or {}).items() if name in _USAGE}
    if usage:
        answer["usage"] = usage
    profile = fixture.get("streamingProfile")
    if profile:  # milliseconds, tokens per second, a share of each delay
        answer["pace"] = {"ttft": profile.get("ttft", 0) / 1000, "tps": profile.get("tps", 0)}
    elif fixture.get("latency"):
        answer["delays"] = [fixture["latency"] / 1000]
    if "truncateAfterChunks" in fixture:
        answer["fault"] = {"fault": "cut", "after": fixture["truncateAfterChunks"]}
    return answer


def _parts(response: dict[str, Any]) -> Iterator[Any]:
    if "blocks" in response:
        for block in response["blocks"]:
            if block.get("type") == "toolCall":
                yield tool_call(block["name"], block.get("arguments"), block.get("id"))
            else:
                yield str(block.get("text") or "")
        return
    said = response.get("content")
    yield said if isinstance(said, str) else "" if said is None else orjson.dumps(said).decode()
    for call in response.get("toolCalls") or ():
        yield tool_call(call["name"], call.get("arguments"), call.get("id"))
