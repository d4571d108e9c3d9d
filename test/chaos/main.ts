import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOptions } from "../../bench/options.ts";
import { Chaos } from "./chaos.ts";
import { figuresOf } from "./figures.ts";
import { slownessOf, summaryOf, tableOf } from "./report.ts";
import { schedule } from "./schedule.ts";

const help = `npm run chaos -- [options]

Starts two processes for clients, two for peers and a worker, with Redis, S3 and Postgres or Citus, all on loopback; sends
them mail and calls while something fails at random, one thing at a time; then looks whether all that was acknowledged is
there once. Exit code 1 if anything is not as promised. Needs Linux; root to fill disks.

  --seed N            of what happens (default: 1)
  --minutes N         of traffic (default: 20)
  --faults TEXT,TEXT  only faults whose names contain one of these
  --bodies s3|disk    where bodies are kept (default: s3)
  --citus URL         an empty database of a Citus cluster, by its coordinator (default: a Postgres of its own)
  --citus-data A,B,C  data folders of its nodes on this machine, the coordinator's first: these are killed and stopped
  --json FILE         write the figures there
  --logs FOLDER       write there what the processes printed
  --help
`;

const { values } = readOptions(
  {
    options: {
      seed: { type: "string", default: "1" },
      minutes: { type: "string", default: "20" },
      faults: { type: "string" },
      bodies: { type: "string", default: "s3" },
      citus: { type: "string" },
      "citus-data": { type: "string" },
      json: { type: "string" },
      logs: { type: "string" },
      help: { type: "boolean" },
    },
  },
  help,
);
if (values.help) {
  process.stdout.write(help);
  process.exit();
}
const [seed, minutes] = [values.seed, values.minutes].map(Number) as [number, number];
const { bodies } = values;
if (!Number.isInteger(seed) || !(minutes >= 1) || (bodies !== "s3" && bodies !== "disk")) {
  process.stderr.write(help);
  process.exit(2);
}

const totalMs = minutes * 60_000;
const pace = { calmMs: Math.min(60_000, totalMs / 4), fault: { min: 8_000, max: 20_000 }, gapMs: 15_000 };
const wanted = values.faults?.split(",");
const say = (text: string) => process.stdout.write(`${text}\n`);

const { citus: citusUrl, "citus-data": citusData, logs, json } = values;
const chaos = await Chaos.start({ citusUrl, citusData: citusData?.split(",") ?? [], bodies }, seed);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void chaos.dispose().finally(() => process.exit(1)));
}
try {
  const faults = chaos.faults.filter(({ name }) => wanted?.some((part) => name.includes(part)) ?? true);
  if (faults.length === 0) {
    throw new Error(`no such fault; possible here: ${chaos.faults.map(({ name }) => name).join(", ")}`);
  }
  await chaos.letLoose(schedule(faults, totalMs, pace, chaos.world.random), totalMs, say);
  say("Traffic has ended; examining.");
  const audit = await chaos.examine();
  const figures = figuresOf(chaos.world.samples.all, chaos.happened, chaos.startedAt);
  const problems = [...audit.problems, ...slownessOf(figures)];
  say(`\n${tableOf(figures)}\n\n${summaryOf(chaos, audit)}`);
  say(problems.length === 0 ? "All is as promised." : `\n${problems.length} problems:\n${problems.join("\n")}`);
  if (json) {
    const { acknowledged } = chaos.world.ledger;
    const all = { seed, minutes, ...figures, acknowledged, pushes: chaos.pushes, audit, problems };
    writeFileSync(json, `${JSON.stringify(all, null, 2)}\n`);
  }
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  if (logs) keep(logs);
  await chaos.dispose();
}

function keep(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, { output }] of chaos.installation.fleet.members) writeFileSync(join(folder, `${name}.log`), output);
}
