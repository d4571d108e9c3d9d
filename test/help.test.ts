import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
/** Writes the URLs of all modules to standard error. */
const recorder = `import { registerHooks } from "node:module";
const seen = [];
registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
process.on("exit", () => process.stderr.write(JSON.stringify(seen)));`;

test.each([
  ["--version"],
  ["--help"],
  ["serve --help"],
  ["queue --help"],
  ["account add --help"],
  ["blobs copy --help"],
  ["domain rotate-key --help"],
  ["reports top --help"],
])(
  "posthorn %s is quick: it loads no package but the one that reads the command line, and nothing of the store",
  async (args) => {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const options = ["--import", `data:text/javascript,${encodeURIComponent(recorder)}`, main, ...args.split(" ")];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, options, { env });
    expect(stdout).not.toBe("");
    const loaded = JSON.parse(stderr) as string[];
    const packages = loaded.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
    expect([...new Set(packages)]).toEqual(["commander"]);
    expect(loaded.filter((url) => /\/src\/(?:store|mail|jmap|smtp)\/(?!core\/errors\.ts$)/.test(url))).toEqual([]);
  },
);
