"""The npm package in `clients/node`: runs `node/kit.test.mjs`, which describes the tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.browser.support.chromium import TIMEOUT, find_browser
from tests.clients.conftest import TOKEN
from tests.clients.support.install_node_packages import FOLDER, KIT, ROOT
from tests.clients.support.node import node, run_tests
from tests.docs.support.blocks import BLOCKS
from tests.support.serving import Served

SCRIPT = "kit.test.mjs"
COMMAND = f"{sys.executable} -m agent_contract"


def test_the_package_sets_what_a_mock_does_and_explains_failures(served: Served, guarded: Served) -> None:
    written = len(re.findall(r"^ *test\(", (FOLDER / SCRIPT).read_text(encoding="utf-8"), re.MULTILINE))
    variables = {"AGENT_MOCK_URL": served.url, "GUARDED_URL": guarded.url, "TOKEN": TOKEN}
    assert run_tests(SCRIPT, {**variables, "AGENT_MOCK_COMMAND": COMMAND}) >= written


def test_a_failed_test_prints_its_requests(served: Served, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "red.test.ts").write_text(
        """
import { withMock } from "agent-contract-kit";
import { expect, test } from "vitest";

test("red", withMock(async (mock) => {
  await mock.reply("Ho", { name: "hey" });
  const body = JSON.stringify({ messages: [{ role: "user", content: "Hi" }] });
  const headers = { "Content-Type": "application/json" };
  await fetch(`${mock.baseURL()}/chat/completions`, { method: "POST", headers, body });
  expect(1).toBe(2);
}));
""",
        encoding="utf-8",
    )
    command = [node(), str(FOLDER / "node_modules" / "vitest" / "vitest.mjs"), "run"]
    variables = {**os.environ, "AGENT_MOCK_URL": served.url, "NO_COLOR": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stdout
    assert "expected 1 to be 2" in ran.stderr
    assert "--- agent mock ---" in ran.stderr
    assert 'chat/completions 200 answered by the rule hey: "Hi"' in ran.stderr


PAGE_TEST = """
import { expect, test as base } from "@playwright/test";
import { playwrightFixtures, type AgentMock } from "agent-contract-kit";

const test = base.extend<{ mock: AgentMock }>(playwrightFixtures);
const chat = async (url: string) => {
  const body = JSON.stringify({ messages: [{ role: "user", content: "Hello!" }] });
  const reply = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  return (await reply.json()).choices[0].message.content;
};

for (const text of ["First.", "Second."]) {
  test(`a page gets the answer ${text}`, async ({ page, mock }) => {
    await mock.reply(text);
    const url = `${mock.server.url}/api/v1/compatibility/openai/v1/assistants/demo/chat/completions`;
    expect(await page.evaluate(chat, url)).toBe(text);
    expect(await mock.calls({ contains: "Hello!" })).toHaveLength(1);
  });
}
"""


def test_a_page_in_playwright_has_the_scope_of_its_test(served: Served, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "page.spec.ts").write_text(PAGE_TEST, encoding="utf-8")
    config = {"reporter": "line", "timeout": TIMEOUT, "use": {"launchOptions": {"executablePath": find_browser()}}}
    (tmp_path / "playwright.config.mjs").write_text(f"export default {json.dumps(config)};", encoding="utf-8")
    command = [node(), str(FOLDER / "node_modules" / "@playwright" / "test" / "cli.js"), "test"]
    variables = {**os.environ, "AGENT_MOCK_URL": served.url, "NO_COLOR": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


def test_the_five_ordinary_tests_take_at_most_25_lines() -> None:
    """The documentation's tests run them."""
    (text,) = [block.text for block in BLOCKS if block.file_name == "assistant.test.ts"]
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("//")]
    assert sum(line.startswith("test(") for line in lines) == 5
    assert len(lines) <= 25


def test_the_package_has_the_version_and_the_licence_of_the_kit() -> None:
    package = json.loads((KIT / "package.json").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{package["version"]}"\n' in project
    assert (KIT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert "dependencies" not in package
