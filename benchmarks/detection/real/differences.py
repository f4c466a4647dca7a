"""Why each clause that fails on a real server is a real difference, and not the judge's mistake."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.detection.judge import Judgement

_UNREADABLE = "A body that it can't read or that has the wrong form gets 400; the contract requires 422."
_UNCHECKED = "It does not check the bound and answers 200."
_OTHER_FORM = "It refuses with 400 and OpenAI's `error` object; the contract requires 422."
_LLAMA_CPP: dict[str, str] = {
    "chat.body-missing": _UNREADABLE,
    "chat.body-malformed": _UNREADABLE,
    "chat.body-not-an-object": _UNREADABLE,
    "chat.body-content-type": "It reads the body as JSON whatever its content type is.",
    "chat.field-types": _OTHER_FORM,
    "chat.n-below-minimum": _OTHER_FORM,
    "chat.messages-required": _OTHER_FORM,
    "chat.messages-items": _OTHER_FORM,
    "chat.temperature-below-minimum": _UNCHECKED,
    "chat.temperature-above-maximum": _UNCHECKED,
    "chat.stop-empty": _UNCHECKED,
    "chat.max-tokens-below-minimum": _UNCHECKED,
    "chat.messages-empty": _UNCHECKED,
    "chat.stream-options-type": "It ignores `stream_options` of another type and answers 200.",
    "chat.tools-type": "It answers 500 to `tools` that are not an array.",
    "chat.tool-choice-required": "A model without a template for tools answers in words.",
    "chat.response-format-type": "It ignores a `response_format` of another type, or fails on it with 500.",
    "chat.no-server-error": "It answers 500 to some bodies that it can't use, such as `tools: [{}]`.",
}
#: By server and clause.
EXPLANATIONS: Mapping[str, Mapping[str, str]] = {
    "llama.cpp": _LLAMA_CPP,
    "LiteLLM": _LLAMA_CPP
    | {
        "chat.body-not-an-object": "It answers 500 to a body that is not an object.",
        "chat.tools-type": _OTHER_FORM,
        "chat.stream-finish": "It leaves out the finish reason of every choice but the first.",
    },
}


def unexplained(server: str, judgement: Judgement) -> list[str]:
    """Return the failed clauses that have no explanation, and the run's conclusion if it came to no verdict."""
    known = EXPLANATIONS[server]
    crashed = [] if judgement.exit_code in (0, 1) else [judgement.conclusion]
    return [*crashed, *(clause for clause in judgement.failed if clause not in known)]


def table(found: Mapping[str, Judgement]) -> str:
    """Return what was found as Markdown: the cost of each verdict, and each failed clause with its explanation."""
    lines = ["| server | passed | failed | warnings | requests | seconds |", "| --- | --- | --- | --- | --- | --- |"]
    for server, judgement in found.items():
        words = list(judgement.words.values())
        counts = " | ".join(str(words.count(word)) for word in ("passed", "failed", "warning"))
        lines.append(f"| {server} | {counts} | {judgement.requests} | {judgement.seconds:.1f} |")
    lines += ["", "| failed clause | " + " | ".join(found) + " |", "| --- |" + " --- |" * len(found)]
    for clause in dict.fromkeys(clause for judgement in found.values() for clause in judgement.failed):
        cells = [
            EXPLANATIONS[server].get(clause, "**not explained**") if clause in judgement.failed else ""
            for server, judgement in found.items()
        ]
        lines.append(f"| `{clause}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
