// Without this file, Node would read dist/cjs as ES modules, because the package is one.
import { writeFileSync } from "node:fs";

writeFileSync(new URL("dist/cjs/package.json", import.meta.url), '{ "type": "commonjs" }\n');
