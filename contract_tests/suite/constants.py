"""Values that several modules of tests share: test modules don't import each other for them."""

from __future__ import annotations

import re

FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call", None)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: The counts of a `usage`.
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
