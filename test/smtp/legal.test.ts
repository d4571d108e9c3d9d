import { isAscii } from "node:buffer";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { simpleParser } from "mailparser";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dnsRecords } from "../../src/cli/dkim.ts";
import { findDomain } from "../../src/store/directory.ts";
import {
  ada,
  bob,
  client,
  draft,
  host,
  identityId,
  mail,
  refusal,
  sent,
  sink,
  status,
  submit,
  useOutbox,
} from "./outbox.ts";

useOutbox();
beforeAll(async () => {
  const domain = await findDomain(host.database, "here.test");
  for (const record of dnsRecords(domain!, "mx.posthorn.test")) {
    if (record.type === "TXT") host.dns.set(record.name.slice(0, -1), "TXT", record.value.replace(/"( ")?/g, ""));
  }
  host.dns.set("xn--bcher-kva.example", "MX", { preference: 10, exchange: "mx.far.test" });
});
beforeEach(() => sink.offer({ extensions: [] }));

const lines = (...all: string[]): Buffer => Buffer.from(all.join("\r\n"), "utf8");
const head = (...more: string[]): string[] => [
  "From: Ada <ada@here.test>",
  "To: zoe@far.test",
  ...more,
  "MIME-Version: 1.0",
];

/** The next message in the sink, which must be legal for whoever offers nothing, and signed. */
async function taken(count = 1): Promise<Buffer> {
  const message = (await sink.waitFor(count)).at(-1)!.raw;
  expect(isAscii(message)).toBe(true);
  await checkWire(message);
  return message;
}

async function checkWire(message: Buffer): Promise<void> {
  const text = message.toString("latin1");
  expect(text).not.toMatch(/\0|\r(?!\n)|(?<!\r)\n/);
  for (const line of text.split("\r\n")) expect(line.length).toBeLessThanOrEqual(998);
  const resolver = (name: string, type: string) => host.dns.resolver().resolve(name, type) as Promise<string[]>;
  const { results } = await dkimVerify(message, { resolver, strict: true });
  expect(results.map((result) => result.status.result)).toEqual(["pass"]);
}

const to = (...addresses: string[]) => ({
  envelope: { mailFrom: { email: "ada@here.test" }, rcptTo: addresses.map((email) => ({ email })) },
});

describe("to a server that offers nothing", () => {
  test("an internationalized domain is named by its A-label, in RCPT and header", async () => {
    await sent(await mail("Zoë <user@bücher.example>", "Grüße"));
    const message = await taken();
    expect(sink.messages[0]).toMatchObject({ to: ["user@xn--bcher-kva.example"], parameters: [] });
    expect(message.toString()).toMatch(/^To: .*<user@xn--bcher-kva\.example>\r$/m);
  });

  test.each(["Cc", "Reply-To", "Sender", "Disposition-Notification-To", "Resent-To", "List-Post"])(
    "one in %s keeps no recipient from the mail",
    async (name) => {
      const address = name === "Sender" ? "ada@here.test" : "user@bücher.example";
      const value = name === "List-Post" ? `<mailto:${address}>` : `Bücher <${address}>`;
      const raw = lines(...head("Subject: x", `${name}: ${value}`), "", "x", "");
      const { id } = await sent(raw, to("zoe@far.test"));
      await status(id, "zoe@far.test", "unknown");
      expect((await taken()).toString()).toContain(
        name === "Sender" ? "<ada@here.test>" : "user@xn--bcher-kva.example",
      );
    },
  );

  test("a recipient whose local part is no ASCII fails alone, and in words", async () => {
    const { id } = await sent(await mail("zoe@far.test", "x", { cc: "jörg@far.test" }));
    expect(await status(id, "jörg@far.test", "no")).toMatchObject({
      smtpReply: "553 5.6.7 the server takes no recipient's address that is not ASCII",
    });
    await status(id, "zoe@far.test", "unknown");
    const message = await taken();
    expect(sink.messages[0]!.to).toEqual(["zoe@far.test"]);
    expect(message.toString()).toMatch(/^Cc: =\?utf-8\?\S+\?=:;\r$/m);
  });

  test("an attached message with 8-bit octets is encoded within", async () => {
    const inner = [
      "From: j@far.test",
      "Subject: Grüße",
      "Content-Transfer-Encoding: 8bit",
      "Content-Type: text/plain; charset=utf-8",
      "",
      "Grüße aus Köln",
    ];
    const part = ["Content-Type: message/rfc822", "Content-Transfer-Encoding: 8bit", "", ...inner];
    await sent(
      lines(...head("Content-Type: multipart/mixed; boundary=b"), "", "--b", "", "see", "--b", ...part, "--b--", ""),
    );
    const parsed = await simpleParser(await taken());
    const attached = await simpleParser(parsed.attachments[0]!.content);
    expect(attached).toMatchObject({ subject: "Grüße", text: "Grüße aus Köln" });
  });

  test("a signed part with 8-bit octets comes back with the reason", async () => {
    const type = 'multipart/signed; boundary=b; protocol="application/pgp-signature"; micalg=pgp-sha256';
    const parts = ["--b", "Content-Type: text/plain; charset=utf-8", "", "Grüße", "--b", "", "sig", "--b--", ""];
    const { id } = await sent(lines(...head(`Content-Type: ${type}`), "", ...parts));
    expect((await status(id, "zoe@far.test", "no"))!.smtpReply).toMatch(/^550 5\.6\.3 .*signed part holds 8-bit text/);
    expect(sink.messages).toEqual([]);
    sink.offer({ extensions: ["8BITMIME"] });
    await sent(lines(...head(`Content-Type: ${type}`), "", ...parts));
    expect((await sink.waitFor(1))[0]!.parameters).toEqual(["BODY=8BITMIME"]);
    await checkWire(sink.messages[0]!.raw);
    expect(sink.messages[0]!.raw.toString()).toContain("Grüße");
  });

  test("a message over the size it takes is not sent at all", async () => {
    sink.offer({ extensions: [], size: 2000 });
    const { id } = await sent(await mail("zoe@far.test", "x", { text: "x ".repeat(2000) }));
    expect((await status(id, "zoe@far.test", "no"))!.smtpReply).toMatch(
      /^552 5\.3\.4 the message has \d+ octets, and the server takes 2000 at most$/,
    );
    expect(sink.attempts.filter(({ stage }) => stage !== "connect")).toEqual([]);
  });
});

describe.each([[[]], [["8BITMIME"]], [["8BITMIME", "SMTPUTF8", "DSN"]]] as const)(
  "to one that offers %s",
  (extensions) => {
    beforeEach(() => sink.offer({ extensions: [...extensions] }));
    const octets = `a\0b\rc${"x".repeat(3000)}é\nend`;

    test.each([
      ["a text", ["Content-Type: text/plain; charset=utf-8", "", octets]],
      ["a text of the encoding binary", ["Content-Transfer-Encoding: binary", "", octets]],
      ["a text file", ["Content-Type: text/csv", "Content-Disposition: attachment", "", octets]],
      ["a file", ["Content-Type: application/x-y", "Content-Transfer-Encoding: 8bit", "", octets]],
      ["an attached message", ["Content-Type: message/rfc822", "", "Subject: in", "", octets]],
    ])("%s with long lines, NUL, CR or LF alone comes as it was written", async (_, part) => {
      await sent(lines(...head("Content-Type: multipart/mixed; boundary=b"), "", "--b", ...part, "--b--", ""));
      const message = (await sink.waitFor(1))[0]!.raw;
      await checkWire(message);
      const { list } = await client.call("Email/parse", {});
      expect(list).toBeDefined();
    });

    test("a header with long lines leaves folded", async () => {
      const token = "t".repeat(3000);
      await sent(
        lines(...head(`Subject: ${"word ".repeat(600)}`, `X-Token: ${token}`, `References: <${token}@x>`), "", "x", ""),
      );
      const message = (await sink.waitFor(1))[0]!.raw;
      await checkWire(message);
      expect((await simpleParser(message)).subject).toBe("word ".repeat(600).trim());
    });
  },
);
