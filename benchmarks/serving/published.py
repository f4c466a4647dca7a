"""Servers that npm does not have, with the figures that their own authors published."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """A server, and what its authors state about it."""

    server: str
    figure: str
    validates: str
    sessions: str
    source: str


PUBLISHED = (
    Published(
        "MockServer 9.0.0",
        "57,149 requests/s sustained, 59,905 at the peak, on six cores",
        "by configuration",
        "no",
        "https://github.com/mock-server/mockserver-monorepo/releases/tag/mockserver-9.0.0",
    ),
    Published(
        "VidaiMock 0.3.1",
        "more than 50,000 requests/s in benchmark mode; the machine is not stated",
        "required fields",
        "no",
        "https://github.com/vidaiUK/VidaiMock",
    ),
    Published("llmposter 0.5.0", "none found", "no", "scenarios", "https://github.com/SkillDoAI/llmposter"),
    Published(
        "llm-d-inference-sim",
        "none found",
        "not stated",
        "no",
        "https://github.com/llm-d/llm-d-inference-sim",
    ),
)
