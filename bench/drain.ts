import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Client, connect, one } from "../conformance/client/client.ts";
import type { GetResult, ImportResult, SetResult } from "../conformance/client/types.ts";
import { cpuMs, settle, type Used, watchCpu } from "./cpu.ts";
import { spread, uploadsAtOnce } from "./fill.ts";
import { password, removeFolder, startHost } from "./host.ts";
import { readOptions } from "./options.ts";

const help = `Measures how fast waiting mail leaves: submissions that wait are sent to a server that takes all, over TLS.

  --mails 20000    how many wait
  --accounts 4     of how many accounts
  --at-once 50     submissions in one request
  --size 10000     octets of a mail
`;
const { values } = readOptions(
  {
    options: {
      mails: { type: "string", default: "20000" },
      accounts: { type: "string", default: "4" },
      "at-once": { type: "string", default: "50" },
      size: { type: "string", default: "10000" },
      help: { type: "boolean", default: false },
    },
  },
  help,
);
const [mails, accounts, atOnce, size] = [values.mails, values.accounts, values["at-once"], values.size].map(Number) as [
  number,
  number,
  number,
  number,
];

type Counts = { connections: number; mails: number };

async function startSink(): Promise<{ child: ChildProcess; port: number; counts: () => Counts }> {
  const child = fork(fileURLToPath(new URL("./sink.ts", import.meta.url)));
  let counts = { connections: 0, mails: 0 };
  const port = await new Promise<number>((resolve) => {
    child.on("message", (told: { port: number } | Counts) => {
      if ("port" in told) resolve(told.port);
      else counts = told;
    });
  });
  return { child, port, counts: () => counts };
}

const line = `${"The quick brown fox jumps over the lazy dog. ".repeat(2)}\r\n`;
const mailOf = (address: string, n: number): Buffer =>
  Buffer.from(
    `From: ${address}\r\nTo: r${n}@sink.bench\r\nSubject: Mail ${n}\r\nDate: Tue, 01 Dec 2026 00:00:00 +0000\r\n` +
      `Message-ID: <${n}.${Date.now()}@bench.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n${line.repeat(size / line.length)}`,
  );

/** The drafts of one account, written and not submitted yet. */
type Written = { client: Client; emailIds: string[] };

/** Uploads and imports drafts, many in a request. */
async function write(client: Client, address: string, count: number): Promise<Written> {
  const { list: boxes } = await one<GetResult<{ id: string; role: string | null }>>(client, "Mailbox/get", {
    ids: null,
  });
  const drafts = boxes.find(({ role }) => role === "drafts")!.id;
  const emailIds: string[] = [];
  for (let at = 0; at < count; at += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, count - at) }, (_, n) => at + n);
    const blobs = await spread(numbers, uploadsAtOnce, (n) => client.upload(mailOf(address, n), "message/rfc822"));
    const emails = Object.fromEntries(
      blobs.map(({ blobId }, n) => [`e${n}`, { blobId, mailboxIds: { [drafts]: true }, keywords: { $draft: true } }]),
    );
    const imported = await one<ImportResult>(client, "Email/import", { emails });
    emailIds.push(...Object.values(imported.created ?? {}).map(({ id }) => id));
  }
  return { client, emailIds };
}

/** Submits drafts, many in a request. */
async function submit({ client, emailIds }: Written): Promise<void> {
  const using = ["urn:ietf:params:jmap:submission"];
  const { list: identities } = await one<GetResult<{ id: string }>>(client, "Identity/get", { ids: null }, using);
  for (let at = 0; at < emailIds.length; at += atOnce) {
    const ids = emailIds.slice(at, at + atOnce);
    const create = Object.fromEntries(ids.map((emailId, n) => [`s${n}`, { emailId, identityId: identities[0]!.id }]));
    const result = await one<SetResult>(client, "EmailSubmission/set", { accountId: client.accountId, create }, using);
    const made = Object.keys(result.created ?? {}).length;
    if (made !== ids.length) throw new Error(`${made} of ${ids.length}: ${JSON.stringify(result.notCreated)}`);
  }
}

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(help);
  const folder = mkdtempSync(join(tmpdir(), "posthorn-drain-"));
  const sink = await startSink();
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  const sayCpu = (what: string, { cpu, databaseCpu }: Used) =>
    say(`${what}: ${cpu?.toFixed(2)} ms of CPU, ${databaseCpu?.toFixed(2)} of it the database`);
  try {
    // Without the role that sends, all of it waits.
    Object.assign(process.env, {
      ...{ POSTHORN_ROLES: "http,worker", POSTHORN_WORKERS: "1", POSTHORN_DEMO: "false", POSTHORN_LOG_LEVEL: "info" },
      ...{ POSTHORN_SMARTHOST: `smtp://127.0.0.1:${sink.port}`, POSTHORN_ALLOW_PRIVATE_TARGETS: "true" },
    });
    let host = await startHost(folder);
    const addresses = Array.from({ length: accounts }, (_, n) => `n${n}@bench.test`);
    for (const address of addresses) await host.addAccount(address);
    const clients = await Promise.all(
      addresses.map((user) => connect({ url: host.url, user, password, timeoutMs: 120_000 })),
    );
    const writing = watchCpu(host.roots(), host.database());
    const written = await Promise.all(clients.map((client, n) => write(client, addresses[n]!, mails / accounts)));
    sayCpu("a draft uploaded and imported", writing(mails));
    const submitting = watchCpu(host.roots(), host.database());
    await Promise.all(written.map(submit));
    sayCpu("a submission created", submitting(mails));
    for (const client of clients) client.close();
    await host.stop();

    process.env.POSTHORN_ROLES = "http,smtp-out,worker";
    host = await startHost(folder);
    await settle([process.pid], 1);
    const sinkCpu = cpuMs([sink.child.pid!]);
    const used = watchCpu(host.roots(), host.database());
    const [begun, first] = [performance.now(), sink.counts().mails];
    let end = begun;
    for (let taken = first; taken < mails; taken = sink.counts().mails) {
      await sleep(50);
      if (sink.counts().mails > taken) end = performance.now();
      if (performance.now() - end > 30_000) throw new Error(`${mails - taken} mails did not arrive`);
    }
    // The last outcomes are recorded soon after.
    await sleep(500);
    const drained = mails - first;
    const { cpu, databaseCpu } = used(drained);
    const seconds = (end - begun) / 1000;
    const ofSink = (cpuMs([sink.child.pid!]) - sinkCpu) / drained;
    say(
      `drained ${drained} in ${seconds.toFixed(1)} s: ${(drained / seconds).toFixed(0)} mails a second, ${cpu?.toFixed(2)} ms of CPU each, ` +
        `${databaseCpu?.toFixed(2)} of it the database; ${sink.counts().connections} connections; the sink ${ofSink.toFixed(2)} ms`,
    );
    await host.stop();
  } finally {
    sink.child.disconnect();
    removeFolder(folder);
  }
}

await main();
