import { afterAll, beforeAll, expect, test } from "vitest";
import type { Client } from "../../conformance/client/client.ts";
import { one } from "../../conformance/client/client.ts";
import { deliver, SmtpFailure } from "../../conformance/client/smtp.ts";
import type { GetResult, SetResult } from "../../conformance/client/types.ts";
import { type DnsServer, startDns } from "../support/dns.ts";
import { scaled } from "../support/scale.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";

/** The variable KILLS sets another number. */
const kills = Number(process.env.KILLS ?? scaled(20, 500));
const address = "user@home.test";

let dns: DnsServer;
let sink: SmtpSink;
let server: TestServer;
let client: Client;
let stopped = false;

/** The outcome of each attempt, by the name in the subject of its message. */
const mailIn = new Map<string, "acknowledged" | "cut" | "refused">();
const mailOut = new Map<string, "acknowledged" | "cut" | "refused">();

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  sink = await startSink({ tls: false });
  dns = await startDns({
    "remote.test": { MX: { preference: 10, exchange: "mx.remote.test" } },
    "mx.remote.test": { A: "127.0.0.1" },
  });
  server = await startServer({
    isEmbedded: true,
    env: {
      POSTHORN_RESOLVER: `127.0.0.1:${dns.port}`,
      POSTHORN_MX_PORT: String(sink.port),
      POSTHORN_ALLOW_PRIVATE_TARGETS: "true",
      POSTHORN_DEMO: "false",
      POSTHORN_RETRY_SCHEDULE: "1s,1s,2s",
    },
  });
  await server.addAccount(address, "a long password");
  client = await server.login(address, "a long password");
}, 120_000);

afterAll(async () => {
  stopped = true;
  await server?.dispose();
  await sink?.stop();
  await dns?.stop();
});

async function sendIn(): Promise<void> {
  for (let n = 0; !stopped; n++) {
    const name = `in-${Math.random().toString(36).slice(2)}-${n}`;
    const data = `From: a@remote.test\r\nSubject: ${name}\r\nMessage-ID: <${name}@remote.test>\r\n\r\nHello.\r\n`;
    try {
      await deliver({ port: server.smtpPort, from: "a@remote.test", to: address, data, timeoutMs: 20_000 });
      mailIn.set(name, "acknowledged");
    } catch (error) {
      mailIn.set(name, error instanceof SmtpFailure ? "refused" : "cut");
      await pause(50);
    }
  }
}

interface Places {
  identity: string;
  drafts: string;
  sent: string;
}

async function sendOut({ identity, drafts, sent }: Places): Promise<void> {
  const { accountId } = client;
  for (let n = 0; !stopped; n++) {
    const name = `out-${Math.random().toString(36).slice(2)}-${n}`;
    const email = {
      mailboxIds: { [drafts]: true },
      from: [{ email: address }],
      to: [{ email: `${name}@remote.test` }],
      subject: name,
      textBody: [{ partId: "1" }],
      bodyValues: { 1: { value: "Hello." } },
    };
    const submission = { emailId: "#e", identityId: identity };
    const onSuccessUpdateEmail = { "#s": { mailboxIds: { [sent]: true } } };
    try {
      const answers = await client.call([
        ["Email/set", { accountId, create: { e: email } }, "0"],
        ["EmailSubmission/set", { accountId, create: { s: submission }, onSuccessUpdateEmail }, "1"],
      ]);
      const done = answers[1]?.[0] === "EmailSubmission/set" && (answers[1][1] as SetResult).created?.s;
      mailOut.set(name, done ? "acknowledged" : "cut");
    } catch {
      mailOut.set(name, "cut");
      await pause(50);
    }
  }
}

/** The number of the last acknowledged keyword of each email. Each email has one writer; their writes share commits. */
const flagged = new Map<string, number>();

async function flag(drafts: string): Promise<void> {
  const email = { mailboxIds: { [drafts]: true }, subject: "flagged" };
  const made = await one<SetResult>(client, "Email/set", { create: { e: email } });
  const id = made.created!.e!.id as string;
  for (let n = 1; !stopped; n++) {
    try {
      const { updated } = await one<SetResult>(client, "Email/set", {
        update: { [id]: { keywords: { [`n${n}`]: true } } },
      });
      if (updated && id in updated) flagged.set(id, n);
    } catch {
      await pause(50);
    }
  }
}

const acknowledged = (tries: Map<string, string>) => named(tries, "acknowledged").length;

/** Waits until mail has gone in and out since the last kill, and more is under way. */
async function underLoad(): Promise<void> {
  const [inBefore, outBefore] = [acknowledged(mailIn), acknowledged(mailOut)];
  for (const end = Date.now() + 20_000; Date.now() < end; await pause(20)) {
    if (acknowledged(mailIn) > inBefore && acknowledged(mailOut) > outBefore) break;
  }
  await pause(Math.random() * 1000);
}

async function killSometimes(): Promise<void> {
  for (let n = 0; n < kills; n++) {
    await underLoad();
    if (n % 2 === 0) {
      await server.kill();
      await server.start();
    } else {
      process.kill(server.postgresPid(), "SIGKILL");
      await pause(200);
      await server.ready();
    }
  }
}

async function subjects(): Promise<string[]> {
  const { accountId } = client;
  const found: string[] = [];
  for (;;) {
    const query = { accountId, position: found.length, limit: 500, sort: [{ property: "receivedAt" }] };
    const { ids } = await one<{ ids: string[] }>(client, "Email/query", query);
    if (ids.length === 0) return found;
    const { list } = await one<GetResult>(client, "Email/get", { accountId, ids, properties: ["subject"] });
    found.push(...list.map((email) => email.subject as string));
  }
}

const times = (all: readonly string[], name: string) => all.filter((one) => one === name).length;
const named = (tries: Map<string, string>, outcome: string) =>
  [...tries].filter(([, o]) => o === outcome).map(([n]) => n);

test(`nothing acknowledged is lost or duplicated over ${kills} kills of the server and of Postgres`, async () => {
  const { accountId } = client;
  const mailboxes = await one<GetResult>(client, "Mailbox/get", { accountId });
  const byRole = (role: string) => mailboxes.list.find((mailbox) => mailbox.role === role)!.id as string;
  const identities = await one<GetResult>(client, "Identity/get", { accountId });
  const places = { identity: identities.list[0]!.id as string, drafts: byRole("drafts"), sent: byRole("sent") };
  const flagging = Array.from({ length: 4 }, () => flag(places.drafts));
  const load = [sendIn(), sendIn(), sendIn(), sendOut(places), sendOut(places), ...flagging];
  await killSometimes();
  stopped = true;
  await Promise.all(load);

  const accepted = named(mailIn, "acknowledged");
  const created = named(mailOut, "acknowledged");
  expect(accepted.length).toBeGreaterThan(kills);
  expect(created.length).toBeGreaterThanOrEqual(kills);

  // Accepted mail is delivered after the leases of dead processes have lapsed.
  let all: string[] = [];
  await expect
    .poll(async () => {
      all = await subjects();
      const there = new Set(all);
      return accepted.filter((name) => !there.has(name)).length;
    }, poll)
    .toBe(0);
  expect(accepted.filter((name) => times(all, name) !== 1)).toEqual([]);
  expect([...mailIn.keys()].filter((name) => times(all, name) > 1)).toEqual([]);
  expect(created.filter((name) => times(all, name) !== 1)).toEqual([]);
  expect([...mailOut.keys()].filter((name) => times(all, name) > 1)).toEqual([]);

  // A keyword may have been written without an answer.
  const ids = [...flagged.keys()];
  const { list } = await one<GetResult<{ id: string; keywords: object }>>(client, "Email/get", {
    ids,
    properties: ["keywords"],
  });
  const lost = list.filter(({ id, keywords }) => !(Number(Object.keys(keywords)[0]?.slice(1)) >= flagged.get(id)!));
  expect(lost).toEqual([]);
  expect(list).toHaveLength(4);
  expect([...flagged.values()].every((n) => n > kills)).toBe(true);

  // Outgoing: each submission leaves; a kill between the peer's 250 and our commit may send it twice.
  const left = () => sink.messages.flatMap((message) => message.to.map((to) => to.split("@")[0] as string));
  await expect.poll(() => created.filter((name) => !left().includes(name)).length, poll).toBe(0);
  const twice = created.filter((name) => times(left(), name) > 1);
  console.log(`${accepted.length} in, ${created.length} out, ${twice.length} left twice`);
  expect(twice.length).toBeLessThanOrEqual(kills);

  expect(await server.cli(["doctor"])).toMatchObject({ code: 0 });
}, 900_000);

const poll = { timeout: 120_000, interval: 1000 };
