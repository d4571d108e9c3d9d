import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../conformance/client/client.ts";
import { SmtpConnection } from "../conformance/client/smtp.ts";
import { settle, watchCpu } from "./cpu.ts";
import { inboxOf } from "./fill.ts";
import { password, removeFolder, startHost } from "./host.ts";
import { sizedMail } from "./mails.ts";
import { readOptions } from "./options.ts";

const help = `Measures the memory of the server's process while large mails come in over SMTP, and afterwards.

  --mails 1000        how many
  --octets 100000     size of each: words, as in a letter
  --connections 8     over how many connections
`;
const { values } = readOptions(
  {
    options: {
      mails: { type: "string", default: "1000" },
      octets: { type: "string", default: "100000" },
      connections: { type: "string", default: "8" },
      help: { type: "boolean", default: false },
    },
  },
  help,
);

const megabytes = (pid: number) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1_000;

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(help);
  const [mails, octets, connections] = [values.mails, values.octets, values.connections].map(Number) as [
    number,
    number,
    number,
  ];
  const folder = mkdtempSync(join(tmpdir(), "posthorn-memory-"));
  Object.assign(process.env, { POSTHORN_WORKERS: "1", POSTHORN_DEMO: "false", POSTHORN_LOG_LEVEL: "info" });
  const host = await startHost(folder);
  try {
    const user = "memory@bench.test";
    await host.addAccount(user);
    const client = await connect({ url: host.url, user, password, timeoutMs: 120_000 });
    const [pid] = host.roots() as [number];
    const atStart = megabytes(pid);
    let most = atStart;
    const watch = setInterval(() => (most = Math.max(most, megabytes(pid))), 20);
    const used = watchCpu(host.roots(), host.database());
    let next = 0;
    const send = async () => {
      const line = await SmtpConnection.greet({ port: host.smtpPort, timeoutMs: 120_000 });
      for (let n = next++; n < mails; n = next++) {
        await line.send({ from: "sender@bench.example", to: user, data: sizedMail("memory", `m${n}`, octets) });
      }
      await line.quit();
    };
    await Promise.all(Array.from({ length: connections }, send));
    while ((await inboxOf(client)).total < mails) await sleep(50);
    const { cpu, databaseCpu } = used(mails);
    client.close();
    await settle(host.roots(), 10_000);
    clearInterval(watch);
    process.stdout.write(
      `${mails} mails of ${octets} octets: ${most.toFixed(0)} MB at most, ${megabytes(pid).toFixed(0)} MB afterwards, ` +
        `${atStart.toFixed(0)} MB before; ${cpu?.toFixed(1)} ms of CPU each, ${databaseCpu?.toFixed(1)} of it the database\n`,
    );
  } finally {
    await host.stop();
    removeFolder(folder);
  }
}

await main();
