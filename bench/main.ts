import { mkdtempSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, connect, one } from "../conformance/client/client.ts";
import type { QueryResult } from "../conformance/client/types.ts";
import { settle } from "./cpu.ts";
import { pushLatency, type Route, smtpIn } from "./delivery.ts";
import { type DiskRate, diskRate } from "./disk.ts";
import { type EffortRow, explain, logPlans, printEfforts } from "./explain.ts";
import { fillHost, fillInbox, inboxOf, jobs, type Login, tidy } from "./fill.ts";
import { type Host, password, removeFolder, startHost } from "./host.ts";
import { expected } from "./mails.ts";
import { measure } from "./measure.ts";
import { readOptions } from "./options.ts";
import { Progress, type PushRow, printRates, printTable, type Row } from "./report.ts";
import { type Box, type Scenario, scenarios } from "./scenarios.ts";
import { printTables } from "./tables.ts";

const help = `Measures a JMAP server: requests a second, latency, server CPU, for mailboxes of several sizes.

  --messages 2000,50000   sizes of the mailboxes to compare
  --neighbours 50         other accounts on the server, of 2,000 messages each
  --only open,flag        only these scenarios: ${[...scenarios.map((one) => one.name), "smtp", "push"].join(", ")}
  --quick                 3 short rounds instead of 5 long ones
  --keep DIR              keep the filled server there, and use it again
  --explain               count statements, rows and buffers of one request of each instead (with a kept DIR)
  --tables                print what a mail takes in each table and index instead
  --json FILE             write all figures there
  --url URL               measure this server; its inboxes are filled with our mails
  --user A,B              one user for each size of --messages (with --url)
  --password A,B          their passwords, or one for all
  --smtp HOST:PORT        where it takes mail for these users (with --url; else no smtp and no push)
  --pid N                 the server's process here, to measure its CPU (with --url)
`;

const { values: options } = readOptions(
  {
    options: {
      messages: { type: "string", default: "2000,50000" },
      neighbours: { type: "string", default: "50" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      keep: { type: "string" },
      explain: { type: "boolean", default: false },
      tables: { type: "boolean", default: false },
      json: { type: "string" },
      url: { type: "string" },
      user: { type: "string" },
      password: { type: "string" },
      smtp: { type: "string" },
      pid: { type: "string" },
      help: { type: "boolean", default: false },
    },
  },
  help,
);

const sizes = options.messages.split(",").map(Number);
const only = options.only?.split(",");
const mailsPerNeighbour = 2000;
const rounds = options.quick ? 3 : 5;
const roundMs = options.quick ? 500 : 2000;
const wanted = (name: string): boolean =>
  only === undefined || only.some((one) => name === one || name.startsWith(`${one}-`));
const say = (text: string): void => void process.stderr.write(`${text}\n`);

type Subject = { login: Login; count: number; owner: string; route: Route | undefined };
type Bench = {
  subjects: Subject[];
  roots: () => number[];
  database: () => number[];
  diskFolder: string;
  rows: Row[];
  pushes: PushRow[];
  failures: string[];
};

async function openBox({ login, count, owner }: Subject): Promise<Box> {
  const main = await connect({ ...login, timeoutMs: 120_000 });
  await tidy(main, count);
  const inbox = await inboxOf(main);
  if (inbox.total !== count) throw new Error(`the inbox holds ${inbox.total} messages, not ${count}`);
  const { ids } = await one<QueryResult>(main, "Email/query", {
    filter: { inMailbox: inbox.id },
    sort: [{ property: "receivedAt", isAscending: false }],
    limit: Math.min(500, count),
  });
  return { count, owner, expected: expected(count), inbox: inbox.id, newest: ids, main };
}

async function runScenario(bench: Bench, subject: Subject, scenario: Scenario, clients: Client[]): Promise<void> {
  const box = await openBox(subject);
  for (const connections of scenario.connections ?? [1, 8]) {
    const { operation, perRound, beforeRound, restore } = await scenario.prepare(box);
    const disk = scenario.durable ? await diskRate(bench.diskFolder) : undefined;
    const figures = await measure(operation, {
      clients: clients.slice(0, connections),
      rounds,
      roundMs,
      roots: bench.roots(),
      database: bench.database(),
      ...(perRound && { perRound: perRound(connections) }),
      ...(beforeRound && { beforeRound }),
    });
    await restore?.();
    addRow(bench, scenario, subject.count, connections, figures, disk);
  }
  if (scenario.durable) await tidy(box.main, box.count);
  box.main.close();
}

type Named = Pick<Scenario, "name" | "title" | "target" | "mayGrow">;

function addRow(
  bench: Bench,
  { name, title, target, mayGrow = false }: Named,
  messages: number,
  connections: number,
  figures: Row["figures"],
  disk: DiskRate | undefined,
): void {
  const row = { name, title, messages, connections, mayGrow, figures };
  bench.rows.push({ ...row, ...(target !== undefined && { target }), ...(disk && { disk }) });
  const cpu = figures.cpu === undefined ? "" : `, ${figures.cpu.toFixed(2)} ms CPU`;
  say(`${messages} messages, ${connections} connections, ${title}: ${figures.perSecond.toFixed(1)} a second${cpu}`);
}

async function runSmtp(bench: Bench, subject: Subject, route: Route): Promise<void> {
  const box = await openBox(subject);
  const named = { name: "smtp", title: "SMTP in to delivered", mayGrow: true };
  for (const connections of [1, 8]) {
    const disk = await diskRate(bench.diskFolder);
    const figures = await smtpIn(box, route, connections, rounds, bench.roots(), bench.database());
    addRow(bench, named, subject.count, connections, figures, disk);
  }
  await tidy(box.main, box.count);
  box.main.close();
}

async function runPush(bench: Bench, subject: Subject, route: Route): Promise<void> {
  const box = await openBox(subject);
  const figures = await pushLatency(box, route, options.quick ? 40 : 200);
  bench.pushes.push({ messages: subject.count, figures });
  say(`${subject.count} messages, push: p50 ${figures.p50.toFixed(1)} ms, p95 ${figures.p95.toFixed(1)} ms`);
  await tidy(box.main, box.count);
  box.main.close();
}

/** Runs a scenario; if it fails, only its own figures are missing. */
async function attempt(bench: Bench, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const failure = `${what}: ${(error as Error).message}`;
    bench.failures.push(failure);
    say(`FAILED ${failure}`);
  }
}

async function runAll(bench: Bench): Promise<void> {
  for (const subject of bench.subjects) {
    // One connection each: otherwise eight requests of a client could share fewer than eight.
    const open = Array.from({ length: 8 }, () => connect({ ...subject.login, connections: 1 }));
    const clients = await Promise.all(open);
    for (const scenario of scenarios) {
      if (!wanted(scenario.name)) continue;
      const what = `${subject.count} messages, ${scenario.title}`;
      await attempt(bench, what, () => runScenario(bench, subject, scenario, clients));
    }
    for (const client of clients) client.close();
    const { route, count } = subject;
    if (route && wanted("smtp"))
      await attempt(bench, `${count} messages, SMTP in`, () => runSmtp(bench, subject, route));
    if (route && wanted("push")) await attempt(bench, `${count} messages, push`, () => runPush(bench, subject, route));
  }
}

async function explainAll(bench: Bench): Promise<void> {
  const efforts: EffortRow[] = [];
  for (const subject of bench.subjects) {
    const client = await connect({ ...subject.login, connections: 1 });
    for (const scenario of scenarios.filter(({ name }) => wanted(name))) {
      const { count: messages } = subject;
      await attempt(bench, `${messages} messages, ${scenario.title}`, async () => {
        const box = await openBox(subject);
        efforts.push({
          title: scenario.title,
          messages,
          effort: await explain(scenario, box, client, bench.diskFolder),
        });
        if (scenario.durable) await tidy(box.main, box.count);
        box.main.close();
      });
    }
    client.close();
  }
  process.stdout.write(`\n${printEfforts(efforts)}\n`);
}

const mailsOfHost = (): number =>
  sizes.reduce((sum, size) => sum + size, Number(options.neighbours) * mailsPerNeighbour);

/** Measures Posthorn, filled, with other accounts beside the measured one. */
async function ownServer(folder: string): Promise<{ bench: Bench; host: Host }> {
  logPlans(join(folder, "data"), options.explain === true);
  const host = await startHost(folder);
  const fresh = await fillHost(host, folder, jobs(sizes, Number(options.neighbours), mailsPerNeighbour));
  if (fresh && !options.quick) {
    say("waiting for the database's own upkeep after the filling");
    // Autovacuum runs once a minute.
    await new Promise((resolve) => setTimeout(resolve, 70_000));
  }
  await settle(host.roots(), 120_000);
  const subjects = sizes.map((count) => {
    const address = `n${count}@bench.test`;
    const login = { url: host.url, user: address, password };
    return { login, count, owner: `n${count}`, route: { port: host.smtpPort, address, timeoutMs: 60_000 } };
  });
  return {
    host,
    bench: {
      ...{ subjects, roots: host.roots, database: host.database, diskFolder: host.dataFolder },
      ...{ rows: [], pushes: [], failures: [] },
    },
  };
}

/** Measures another server, with one user per size. */
async function foreignServer(url: string): Promise<Bench> {
  const users = options.user?.split(",") ?? [];
  const passwords = options.password?.split(",") ?? [];
  if (users.length !== sizes.length || passwords.length === 0) {
    throw new Error("--url needs one --user for each size of --messages, and their --password");
  }
  const [host, port] = options.smtp?.split(":") ?? [];
  const subjects: Subject[] = [];
  for (const [i, count] of sizes.entries()) {
    const user = users[i] as string;
    const login = { url, user, password: passwords[i] ?? (passwords[0] as string) };
    const owner = `n${count}`;
    const progress = new Progress(`mails of ${user}`, count);
    const client = await connect(login);
    await tidy(client, count);
    client.close();
    await fillInbox(login, owner, count, (n) => progress.tick(n));
    progress.end();
    const route = host && port ? { host, port: Number(port), address: user, timeoutMs: 60_000 } : undefined;
    subjects.push({ login, count, owner, route });
  }
  const roots = options.pid ? [Number(options.pid)] : [];
  return { subjects, roots: () => roots, database: () => [], diskFolder: tmpdir(), rows: [], pushes: [], failures: [] };
}

function report(bench: Bench): void {
  if (bench.rows.length > 0) process.stdout.write(`\n${printTable(bench.rows, sizes)}\n`);
  const rates = printRates(bench.rows, bench.pushes);
  if (rates) process.stdout.write(`\n${rates}\n`);
  for (const failure of bench.failures) process.stdout.write(`FAILED ${failure}\n`);
  if (bench.failures.length > 0) process.exitCode = 1;
  if (!options.json) return;
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  const { password: _, ...asked } = options;
  const { rows, pushes, failures } = bench;
  writeFileSync(
    options.json,
    JSON.stringify({ at: new Date(), machine, options: asked, rows, pushes, failures }, null, 2),
  );
}

async function main(): Promise<void> {
  if (options.help) return void process.stdout.write(help);
  if (options.url) {
    const bench = await foreignServer(options.url);
    await runAll(bench);
    return report(bench);
  }
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), "posthorn-bench-"));
  let host: Host | undefined;
  process.once("SIGINT", () => process.exit(130));
  try {
    const own = await ownServer(folder);
    host = own.host;
    if (options.tables) process.stdout.write(`\n${await printTables(host.dataFolder, mailsOfHost())}\n`);
    else if (options.explain) await explainAll(own.bench);
    else await runAll(own.bench);
    report(own.bench);
  } finally {
    await host?.stop();
    if (!options.keep) removeFolder(folder);
  }
}

await main();
