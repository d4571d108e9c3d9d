import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readOptions } from "./options.ts";
import { isSlower, ratioOf } from "./pairs.ts";
import type { Row } from "./report.ts";

const help = `Measures two checkouts in turns, old, new, old, new, and compares them pair by pair.

  --old DIR         the other checkout, with its node_modules
  --pairs 7         how many turns of both
  --limit 1.05      a scenario whose CPU a request is more than that is slower
  --keep DIR        keep the filled servers there, and use them again
  --messages, --neighbours, --only   as for the benchmark

Exit code 1 when a scenario is slower: the low end of the 90% interval is over the limit.
`;

const { values: options } = readOptions(
  {
    options: {
      old: { type: "string" },
      pairs: { type: "string", default: "7" },
      limit: { type: "string", default: "1.05" },
      keep: { type: "string" },
      messages: { type: "string", default: "20000" },
      neighbours: { type: "string", default: "10" },
      only: { type: "string" },
      help: { type: "boolean", default: false },
    },
  },
  help,
);

type Side = { name: "old" | "new"; checkout: string };

function measure({ name, checkout }: Side, folder: string, turn: number): Row[] {
  const file = join(folder, `${name}-${turn}.json`);
  const kept = join(folder, name);
  mkdirSync(kept, { recursive: true });
  const args = ["--quick", "--keep", kept, "--json", file, "--messages", options.messages];
  args.push("--neighbours", options.neighbours, ...(options.only ? ["--only", options.only] : []));
  const run = spawnSync(process.execPath, [join(checkout, "bench/main.ts"), ...args], {
    cwd: checkout,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (run.status !== 0) throw new Error(`the benchmark of ${checkout} ended with ${run.status}`);
  return (JSON.parse(readFileSync(file, "utf8")) as { rows: Row[] }).rows;
}

const keyOf = ({ messages, connections, title }: Row) => `${messages} messages, ${connections} connections, ${title}`;

function compare(old: string): void {
  const sides: Side[] = [
    { name: "old", checkout: resolve(old) },
    { name: "new", checkout: fileURLToPath(new URL("..", import.meta.url)) },
  ];
  const folder = resolve(options.keep ?? mkdtempSync(join(tmpdir(), "posthorn-compare-")));
  const found = new Map<string, { old: number; new: number }[]>();
  for (let turn = 1; turn <= Number(options.pairs); turn++) {
    process.stderr.write(`pair ${turn} of ${options.pairs}\n`);
    const [before, after] = sides.map((side) => measure(side, folder, turn)) as [Row[], Row[]];
    for (const row of after) {
      const other = before.find((one) => keyOf(one) === keyOf(row))?.figures.cpu;
      const cpu = row.figures.cpu;
      if (!other || !cpu) throw new Error(`one of both runs has no CPU figure: ${keyOf(row)}`);
      found.set(keyOf(row), [...(found.get(keyOf(row)) ?? []), { old: other, new: cpu }]);
    }
  }
  if (found.size === 0) throw new Error("nothing was measured: --only names no scenario");
  process.stdout.write("CPU per request, new against old: median of the pairs [90% interval]\n");
  for (const [name, pairs] of found) {
    const ratio = ratioOf(pairs);
    const slower = isSlower(ratio, Number(options.limit));
    if (slower) process.exitCode = 1;
    const [median, low, high] = [ratio.median, ratio.low, ratio.high].map((one) => one.toFixed(2));
    process.stdout.write(`${name}: ${median} [${low}, ${high}]${slower ? "  SLOWER" : ""}\n`);
  }
}

if (options.help || options.old === undefined) process.stdout.write(help);
else compare(options.old);
