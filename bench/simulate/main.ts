import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readOptions } from "../options.ts";
import { chart } from "./chart.ts";
import { faultTable, sizesPage, summary, weekPage } from "./report.ts";
import { simulate } from "./simulate.ts";

const help = `Simulates an installation under a week's mail and faults, from the figures in bench/simulate/parameters.ts.

  --users 1000000000   how many; decides on regions, cells and workers
  --days 7             how long, from a Monday on
  --seed 1             the same seed gives the same run
  --folder DIR         where week.md, week.svg and sizes.md go (Default: docs/scaling)
`;

const { values: options } = readOptions(
  {
    options: {
      users: { type: "string", default: "1000000000" },
      days: { type: "string", default: "7" },
      seed: { type: "string", default: "1" },
      folder: { type: "string", default: fileURLToPath(new URL("../../docs/scaling", import.meta.url)) },
      help: { type: "boolean", default: false },
    },
  },
  help,
);

function positive(name: "users" | "days" | "seed"): number {
  const value = Number(options[name]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write(`--${name} is a whole number above 0, not ${options[name]}\n\n${help}`);
  process.exit(2);
}

function main(): void {
  if (options.help) return void process.stdout.write(help);
  const result = simulate({ users: positive("users"), days: positive("days"), seed: positive("seed") });
  process.stdout.write(`${summary(result)}\n\n${faultTable(result)}\n`);
  mkdirSync(options.folder, { recursive: true });
  for (const [name, text] of [
    ["week.md", weekPage(result)],
    ["week.svg", chart(result)],
    ["sizes.md", sizesPage()],
  ] as const)
    writeFileSync(join(options.folder, name), text);
  if (result.lost !== 0) throw new Error(`${result.lost} mails are lost or doubled: the simulation is wrong`);
}

main();
