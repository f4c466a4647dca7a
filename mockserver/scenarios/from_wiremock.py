"""Converts WireMock's mappings for chat endpoints into rules. Source: WireMock 3, "Stubbing" and "Request matching"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from mockserver.scenarios.converted import Conversion, content, tool_call

_REQUEST = {"method", "url", "urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate", "headers", "bodyPatterns"}
_RESPONSE = {"status", "statusMessage", "headers", "body", "jsonBody", "fixedDelayMilliseconds", "fault"}
_MAPPING = {
    "request",
    "response",
    "name",
    "id",
    "uuid",
    "priority",
    "persistent",
    "metadata",
    "scenarioName",
    "requiredScenarioState",
    "newScenarioState",
}
_CHAT = re.compile(r"/chat/completions(?:\$|\?.*)?$")
_AGENT = re.compile(r"/(?:agents|assistants)/([\w.-]+)/chat")
_FAULTS: Mapping[str, str] = {
    "CONNECTION_RESET_BY_PEER": "reset-before-headers",
    "EMPTY_RESPONSE": "reset-before-headers",
    "MALFORMED_RESPONSE_CHUNK": "cut",
    "RANDOM_DATA_THEN_CLOSE": "reset-before-headers",
}
_PRIORITY = 5  # of a mapping that states none; 1 is the highest


def from_wiremock(value: Any) -> Conversion:
    """Return the rules of the mappings for chats.

    WireMock prefers a high priority, then the mapping that was added last. A scenario whose states follow each other
    becomes one rule with several answers.
    """
    made = Conversion()
    mappings = value["mappings"] if isinstance(value, dict) and "mappings" in value else [value]
    states: dict[str, tuple[dict[str, Any], str | None]] = {}
    found = []
    for number, mapping in enumerate(mappings):
        place, request = f"mappings[{number}]", mapping.get("request") or {}
        if not _CHAT.search(_path(request)):
            made.note(place, "is left out: it is not for chats")
            continue
        made.note_others(place, mapping, _MAPPING)
        made.note_others(f"{place}.request", request, _REQUEST)
        made.note_others(f"{place}.response", mapping.get("response") or {}, _RESPONSE)
        when, answer = _when(made, f"{place}.request", request), _answer(made, place, mapping.get("response") or {})
        rule: dict[str, Any] = {"name": mapping["name"][:100]} if mapping.get("name") else {}
        rule |= {"when": when} if when else {}
        rule |= {"off_contract": True} if "raw" in answer else {}
        scenario = mapping.get("scenarioName")
        if scenario in states and states[scenario][1] == mapping.get("requiredScenarioState"):
            first, _ = states[scenario]
            first["answers"].append(answer)
            first |= {"off_contract": True} if "raw" in answer else {}
            states[scenario] = first, mapping.get("newScenarioState")
            continue
        if scenario is not None:
            if mapping.get("requiredScenarioState", "Started") != "Started":
                made.note(f"{place}.scenarioName", "is left out: its states don't follow each other in the file")
                continue
            rule["answers"] = [answer]
            states[scenario] = rule, mapping.get("newScenarioState")
        else:
            rule["answer"] = answer
        found.append((mapping.get("priority") or _PRIORITY, -number, rule))
    made.rules = [rule for *_, rule in sorted(found, key=lambda one: one[:2])]
    return made


def _path(request: Mapping[str, Any]) -> str:
    names = ("url", "urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate")
    return next((str(request[name]) for name in names if request.get(name)), "")


def _when(made: Conversion, place: str, request: Mapping[str, Any]) -> dict[str, Any]:
    agent = _AGENT.search(_path(request)) if "url" in request or "urlPath" in request else None
    when: dict[str, Any] = {"agent": agent[1]} if agent else {}
    headers = _headers(made, f"{place}.headers", request.get("headers") or {})
    if headers:
        when["headers"] = headers
    body: dict[str, Any] = {}
    exists: list[str] = []
    for number, pattern in enumerate(request.get("bodyPatterns") or ()):
        if not _add_pattern(pattern, when, body, exists):
            what = "is left out: only contains, and matchesJsonPath with equalTo or alone, can be converted"
            made.note(f"{place}.bodyPatterns[{number}]", what)
    if body:
        when["body"] = body
    elif exists:
        when["body"] = exists.pop(0)
    for path in exists:
        made.note(f"{place}.bodyPatterns", f"{path} is left out: a rule has either one path, or paths with values")
    return when


def _headers(made: Conversion, place: str, matchers: Mapping[str, Any]) -> dict[str, str]:
    headers = {}
    for name, matcher in matchers.items():
        if name.lower() in ("content-type", "accept"):  # every chat has them
            continue
        if isinstance(matcher, dict) and set(matcher) == {"equalTo"}:
            headers[name] = matcher["equalTo"]
        else:
            made.note(f"{place}.{name}", "is left out: only equalTo can be converted")
    return headers


def _add_pattern(pattern: Mapping[str, Any], when: dict[str, Any], body: dict[str, Any], exists: list[str]) -> bool:
    """Add a pattern to the conditions; return False if that can't be done."""
    path = pattern.get("matchesJsonPath")
    if isinstance(path, str) and len(pattern) == 1:
        exists.append(_rfc(path))
        return True
    if isinstance(path, dict) and set(path) == {"expression", "equalTo"}:
        body[_rfc(path["expression"])] = _scalar(path["equalTo"])
        return True
    if isinstance(path, dict) and set(path) == {"expression", "contains"}:
        if not re.fullmatch(r"\$\.messages\[(?:-1|-1:|\*|0)\]\.content", path["expression"]):
            return False
        last = path["expression"].startswith("$.messages[-1")
        when["user_contains" if last else "any_contains"] = path["contains"]
        return True
    if set(pattern) == {"contains"} and "any_contains" not in when:
        when["any_contains"] = pattern["contains"]
        return True
    return False


def _rfc(path: str) -> str:
    """Return a path as RFC 9535 writes it: without parentheses around a filter."""
    return re.sub(r"\?\((.*)\)\]", r"?\1]", path)


def _scalar(text: Any) -> Any:
    """Return what WireMock compares as text: a number, true, false or null; otherwise the text."""
    try:
        value = orjson.loads(text)
    except (ValueError, TypeError):
        return text
    return text if isinstance(value, (dict, list, str)) else value


def _answer(made: Conversion, place: str, response: Mapping[str, Any]) -> dict[str, Any]:
    answer = _content(response)
    if response.get("fixedDelayMilliseconds"):
        answer["delay"] = response["fixedDelayMilliseconds"] / 1000
    fault = str(response.get("fault") or "")
    if fault in _FAULTS:
        return {"fault": _FAULTS[fault], **({"delay": answer["delay"]} if "delay" in answer else {})}
    if fault:
        made.note(f"{place}.response.fault", f"is left out: {fault} is not known")
    return answer


def _content(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of a completion, whole or streamed; another reply as it is."""
    status, text = response.get("status", 200), response.get("body") or ""
    headers = {name: str(value) for name, value in (response.get("headers") or {}).items()}
    whole = response.get("jsonBody")
    if whole is None:
        try:
            whole = orjson.loads(text)
        except ValueError:
            whole = None
    if status == 200:
        found = _of_choice(whole) if whole is not None else _of_stream(text)
        if found is not None:
            return found
    return {"raw": {"status": status, "headers": headers, "body": text if whole is None else whole}}


def _of_choice(value: Any) -> dict[str, Any] | None:
    try:
        choice = value["choices"][0]
        message = choice["message"]
        parts = [str(message.get("content") or ""), *_calls(message.get("tool_calls") or ())]
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
    answer = {"refusal": message["refusal"]} if message.get("refusal") else content(parts)
    reason = choice.get("finish_reason")
    return {**answer, "finish_reason": reason} if reason not in (None, "stop", "tool_calls") else answer


def _of_stream(text: str) -> dict[str, Any] | None:
    """Return the answer of a stream of chunks."""
    said: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    for line in text.splitlines():
        if not line.startswith("data:") or line.removeprefix("data:").strip() == "[DONE]":
            continue
        try:
            choices = orjson.loads(line.removeprefix("data:"))["choices"]
            delta = choices[0]["delta"] if choices else {}
        except (ValueError, KeyError, IndexError, TypeError):
            return None
        said.append(delta.get("content") or "")
        for call in delta.get("tool_calls") or ():
            known = calls.setdefault(call.get("index", 0), {"id": None, "name": "", "arguments": ""})
            function = call.get("function") or {}
            known["id"] = call.get("id") or known["id"]
            known["name"] = function.get("name") or known["name"]
            known["arguments"] += function.get("arguments") or ""
    if not said:
        return None
    return content(["".join(said), *(tool_call(one["name"], one["arguments"], one["id"]) for one in calls.values())])


def _calls(calls: Any) -> Iterator[dict[str, Any]]:
    for call in calls:
        yield tool_call(call["function"]["name"], call["function"].get("arguments"), call.get("id"))
