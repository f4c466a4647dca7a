"""OpenAI's SDK for Node: runs `node/openai.test.mjs`, which describes the tests."""

from __future__ import annotations

import re

import pytest

from tests.clients.conftest import TOKEN
from tests.clients.support.install_node_packages import FOLDER
from tests.clients.support.node import run_tests
from tests.support.serving import Served

SCRIPT = "openai.test.mjs"


@pytest.mark.usefixtures("sound_sessions")
def test_the_node_sdk_chats_streams_keeps_sessions_and_raises_its_own_errors(served: Served, guarded: Served) -> None:
    written = len(re.findall(r"^ *test\(", (FOLDER / SCRIPT).read_text(encoding="utf-8"), re.MULTILINE))
    passed = run_tests(SCRIPT, {"AGENT_URL": served.agent(), "GUARDED_URL": guarded.agent(), "TOKEN": TOKEN})
    assert passed >= written
