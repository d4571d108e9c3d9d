import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readOptions } from "../bench/options.ts";
import { count, type RunResult } from "../conformance/runner/result.ts";
import { startConformanceRig } from "../test/support/conformance-rig.ts";

const help = `npm run conformance:report -- [CONFIG.json …]

Runs the conformance suite against this server, and against each server that a file of the suite's options names, and
writes docs/conformance/.
`;
const root = fileURLToPath(new URL("..", import.meta.url));
const suite = join(root, "conformance/main.ts");
const reports = join(root, "docs/conformance");
const levels = ["MUST", "SHOULD", "MAY"] as const;

const { values: options, positionals: configs } = readOptions(
  { allowPositionals: true, options: { help: { type: "boolean" } } },
  help,
);
if (options.help) {
  process.stdout.write(help);
  process.exit();
}
const folder = mkdtempSync(join(tmpdir(), "posthorn-report-"));
try {
  const files = [await testPosthorn(), ...configs.map(testOther)];
  mkdirSync(reports, { recursive: true });
  runSuite(["--html", join(reports, "report.html"), "--compare", ...files]);
  writeFileSync(join(reports, "README.md"), page(files.map((file) => JSON.parse(readFileSync(file, "utf8")))));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function testPosthorn(): Promise<string> {
  const file = join(folder, "posthorn.json");
  const rig = await startConformanceRig();
  try {
    const { output } = await rig.runSuite(["--config", rig.configFile, "--name", "Posthorn", "--json", file]);
    process.stdout.write(output);
  } finally {
    await rig.dispose();
  }
  return file;
}

function testOther(config: string, index: number): string {
  const file = join(folder, `other-${index}.json`);
  runSuite(["--config", config, "--json", file]);
  return file;
}

function runSuite(args: string[]): void {
  // Exit code 1 means that a server failed some test.
  const { status } = spawnSync(process.execPath, [suite, ...args], { stdio: "inherit" });
  if (status !== 0 && status !== 1) throw new Error(`the suite ended with ${status}`);
}

function page(runs: readonly RunResult[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = runs.map(({ server, started, results }) => {
    const shares = levels.map((level) => {
      const { pass, fail } = count(results, level);
      return `${pass} of ${pass + fail}`;
    });
    return row([server, started.slice(0, 10), ...shares, String(count(results).skip)]);
  });
  return `# Conformance reports

The suite's ${runs[0]?.results.length} tests, each of one sentence of the RFCs; [report.html](report.html) has them one by one, with what was said when
one failed. Made by \`npm run conformance:report -- CONFIG.json …\`, a file of the suite's options for each other server.

${[row(["server", "run", ...levels, "skipped"]), row(["---", "---", "--:", "--:", "--:", "--:"]), ...lines].join("\n")}
`;
}
