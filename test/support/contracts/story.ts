import { authenticate } from "mailauth";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Client } from "../../../conformance/client/client.ts";
import { one, ref, responseArgs } from "../../../conformance/client/client.ts";
import { deliver } from "../../../conformance/client/smtp.ts";
import type {
  GetResult,
  Invocation,
  Json,
  QueryResult,
  SetResult,
  StateChange,
} from "../../../conformance/client/types.ts";
import { type JmapSocket, openWebSocket } from "../../../conformance/client/websocket.ts";
import { type DnsServer, startDns } from "../dns.ts";
import { createJam } from "../jam.ts";
import { message } from "../messages.ts";

import { type SmtpSink, startSink } from "../smtp-sink.ts";
import type { StartSystem, System } from "../system.ts";

/** The whole path, once: mail arrives, is pushed at once, is answered, and the answer leaves. */
export function storyContract(start: StartSystem): void {
  let dns: DnsServer;
  let sink: SmtpSink;
  let server: System;
  let alice: Client;
  let socket: JmapSocket;

  beforeAll(async () => {
    sink = await startSink();
    dns = await startDns({
      "remote.test": { MX: { preference: 10, exchange: "mx.remote.test" }, TXT: "v=spf1 ip4:127.0.0.1 -all" },
      "mx.remote.test": { A: "127.0.0.1" },
    });
    server = await start({
      env: {
        POSTHORN_RESOLVER: `127.0.0.1:${dns.port}`,
        POSTHORN_MX_PORT: String(sink.port),
        POSTHORN_ALLOW_PRIVATE_TARGETS: "true",
        POSTHORN_DEMO: "false",
      },
    });
    await server.addAccount("alice@home.test", "correct horse");
    alice = await server.login("alice@home.test", "correct horse");
    socket = await openWebSocket(alice);
  }, 120_000);

  afterAll(async () => {
    socket?.close();
    await server?.dispose();
    await sink?.stop();
    await dns?.stop();
  });

  const mailboxId = async (role: string) => {
    const { list } = await one<GetResult>(alice, "Mailbox/get", { accountId: alice.accountId });
    return list.find((mailbox) => mailbox.role === role)!.id as string;
  };

  /** Waits for the next push of this type. */
  async function pushed(type: string): Promise<StateChange> {
    for (;;) {
      const change = await socket.nextPush(5000);
      if (change.changed[alice.accountId]?.[type]) return change;
    }
  }

  test("domain add prints the DNS records to publish", async () => {
    const { stdout, code } = await server.cli(["domain", "add", "home.test"]);
    const again = code === 0 ? stdout : (await server.cli(["domain", "list", "home.test"])).stdout;
    const keys = [...again.matchAll(/(\S+)\._domainkey\.home\.test\.?\s[^\n]*?"?(v=DKIM1[^\n]*)/g)];
    expect(keys).toHaveLength(2);
    for (const [, selector, key] of keys) {
      dns.set(`${selector}._domainkey.home.test`, "TXT", key!.replace(/"\s*"/g, "").replace(/"\s*$/, ""));
    }
    for (const word of ["MX", "v=spf1", "v=DMARC1"]) expect(again).toContain(word);
  });

  test("mail arrives over SMTP, is pushed, listed, read and found at once", async () => {
    await socket.enablePush(null);
    const inbox = await mailboxId("inbox");
    const data = await message({
      from: "Bob <bob@remote.test>",
      to: "alice@home.test",
      subject: "Lunch on Friday",
      messageId: "<lunch@remote.test>",
      text: "Shall we meet at the planetarium?\r\n",
    });
    const reply = await deliver({ port: server.smtpPort, from: "bob@remote.test", to: "alice@home.test", data });
    expect(reply).toMatch(/^250/);
    await pushed("Email");

    const { accountId } = alice;
    const answers: Invocation[] = await alice.call([
      ["Email/query", { accountId, filter: { inMailbox: inbox }, collapseThreads: true, limit: 30 }, "q"],
      [
        "Email/get",
        { accountId, "#ids": ref("q", "Email/query", "/ids"), properties: ["subject", "from", "preview"] },
        "g",
      ],
      ["Email/query", { accountId, filter: { text: "planetarium" } }, "s"],
    ]);
    const { ids } = responseArgs<QueryResult>(answers[0]!, "Email/query");
    const { list } = responseArgs<GetResult>(answers[1]!, "Email/get");
    expect(list).toMatchObject([
      {
        subject: "Lunch on Friday",
        from: [{ name: "Bob", email: "bob@remote.test" }],
        preview: "Shall we meet at the planetarium?",
      },
    ]);
    expect(responseArgs<QueryResult>(answers[2]!, "Email/query").ids).toEqual(ids);

    const read = await one<GetResult>(alice, "Email/get", {
      accountId,
      ids,
      properties: ["bodyValues", "textBody", "header:Authentication-Results:asText", "header:Return-Path"],
      fetchTextBodyValues: true,
    });
    const email = read.list[0] as Record<string, Json & { value?: string }>;
    expect(Object.values(email.bodyValues!)).toMatchObject([{ value: expect.stringContaining("planetarium") }]);
    expect(email["header:Authentication-Results:asText"]).toContain("spf=pass");
    expect(email["header:Return-Path"]).toContain("bob@remote.test");
  });

  test("the reply leaves signed with its attachment, and is in Sent in the same thread", async () => {
    const { accountId } = alice;
    const [drafts, sent] = [await mailboxId("drafts"), await mailboxId("sent")];
    const { list: identities } = await one<GetResult>(alice, "Identity/get", { accountId });
    const { ids } = await one<QueryResult>(alice, "Email/query", { accountId, filter: { subject: "lunch" } });
    const { list: originals } = await one<GetResult>(alice, "Email/get", { accountId, ids, properties: ["threadId"] });
    const file = await alice.upload(Buffer.from("Friday, noon, Saturn's rings"), "text/calendar");
    const answers = await alice.call([
      [
        "Email/set",
        {
          accountId,
          create: {
            answer: {
              mailboxIds: { [drafts]: true },
              keywords: { $draft: true, $seen: true },
              from: [{ name: "Alice", email: "alice@home.test" }],
              to: [{ name: "Bob", email: "bob@remote.test" }],
              bcc: [{ name: null, email: "carol@remote.test" }],
              subject: "Re: Lunch on Friday",
              inReplyTo: ["lunch@remote.test"],
              references: ["lunch@remote.test"],
              textBody: [{ partId: "text", type: "text/plain" }],
              bodyValues: { text: { value: "Gladly — see the attached.\n" } },
              attachments: [{ blobId: file.blobId, type: "text/calendar", name: "dîner.ics" }],
            },
          },
        },
        "e",
      ],
      [
        "EmailSubmission/set",
        {
          accountId,
          create: { send: { emailId: "#answer", identityId: identities[0]!.id } },
          onSuccessUpdateEmail: {
            "#send": { [`mailboxIds/${drafts}`]: null, [`mailboxIds/${sent}`]: true, "keywords/$draft": null },
          },
        },
        "s",
      ],
    ]);
    const created = responseArgs<SetResult>(answers[0]!, "Email/set").created?.answer as Json;
    expect(created).toMatchObject({ threadId: originals[0]!.threadId });
    expect(responseArgs<SetResult>(answers[1]!, "EmailSubmission/set").created).toHaveProperty("send");
    expect(answers[2]?.[0]).toBe("Email/set");

    const messages = await sink.waitFor(1, 15_000);
    const [stored] = messages;
    expect([...stored!.to].sort()).toEqual(["bob@remote.test", "carol@remote.test"]);
    const text = stored!.raw.toString();
    expect(text).not.toMatch(/^bcc:/im);
    expect(text).toContain(Buffer.from("Friday, noon, Saturn's rings").toString("base64"));
    const verdict = await authenticate(stored!.raw, {
      ip: "127.0.0.1",
      helo: "home.test",
      sender: stored!.from,
      mta: "mx.remote.test",
      resolver: (name: string, type: string) => dns.resolver().resolve(name, type) as Promise<string[]>,
    });
    expect(verdict.dkim.results.map((result) => result.status.result)).toEqual(["pass", "pass"]);

    const { list } = await one<GetResult>(alice, "Email/get", {
      accountId,
      ids: [created.id],
      properties: ["mailboxIds", "keywords", "hasAttachment"],
    });
    expect(list[0]).toMatchObject({ mailboxIds: { [sent]: true }, keywords: { $seen: true }, hasAttachment: true });
    const { list: threads } = await one<GetResult>(alice, "Thread/get", { accountId, ids: [created.threadId] });
    expect(threads[0]!.emailIds).toHaveLength(2);
    await expect
      .poll(async () => {
        const { list: submissions } = await one<GetResult>(alice, "EmailSubmission/get", { accountId, ids: null });
        const status = submissions[0]!.deliveryStatus as Record<string, { delivered: string; smtpReply: string }>;
        return Object.values(status).map(({ smtpReply }) => smtpReply.slice(0, 3));
      })
      .toEqual(["250", "250"]);
  });

  test("a second client, made with another library, sees the $seen keyword that the first one sets", async () => {
    const added = await server.cli(["token", "add", "alice@home.test", "--label", "jam"]);
    const token = added.stdout.trim().split(/\s+/).at(-1) as string;
    const jam = await createJam({ bearerToken: token, sessionUrl: `${server.url}/.well-known/jmap` });
    const accountId = await jam.getPrimaryAccount();
    const [before] = await jam.api.Email.query({ accountId, filter: { notKeyword: "$seen" } });
    expect(before.ids).toHaveLength(1);
    const id = before.ids[0] as string;
    await one(alice, "Email/set", { accountId, update: { [id]: { "keywords/$seen": true } } });
    await pushed("Email");
    const [email] = await jam.api.Email.get({ accountId, ids: [id], properties: ["keywords"] });
    expect(email.list).toMatchObject([{ id, keywords: { $seen: true } }]);
    const [after] = await jam.api.Email.query({ accountId, filter: { notKeyword: "$seen" } });
    expect(after.ids).toEqual([]);
  });

  test("afterwards the doctor finds no difference, and the server stops cleanly", async () => {
    const { code, stdout } = await server.cli(["doctor"]);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    await server.stop();
  });
}
