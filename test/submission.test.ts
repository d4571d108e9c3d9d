import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import nodemailer from "nodemailer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../conformance/client/client.ts";
import type { GetResult } from "../conformance/client/types.ts";
import { openWebSocket } from "../conformance/client/websocket.ts";
import { freePorts, until } from "./support/ports.ts";
import { startServer, type TestServer } from "./support/server.ts";

let server: TestServer;
let ports: number[];
let folder: string;
let socketFile: string;
let alice: Client;
const login = "alice@home.test";
const password = "correct horse";

// Two processes, so that each kind of door hands its connections over.
beforeAll(async () => {
  ports = await freePorts(2);
  folder = await mkdtemp(join(tmpdir(), "posthorn-lmtp-"));
  socketFile = join(folder, "lmtp.sock");
  server = await startServer({
    isShared: true,
    env: {
      POSTHORN_WORKERS: "2",
      POSTHORN_DEMO: "false",
      POSTHORN_SUBMISSION: `127.0.0.1:${ports[0]}`,
      POSTHORN_SUBMISSIONS: `127.0.0.1:${ports[1]}`,
      POSTHORN_LMTP: `unix:${socketFile}`,
    },
  });
  await server.addAccount(login, password);
  alice = await server.login(login, password);
}, 60_000);
afterAll(async () => {
  await server.dispose();
  await rm(folder, { recursive: true, force: true });
});

function transport(at: 0 | 1, pass: string) {
  return nodemailer.createTransport({
    ...{ host: "127.0.0.1", port: ports[at]!, secure: at === 1, requireTLS: at === 0, pool: true, maxConnections: 1 },
    tls: { rejectUnauthorized: false },
    auth: { user: login, pass },
  });
}

test("a client of JMAP is told of what a mail program sends, and finds it in Sent", async () => {
  const { accountId } = alice;
  const socket = await openWebSocket(alice);
  socket.enablePush();
  for (const at of [0, 1] as const) {
    const mailer = transport(at, password);
    const subject = `by door ${at}`;
    const { response } = await mailer.sendMail({ from: login, to: login, subject, text: "Hello" });
    const id = /queued as (\w+)$/.exec(response)![1]!;
    // One change has all of it; what happens to the mail afterwards is pushed apart.
    await until("the push", async () => {
      const { Email, Mailbox, EmailSubmission } = (await socket.nextPush()).changed[accountId] ?? {};
      return Email && Mailbox && EmailSubmission;
    });
    const submission = (await one<GetResult>(alice, "EmailSubmission/get", { accountId, ids: [id] })).list[0]!;
    const email = (await one<GetResult>(alice, "Email/get", { accountId, ids: [submission.emailId as string] }))
      .list[0]!;
    const boxes = await one<GetResult>(alice, "Mailbox/get", {
      accountId,
      ids: Object.keys(email.mailboxIds as object),
    });
    expect(email).toMatchObject({ subject, keywords: { $seen: true } });
    expect(boxes.list.map(({ role }) => role)).toEqual(["sent"]);
    mailer.close();
  }
  await socket.close();
});

test("an app password that is revoked sends nothing more, in whichever process the connection is", async () => {
  const { stdout } = await server.cli(["token", "add", login, "--app-password"]);
  const secret = /\n(\S+)\s*$/.exec(stdout)![1]!;
  const id = /App password (\S+)/.exec(stdout)![1]!;
  const mailers = [transport(0, secret), transport(1, secret)];
  const send = () =>
    Promise.allSettled(mailers.map((mailer) => mailer.sendMail({ from: login, to: login, subject: "x", text: "x" })));
  expect((await send()).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
  expect((await server.cli(["token", "revoke", login, id])).code).toBe(0);
  await until("it is refused", async () => (await send()).every(({ status }) => status === "rejected"));
  for (const mailer of mailers) mailer.close();
});

test("LMTP comes in by a socket file", async () => {
  const socket = connect(socketFile);
  let said = "";
  socket.on("data", (chunk) => (said += chunk));
  await until("the greeting", () => said.startsWith("220 "));
  const mail = `From: eve@far.test\r\nSubject: by LMTP\r\n\r\nHello.\r\n.\r\n`;
  socket.write(`LHLO mta.test\r\nMAIL FROM:<eve@far.test>\r\nRCPT TO:<${login}>\r\nDATA\r\n${mail}`);
  await until("it is taken", () => /^250 2\.1\.5 accepted/m.test(said));
  socket.destroy();
  const { accountId } = alice;
  await until("it arrives", async () => {
    const { ids } = await one<{ ids: string[] }>(alice, "Email/query", { accountId, filter: { subject: "by LMTP" } });
    return ids.length === 1;
  });
});
