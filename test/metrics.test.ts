import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Client, one } from "../conformance/client/client.ts";
import { deliver } from "../conformance/client/smtp.ts";
import type { GetResult, SetResult } from "../conformance/client/types.ts";
import { openWebSocket } from "../conformance/client/websocket.ts";
import { message } from "./support/messages.ts";
import { startServer, type TestServer } from "./support/server.ts";

/** /metrics of a whole server. */
let server: TestServer;
let alice: Client;

beforeAll(async () => {
  server = await startServer({ isShared: true, env: { POSTHORN_DEMO: "false" } });
  await server.addAccount("alice@home.test", "correct horse");
  alice = await server.login("alice@home.test", "correct horse");
}, 120_000);
afterAll(() => server?.dispose());

async function expectCounted(...lines: string[]): Promise<void> {
  await vi.waitFor(
    async () => {
      const text = await (await fetch(server.metricsUrl, { headers: { connection: "close" } })).text();
      for (const line of lines) expect(text).toContain(`posthorn_${line}\n`);
    },
    { timeout: 15_000, interval: 50 },
  );
}

test("an accepted message, its push and a refused recipient are counted", async () => {
  const socket = await openWebSocket(alice);
  await socket.enablePush(["EmailDelivery"]);
  const data = await message({ from: "bob@remote.test", to: "alice@home.test", subject: "Hi", text: "Hi\r\n" });
  const envelope = { port: server.smtpPort, from: "bob@remote.test", data };
  await deliver({ ...envelope, to: "alice@home.test" });
  await expect(deliver({ ...envelope, to: "nobody@home.test" })).rejects.toThrow();
  await socket.nextPush(5_000);
  socket.close();
  await expectCounted(
    'mail_in_messages_total{outcome="accepted"} 1',
    'mail_refused_total{command="RCPT",reply="550"} 1',
    'mail_checks_total{check="known-recipient",verdict="refuse"} 1',
    'pushes_total{channel="websocket",outcome="sent"} 1',
  );
});

test("an attempt to deliver is counted", async () => {
  const { accountId } = alice;
  const { list } = await one<GetResult>(alice, "Mailbox/get", { accountId });
  const identities = await one<GetResult>(alice, "Identity/get", { accountId });
  const draft = {
    mailboxIds: { [list.find(({ role }) => role === "drafts")!.id as string]: true },
    from: [{ email: "alice@home.test" }],
    to: [{ email: "alice@home.test" }],
    subject: "To myself",
  };
  const { created } = await one<SetResult>(alice, "Email/set", { accountId, create: { d: draft } });
  const submission = { emailId: created!.d!.id, identityId: identities.list[0]!.id };
  await one(alice, "EmailSubmission/set", { accountId, create: { s: submission } });
  await expectCounted('mail_out_recipients_total{outcome="sent"} 1', 'mail_in_messages_total{outcome="accepted"} 2');
});

test("method calls and requests are counted, requests by endpoint", async () => {
  const { accountId } = alice;
  const ids = Array.from({ length: 1_001 }, (_, n) => `t${n}`);
  await expect(one(alice, "Thread/get", { accountId, ids })).rejects.toThrow("requestTooLarge");
  await one(alice, "Thread/get", { accountId, ids: [] });
  await alice.fetch("/jmap/nothing");
  const stream = await fetch(`${server.url}/jmap/eventsource?types=*&closeafter=no&ping=0`, {
    headers: { authorization: alice.authorization },
  });
  await stream.body!.cancel();
  await expectCounted(
    'jmap_call_seconds_count{method="Thread/get",outcome="ok"} 1',
    'jmap_call_seconds_count{method="Thread/get",outcome="requestTooLarge"} 1',
    'http_request_seconds_count{endpoint="eventsource",status="200"} 1',
    'http_request_seconds_count{endpoint="other",status="404"} 1',
  );
});
