#!/usr/bin/env node
// As in posthorn.js: the machine's own Node may be too old to run TypeScript.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const bundled = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));
const source = fileURLToPath(new URL("../conformance/main.ts", import.meta.url));
const child = spawn(existsSync(bundled) ? bundled : process.execPath, [source, ...process.argv.slice(2)], {
  stdio: "inherit",
});
// A terminal sends Ctrl-C to both already; passing it on would count as two.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
