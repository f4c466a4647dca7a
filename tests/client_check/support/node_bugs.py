"""The bugs of the clients in `tests/clients/node/buggy_clients.mjs`, each with the variants that must show it."""

from __future__ import annotations

from collections.abc import Mapping

NODE_BUGS: Mapping[str, tuple[str, ...]] = {
    "splits events at LF LF": ("stream-crlf",),
    "wants data: with a space": ("stream-no-space",),
    "parses each line that is not empty": ("stream-comments", "stream-named"),
    "parses each line of data": ("stream-over-lines",),
    "decodes each piece by itself": ("stream-divided",),
    "reads an event from each piece": ("stream-divided",),
    "reads choices[0] of each chunk": ("stream-usage-last",),
    "reads total_tokens of each usage": ("stream-usage-null",),
    "takes the role from the first chunk": ("stream-no-role",),
    "drops the first chunk": ("stream-role-late",),
    "drops the chunk that finishes": ("stream-finish-early",),
    "adds null to the text": ("stream-nulls",),
    "iterates over tool_calls that are null": ("stream-nulls",),
    "refuses keys that it does not know": ("answer-unlisted",),
    "searches the body for the text": ("answer-spaced",),
    "adds up the usage": ("answer-usage",),
    "compares the content type": ("answer-charset",),
    "takes each refusal for JSON": ("refusal-html", "refusal-empty"),
    "looks for words in a refusal": ("refusal-words",),
    "waits for 0.3 s": ("answer-slow",),
    "never tries again": ("failure-429", "failure-503", "failure-502", "failure-reset"),
}
