import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../conformance/client/client.ts";
import { deliver } from "../conformance/client/smtp.ts";
import type { GetResult } from "../conformance/client/types.ts";
import { message } from "./support/messages.ts";
import { until } from "./support/ports.ts";
import { startServer, type TestServer } from "./support/server.ts";
import { type SmtpSink, startSink } from "./support/smtp-sink.ts";

/** The commands of operators about mail, beside a running server that sends by a smart host with a password. */
let sink: SmtpSink;
let server: TestServer;
let alice: Client;

beforeAll(async () => {
  sink = await startSink();
  const env = { POSTHORN_SMARTHOST: `smtp://127.0.0.1:${sink.port}`, POSTHORN_DEMO: "false" };
  server = await startServer({ isShared: true, env });
  for (const name of ["alice", "bob"]) await server.addAccount(`${name}@home.test`, "correct horse");
  alice = await server.login("alice@home.test", "correct horse");
}, 120_000);
afterAll(async () => {
  await server?.dispose();
  await sink?.stop();
});

async function send(to: string, subject: string): Promise<void> {
  const { accountId } = alice;
  const { list: mailboxes } = await one<GetResult>(alice, "Mailbox/get", { accountId });
  const { list: identities } = await one<GetResult>(alice, "Identity/get", { accountId });
  const mail = {
    mailboxIds: { [mailboxes.find(({ role }) => role === "drafts")!.id as string]: true },
    from: [{ email: "alice@home.test" }],
    to: [{ email: to }],
    subject,
    bodyStructure: { type: "text/plain", partId: "1" },
    bodyValues: { 1: { value: "x" } },
  };
  const { created } = (await one(alice, "Email/set", { accountId, create: { d: mail } })) as {
    created: { d: { id: string } };
  };
  const submission = { emailId: created.d.id, identityId: identities[0]!.id };
  const answer = await one(alice, "EmailSubmission/set", { accountId, create: { s: submission } });
  expect(answer).toHaveProperty("created.s");
}

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await server.cli([...args, "--json"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

interface Story {
  mailId: string;
  events: { event: string; fields: Record<string, unknown> }[];
  attempts: { outcome: string; reply: string; host: string }[];
}
const told = ({ events }: Story) => events.map(({ event }) => event);

test("the story of a mail: in, refused, between users, and out with a 4xx and then a 2xx", async () => {
  const to = { port: server.smtpPort, from: "eve@there.test", timeoutMs: 10_000 };
  const data = (await message({ from: "eve@there.test", to: "alice@home.test", subject: "In" })).toString("latin1");
  await deliver({ ...to, to: "alice@home.test", data });
  await expect(deliver({ ...to, to: "nobody@home.test", data })).rejects.toThrow();
  await send("bob@home.test", "Near");
  sink.program({ stage: "rcpt", address: "zoe@far.test", times: 1, reply: "451 4.7.1 greylisted" });
  await send("zoe@far.test", "Out");

  const stories = (what: string) => json<Story[]>("trace", what);
  const [taken] = await until("the mail in", async () => {
    const found = await stories("eve@there.test");
    return found.length === 2 && told(found[0]!).length === 2 ? found : undefined;
  });
  expect(told(taken!)).toEqual(["mail in", "delivered"]);
  const [refused] = await stories("nobody@home.test");
  expect(told(refused!)).toEqual(["recipient refused"]);
  expect((await server.cli(["why", refused!.mailId])).stdout).toContain("550 5.1.1 no such address here");
  const [near] = await until("the mail to Bob", async () => {
    const found = await stories("bob@home.test");
    return found.length === 1 && told(found[0]!).length === 2 ? found : undefined;
  });
  expect(told(near!).toSorted()).toEqual(["delivered", "mail out"]);

  const [out] = await until("the mail out", async () => {
    const found = await stories("zoe@far.test");
    return found.length === 1 ? found : undefined;
  });
  await json("queue", "retry", out!.mailId);
  await sink.waitFor(1);
  expect(sink.messages[0]!.raw.toString()).toContain(` id ${out!.mailId};`);
  const [whole] = await until("its end", async () => {
    const found = await stories(out!.mailId);
    return found[0]?.attempts.length === 2 && told(found[0]).length === 2 ? found : undefined;
  });
  expect(whole!.attempts).toMatchObject([{ outcome: "deferred", reply: "451 4.7.1 greylisted" }, { outcome: "sent" }]);
  const shown = (await server.cli(["queue", "show", out!.mailId])).stdout;
  expect(shown).toContain("    C: RCPT TO:<zoe@far.test> ORCPT=rfc822;zoe@far.test\n");
  expect(shown).toContain("S: 451 4.7.1 greylisted");
  // The log of the server has the same id.
  const lines = server.output.split("\n").filter((line) => line.includes(`"id":"${out!.mailId}"`));
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(["mail out", "mail out"]);
}, 60_000);

test("mail is held, counted, and returned", async () => {
  sink.program({ stage: "rcpt", address: "yan@far.test", reply: "451 4.7.1 greylisted" });
  await send("yan@far.test", "Held");
  const rows = await until("a deferral", async () => {
    const found = await json<{ name: string; attempts: number; standing: string }[]>(
      "queue",
      "list",
      "--domain",
      "far.test",
    );
    return found[0]?.standing === "waiting" && found[0].attempts > 0 ? found : undefined;
  });
  const { name } = rows[0]!;
  expect((await server.cli(["queue", "hold"])).stderr).toContain("name mails, or --domain");
  expect((await server.cli(["queue", "hold", "--domain", "far.test", "--dry-run"])).stdout).toBe(
    "1 mail would be held.\n",
  );
  expect((await server.cli(["queue", "hold", name])).stdout).toBe("1 mail is held.\n");
  const { incoming, outgoing } = await json<Record<string, Record<string, number>>>("queue", "audit");
  expect(incoming).toMatchObject({ missing: [] });
  expect(outgoing).toMatchObject({ held: 1, error: 0 });
  const { stderr } = await server.cli(["queue", "bounce", "--domain", "far.test"]);
  expect(stderr).toContain("--yes");
  await json("queue", "bounce", "--domain", "far.test", "--yes", "--reply", "550 5.7.1 not wanted");
  await until("the report", async () => {
    const { list } = await one<GetResult>(alice, "EmailSubmission/get", { accountId: alice.accountId });
    return list.some(({ dsnBlobIds }) => (dsnBlobIds as string[]).length > 0);
  });
  expect((await server.cli(["queue", "list"])).stdout).toBe("No mail waits to go out.\n");
}, 60_000);
