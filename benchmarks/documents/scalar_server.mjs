// Serves a document with Scalar's mock server, which has no command line: node scalar_server.mjs FILE PORT
import { readFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import { createMockServer } from "@scalar/mock-server";

const [file, port] = process.argv.slice(2);
const app = await createMockServer({ document: readFileSync(file, "utf8"), logger: false });
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" });
