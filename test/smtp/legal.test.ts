import { isAscii } from "node:buffer";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { simpleParser } from "mailparser";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dnsRecords } from "../../src/admin/dns-records.ts";
import { keysOf } from "../../src/admin/domains.ts";
import { partBytes } from "../../src/mime/decode.ts";
import { asMessageIds, asText, parseHeader } from "../../src/mime/headers.ts";
import { leaves } from "../../src/mime/structure.ts";
import { walk } from "../../src/mime/walk.ts";
import { findDomain } from "../../src/store/directory/directory.ts";
import { until } from "../support/ports.ts";
import { expectLegal, lines, plain, utf8 } from "../support/wire.ts";
import {
  ada,
  bob,
  clientOf,
  draft,
  host,
  mail,
  refusal,
  type Submission,
  sent,
  sink,
  status,
  useOutbox,
} from "./outbox.ts";

useOutbox();
beforeAll(async () => {
  await publishKey("here.test");
  host.dns.set("xn--bcher-kva.example", "MX", { preference: 10, exchange: "mx.far.test" });
});
beforeEach(() => sink.offer({ extensions: [] }));

async function publishKey(name: string): Promise<void> {
  const domain = await findDomain(host.database, name);
  for (const record of dnsRecords(domain!, "mx.posthorn.test", await keysOf(host, domain!.name))) {
    if (record.type === "TXT") host.dns.set(record.name.slice(0, -1), "TXT", record.value.replace(/"( ")?/g, ""));
  }
}

const head = (...more: string[]): string[] => [
  "From: Ada <ada@here.test>",
  "To: zoe@far.test",
  ...more,
  "MIME-Version: 1.0",
];
const mixed = (...parts: string[][]): Buffer =>
  lines(
    ...head("Content-Type: multipart/mixed; boundary=b"),
    "",
    ...parts.flatMap((part) => ["--b", ...part]),
    "--b--",
    "",
  );

/** The sink's only message; checks that it is legal for any server and that its signature is valid. */
async function taken({ eightBit = false } = {}): Promise<Buffer> {
  const { raw } = (await sink.waitFor(1))[0]!;
  expectLegal(raw, eightBit ? utf8 : plain);
  const resolver = (name: string, type: string) => host.dns.resolver().resolve(name, type) as Promise<string[]>;
  const { results } = await dkimVerify(raw, { resolver, strict: true });
  expect(results.map((result) => result.status.result)).toEqual(["pass", "pass"]);
  return raw;
}

/** The MAIL and RCPT commands as they were sent. */
const said = (): string[] => sink.commands.filter((line) => /^(MAIL|RCPT) /.test(line));

describe("to a server that offers nothing", () => {
  test("an internationalized domain is named by its A-label, in RCPT and header", async () => {
    await sent(await mail("Zoë <user@bücher.example>", "Grüße"));
    expect((await taken()).toString()).toMatch(/^To: .*<user@xn--bcher-kva\.example>\r$/m);
    expect(said()).toEqual(["MAIL FROM:<ada@here.test>", "RCPT TO:<user@xn--bcher-kva.example>"]);
  });

  test.each(["Cc", "Reply-To", "Disposition-Notification-To", "Resent-To", "Return-Path", "List-Post"])(
    "one in %s does not keep other recipients from the mail",
    async (name) => {
      const value = name === "List-Post" ? "<mailto:user@bücher.example>" : "Bücher <user@bücher.example>";
      const envelope = { mailFrom: { email: "ada@here.test" }, rcptTo: [{ email: "zoe@far.test" }] };
      await sent(lines(...head("Subject: x", `${name}: ${value}`), "", "x", ""), { envelope });
      expect((await taken()).toString()).toContain("user@xn--bcher-kva.example");
    },
  );

  test("a recipient whose local part is not ASCII fails alone, with the reason in words", async () => {
    const { id } = await sent(await mail("zoe@far.test", "x", { cc: "jörg@far.test" }));
    expect(await status(id, "jörg@far.test", "no")).toMatchObject({
      smtpReply: "553 5.6.7 the server takes no recipient's address that is not ASCII",
    });
    await status(id, "zoe@far.test", "unknown");
    expect((await taken()).toString()).toMatch(/^Cc: =\?utf-8\?\S+\?=:;\r$/m);
    expect(sink.messages[0]!.to).toEqual(["zoe@far.test"]);
  });

  test("the parts of an attached message with 8-bit octets are encoded", async () => {
    const inner = [
      "From: j@far.test",
      "Subject: Grüße",
      "Content-Type: text/plain; charset=utf-8",
      "",
      "Grüße aus Köln",
    ];
    await sent(mixed(["", "see"], ["Content-Type: message/rfc822", "Content-Transfer-Encoding: 8bit", "", ...inner]));
    const raw = await taken();
    const attached = await simpleParser(partBytes(raw, leaves(walk(raw))[1]!));
    expect(attached).toMatchObject({ subject: "Grüße", text: "Grüße aus Köln" });
  });

  test("a message over the server's SIZE is not sent", async () => {
    sink.offer({ extensions: [], size: 2000 });
    const { id } = await sent(await mail("zoe@far.test", "x", { text: "x ".repeat(2000) }));
    expect((await status(id, "zoe@far.test", "no"))!.smtpReply).toMatch(
      /^552 5\.3\.4 the message has \d+ octets, and the server takes 2000 at most$/,
    );
    expect(sink.attempts.filter(({ stage }) => stage !== "connect" && stage !== "tls")).toEqual([]);
  });
});

describe("with SMTPUTF8", () => {
  beforeEach(() => sink.offer());

  test("addresses that need it are sent as they are", async () => {
    await sent(await mail("jörg@far.test", "x"));
    expect((await taken({ eightBit: true })).toString()).toMatch(/^To: jörg@far\.test\r$/m);
    expect(said()).toEqual(["MAIL FROM:<ada@here.test> BODY=8BITMIME SMTPUTF8", "RCPT TO:<jörg@far.test>"]);
  });

  test("an address in the header alone makes MAIL ask for it too", async () => {
    const envelope = { mailFrom: { email: "ada@here.test" }, rcptTo: [{ email: "zoe@far.test" }] };
    await sent(lines(...head("Cc: jörg@far.test"), "", "x", ""), { envelope });
    expect((await taken({ eightBit: true })).toString()).toMatch(/^Cc: jörg@far\.test\r$/m);
    expect(said()).toEqual(["MAIL FROM:<ada@here.test> BODY=8BITMIME SMTPUTF8", "RCPT TO:<zoe@far.test>"]);
  });

  test("MAIL does not ask for it when no address needs it", async () => {
    await sent(lines(...head("Subject: Grüße", "Cc: Ü <u@bücher.example>"), "", "plain", ""));
    await sink.waitFor(2);
    for (const { raw } of sink.messages) expect(isAscii(raw)).toBe(true);
    expect(said().sort()).toEqual([
      ...["MAIL FROM:<ada@here.test>", "MAIL FROM:<ada@here.test>"],
      ...["RCPT TO:<u@xn--bcher-kva.example>", "RCPT TO:<zoe@far.test>"],
    ]);
  });
});

test("DSN parameters are passed on to servers that offer DSN, and to no others", async () => {
  const envelope = {
    mailFrom: { email: "ada@here.test", parameters: { RET: "hdrs", ENVID: "a+b=c" } },
    rcptTo: [
      { email: "zoe@far.test", parameters: { NOTIFY: "SUCCESS,FAILURE", ORCPT: "rfc822;z+o@far.test" } },
      { email: "u@bücher.example", parameters: { NOTIFY: "NEVER", ORCPT: "utf-8;ü@bücher.example" } },
      { email: "cy@far.test" },
    ],
  };
  for (const extensions of [[], ["DSN"]] as const) {
    sink.reset();
    sink.offer({ extensions: [...extensions] });
    await sent(await mail("zoe@far.test", "x"), { envelope });
    await sink.waitFor(2);
    const isOffered = extensions.length > 0;
    expect(new Set(said())).toEqual(
      new Set([
        `MAIL FROM:<ada@here.test>${isOffered ? " RET=HDRS ENVID=a+2Bb+3Dc" : ""}`,
        `RCPT TO:<zoe@far.test>${isOffered ? " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;z+2Bo@far.test" : ""}`,
        `RCPT TO:<u@xn--bcher-kva.example>${isOffered ? " NOTIFY=NEVER ORCPT=utf-8;\\x{FC}@b\\x{FC}cher.example" : ""}`,
        "RCPT TO:<cy@far.test>",
      ]),
    );
  }
});

describe("a signed part", () => {
  const type = 'multipart/signed; boundary=b; protocol="application/pgp-signature"; micalg=pgp-sha256';
  const signed = (text: string): Buffer => {
    const parts = ["--b", "Content-Type: text/plain; charset=utf-8", "", text, "--b", "", "sig", "--b--", ""];
    return lines(...head(`Content-Type: ${type}`), "", ...parts);
  };

  test("with 8-bit octets leaves as it is, or comes back with the reason", async () => {
    const { id } = await sent(signed("Grüße"));
    const { smtpReply } = (await status(id, "zoe@far.test", "no"))!;
    expect(smtpReply).toMatch(/^550 5\.6\.3 .*signed part holds 8-bit text/);
    const report = await until("the report", async () =>
      (await host.mails(ada)).find(({ raw }) => raw.includes("signed part")),
    );
    expect(report.raw).toContain(`  zoe@far.test\r\n    ${smtpReply}\r\n`);
    expect(report.raw).toMatch(
      /no 8BITMIME\), .* break the signature: sign it again with its text in quoted-printable/,
    );
    expect(sink.messages).toEqual([]);
    sink.offer({ extensions: ["8BITMIME"] });
    await sent(signed("Grüße"));
    expect((await taken({ eightBit: true })).toString()).toContain("\r\nGrüße\r\n");
    expect(said()[0]).toBe("MAIL FROM:<ada@here.test> BODY=8BITMIME");
  });

  test.each([["x".repeat(999)], ["a\0b"], ["a\rb"]])("that no server could be sent is refused (%#)", async (text) => {
    expect(await refusal(signed(text))).toEqual({
      type: "invalidEmail",
      properties: ["bodyStructure"],
      description: expect.stringMatching(/^it cannot be sent: its signed part holds .* and cannot be changed$/),
    });
  });
});

describe.each([{ extensions: [] }, { extensions: ["8BITMIME"] }, { extensions: ["8BITMIME", "SMTPUTF8"] }] as const)(
  "to a server that offers $extensions",
  ({ extensions }) => {
    beforeEach(() => sink.offer({ extensions: [...extensions] }));
    const eightBit = extensions.length > 0;
    const octets = `a\0b\rc${"x".repeat(3000)}é\r\nd\ne`;

    test.each([
      ["a text", ["Content-Type: text/plain; charset=utf-8"]],
      ["a text labelled binary", ["Content-Transfer-Encoding: binary"]],
      ["a text file", ["Content-Type: text/csv", "Content-Disposition: attachment"]],
      ["a file", ["Content-Type: application/x-y", "Content-Transfer-Encoding: 8bit"]],
    ])("%s with long lines, NUL, CR or LF alone comes as it was written", async (_, fields) => {
      await sent(mixed([...fields, "", octets], ["", "end"]));
      const raw = await taken({ eightBit });
      expect(leaves(walk(raw)).map((part) => partBytes(raw, part).toString())).toEqual([octets, "end"]);
    });

    test("an attached message with them comes as it was written, too", async () => {
      await sent(mixed(["Content-Type: message/rfc822", "", `Subject: ${"word ".repeat(600)}`, "", octets]));
      const raw = await taken({ eightBit });
      const attached = partBytes(raw, leaves(walk(raw))[0]!);
      expect(partBytes(attached, walk(attached)).toString()).toBe(octets);
      expect((await simpleParser(attached)).subject!.trim()).toBe("word ".repeat(600).trim());
    });

    test("a header with long lines leaves folded", async () => {
      const token = "t".repeat(3000);
      const fields = [`Subject: ${"word ".repeat(600)}end`, `X-Token: ${token}`, `References: <${token}@x>`];
      await sent(lines(...head(...fields, "X-Nul: a\0b\rc"), "", "x", ""));
      const raw = await taken({ eightBit });
      expect((await simpleParser(raw)).subject).toBe(`${"word ".repeat(600)}end`);
      const values = new Map(parseHeader(raw).map(({ name, value }) => [name, value]));
      expect(asText(values.get("X-Token")!)).toBe(token);
      expect(asText(values.get("X-Nul")!)).toBe("ab c");
      expect(asMessageIds(values.get("References")!)).toEqual([`${token}@x`]);
    });

    test("lines that end in LF, in the whole message or in its text, leave with CRLF", async () => {
      const text = lines(...head("Subject: x"), "", "one\ntwo\n");
      await sent(text);
      expect((await taken({ eightBit })).toString()).toContain("\r\n\r\none\r\ntwo\r\n");
      sink.reset();
      await sent(Buffer.from(text.toString().replaceAll("\r\n", "\n")));
      expect((await taken({ eightBit })).toString()).toContain("\r\n\r\none\r\ntwo\r\n");
    });
  },
);

describe("is refused when it is submitted", () => {
  test.each([
    ["an encoding that nobody knows, with a long line", ["Content-Transfer-Encoding: x-yenc", "", "x".repeat(999)]],
    ["a boundary that is not ASCII", ["Content-Type: multipart/mixed; boundary=ü", "", "--ü", "", "x", "--ü--"]],
    ["a piece of a message with NUL", ["Content-Type: message/partial; id=x; number=2", "", "a\0b"]],
  ])("%s", async (_, body) => {
    const error = await refusal(lines(...head(...body)));
    expect(error).toMatchObject({ type: "invalidEmail", properties: ["bodyStructure"] });
    expect(error.description).toMatch(/^it cannot be sent: /);
  });

  test.each([
    `${"l".repeat(64)}@${"d".repeat(60)}.${"d".repeat(60)}.${"d".repeat(63)}.test`,
    `x@${"l".repeat(64)}.test`,
    `x@${"ü".repeat(80)}.test`,
    "x@xn--ü.test",
    '"a<b"@far.test',
    "a\u0085b@far.test",
  ])("a recipient that no server takes (%#)", async (email) => {
    const envelope = { mailFrom: { email: "ada@here.test" }, rcptTo: [{ email }] };
    const error = await refusal(await mail("x@far.test", "x"), { envelope });
    expect(error).toMatchObject({ type: "invalidRecipients", invalidRecipients: [email] });
  });
});

test.each([
  ["Subject", "subject", "x"],
  ["To", "to", "zoe@far.test"],
  ["Message-ID", "messageId", "<a@b.test>"],
])("two %s fields are refused", async (name, property, value) => {
  const fields = ["From: ada@here.test", "To: zoe@far.test", `${name}: ${value}`, `${name}: ${value}`];
  expect(await refusal(lines(...fields, "", "x"))).toMatchObject({
    type: "invalidEmail",
    properties: [property],
    description: expect.stringMatching(/^it cannot be sent: it has several/),
  });
});

describe("whoever sends", () => {
  const submitAs = async (account: number, from: string): Promise<string> => {
    const by = clientOf(account);
    const { list } = await by.call("Identity/get", { ids: null });
    const emailId = await draft(lines(`From: ${from}`, "To: zoe@far.test", "Subject: x", "", "x", ""), by);
    const create = { s: { identityId: (list as { id: string }[])[0]!.id, emailId } };
    const { created } = await by.call("EmailSubmission/set", { create });
    return (created as { s: { id: string } }).s.id;
  };

  test("from an internationalized domain is signed by its A-label", async () => {
    const eva = await host.account("eva@xn--kse-qla.test");
    await publishKey("xn--kse-qla.test");
    await submitAs(eva, "Eva <eva@käse.test>");
    expect((await taken()).toString()).toMatch(/^From: Eva <eva@xn--kse-qla\.test>\r$/m);
    expect(said()[0]).toBe("MAIL FROM:<eva@xn--kse-qla.test>");
  });

  test("from an address that the server cannot take is told why nothing was sent", async () => {
    const jörg = await host.account("jörg@here.test");
    const id = await submitAs(jörg, "jörg@here.test");
    const by = clientOf(jörg);
    const reply = await until("a reply", async () => {
      const { list } = await by.call("EmailSubmission/get", { ids: [id] });
      const { smtpReply } = (list as Submission[])[0]!.deliveryStatus["zoe@far.test"]!;
      return smtpReply.startsWith("250 2.1.5 queued") ? undefined : smtpReply;
    });
    expect(reply).toBe("550 5.6.7 the server takes no sender's address that is not ASCII");
    expect(sink.messages).toEqual([]);
  });
});

test("mail to local users stays as it was written", async () => {
  const text = `Grüße ${"x".repeat(2000)}\0`;
  const { id } = await sent(
    lines("From: ada@here.test", "To: bob@here.test, zoe@far.test", "Subject: both", "", text, ""),
  );
  await status(id, "bob@here.test", "yes");
  const delivered = await until("mail to Bob", async () =>
    (await host.mails(bob)).find(({ subject }) => subject === "both"),
  );
  expect(Buffer.from(delivered.raw, "latin1").toString()).toContain(`\r\n\r\n${text}\r\n`);
  const raw = await taken();
  expect(partBytes(raw, walk(raw)).toString()).toBe(`${text}\r\n`);
});
