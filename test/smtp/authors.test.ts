import { generateKeyPairSync, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { methods } from "../../src/jmap/methods.ts";
import { dkimSignatures } from "../../src/mail/submit/dkim.ts";
import { TestClient, testLogin, testServices } from "../support/jmap.ts";
import { until } from "../support/ports.ts";
import { deliver, SmtpFailure } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

interface Shown {
  subject: string | null;
  from: { name: string | null; email: string }[] | null;
  keywords: object;
  mailboxIds: object;
  "header:Authentication-Results:asText:all": string[];
  "header:From:asAddresses:all": { email: string }[][];
}

let host: MailHost;
let client: TestClient;
let ada: number;
let junkId: string;
let count = 0;
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = (domain: string) => {
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  return { domain, selector: "s", privateKey: pem };
};

beforeAll(async () => {
  host = await startMailHost();
  await host.listen();
  ada = await host.account("ada@here.test");
  const services = testServices(host.store, { blobs: host.blobs, ingest: host.ingest, random: randomBytes });
  client = new TestClient(methods, services, testLogin([ada]));
  const { list } = await client.call("Mailbox/get", { ids: null, properties: ["role"] });
  junkId = (list as { id: string; role: string | null }[]).find(({ role }) => role === "junk")!.id;
  const policies = {
    "bank.test": "p=reject",
    "shop.test": "p=quarantine",
    "news.test": "p=none",
    "tried.test": "p=reject; t=y",
  };
  for (const [domain, policy] of Object.entries(policies)) {
    host.dns.set(domain, "TXT", "v=spf1 -all");
    host.dns.set(`_dmarc.${domain}`, "TXT", `v=DMARC1; ${policy}`);
    const der = publicKey.export({ type: "spki", format: "der" }).toString("base64");
    host.dns.set(`s._domainkey.${domain}`, "TXT", `v=DKIM1; k=rsa; p=${der}`);
  }
  host.dns.set("evil.test", "TXT", "v=spf1 +all");
});
afterAll(() => host.stop());

/** `header` is sent as given; a character outside ASCII is one octet. */
async function send(header: string, { from = "a@evil.test" } = {}): Promise<string> {
  const subject = `number ${++count}`;
  const data = Buffer.from(`${header}Subject: ${subject}\r\n\r\nHello.\r\n`, "latin1");
  await deliver({ port: host.smtpPort, from, to: "ada@here.test", data });
  return subject;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof SmtpFailure)) throw new Error(`not refused: ${error}`);
  return error.line;
}

async function shown(subject: string): Promise<Shown & { isJunk: boolean }> {
  const ids = await until(`mail "${subject}"`, async () => {
    const found = await client.call("Email/query", { filter: { subject: `"${subject}"` } });
    return (found.ids as string[]).length > 0 ? (found.ids as string[]) : undefined;
  });
  const named = ["header:Authentication-Results:asText:all", "header:From:asAddresses:all"];
  const properties = ["subject", "from", "keywords", "mailboxIds", ...named];
  const { list } = await client.call("Email/get", { ids, properties });
  const email = (list as Shown[]).find((one) => one.subject === subject)!;
  return { ...email, isJunk: junkId in email.mailboxIds };
}

const utf8 = (text: string) => Buffer.from(text).toString("latin1");

describe("mail that spoofs a domain with p=reject is refused", () => {
  const folded = "\r\n b".repeat(4_500);
  test.each<[string, string]>([
    ["plainly", "From: ceo@bank.test\r\n"],
    ["by blanks", "From: <ceo @ bank . test>\r\n"],
    ["by a comment within", "From: <ceo@bank(x).test>\r\n"],
    ["by folding within", "From: <ceo@bank\r\n .test>\r\n"],
    ["by a quote that is not closed", 'From: "x <ceo@bank.test>\r\n'],
    ["by a byte order mark", "\xef\xbb\xbfFrom: ceo@bank.test\r\n"],
    ["by a byte order mark further down", "To: ada@here.test\r\n\xef\xbb\xbfFrom: ceo@bank.test\r\n"],
    ["by a second From", "From: me@evil.test\r\nFrom: ceo@bank.test\r\n"],
    ["by a first From", "From: ceo@bank.test\r\nFrom: me@evil.test\r\n"],
    ["behind an empty From", "From:\r\nFrom: ceo@bank.test\r\n"],
    ["by a second address", "From: me@evil.test, ceo@bank.test\r\n"],
    ["by a second address after a semicolon", "From: me@evil.test; ceo@bank.test\r\n"],
    ["by a second bracket", "From: <me@evil.test> <ceo@bank.test>\r\n"],
    ["in a group", "From: Board: me@evil.test, ceo@bank.test;\r\n"],
    ["by a source route", "From: <@evil.test:ceo@bank.test>\r\n"],
    ["by two @", "From: <ceo@bank.test@evil.test>\r\n"],
    ["by words after it", "From: <ceo@bank.test evil.test>\r\n"],
    ["by a subdomain", "From: ceo@mail.bank.test\r\n"],
    ["by a last dot", "From: ceo@bank.test.\r\n"],
    ["in capitals", "FROM : CEO@BANK.TEST\r\n"],
    ["in full-width letters", utf8("From: ceo@ｂank。test\r\n")],
    ["by a soft hyphen", utf8("From: ceo@ba\u00adnk.test\r\n")],
    ["by NUL", "Fr\0om: ceo@ba\0nk.test\r\n"],
    ["by a bare CR", "From: me@evil.test,\rceo@bank.test\r\n"],
    ["after a line that is no field", "Junk line\r\nFrom: ceo@bank.test\r\n"],
    ["after a name that is none", "X-\xe4: y\r\nFrom: ceo@bank.test\r\n"],
    ["after a long name", `${"x".repeat(200)}: y\r\nFrom: ceo@bank.test\r\n`],
    ["after a line of mbox", "From me Mon Jan  1 00:00:00 2024\r\nFrom: ceo@bank.test\r\n"],
    ["after a first line that goes on", " x\r\nFrom: ceo@bank.test\r\n"],
    ["in a long header", `Junk line\r\nFrom: ceo@bank.test\r\nX-Long: a${folded}\r\n`],
    ["in a long header with odd names", `X-\xe4: y\r\nX-Long: a${folded}\r\nFrom: ceo@bank.test\r\n`],
    ["behind 60 addresses", `X-Long: a${folded}\r\nFrom: ${"a@evil.test, ".repeat(60)}ceo@bank.test\r\n`],
    ["behind 60 domains", `From: ${Array.from({ length: 60 }, (_, n) => `a@d${n}.test, `).join("")}ceo@bank.test\r\n`],
    ["behind 2,000 addresses", `From: ${"a@evil.test,\r\n ".repeat(2_000)}ceo@bank.test\r\n`],
    ["behind 20,000 addresses", `From: ${"a@evil.test,\r\n ".repeat(20_000)}ceo@bank.test\r\n`],
    ["behind 100 From fields", `${"From: me@evil.test\r\n".repeat(100)}From: ceo@bank.test\r\n`],
  ])("%s", async (_, header) => {
    expect(await refusal(send(header))).toMatch(/^550 5\.7\.1 /);
  });

  test("even when DNS of the sender's own domain does not answer", async () => {
    host.dns.fail("silent.test", "SERVFAIL");
    host.dns.fail("s._domainkey.silent.test", "SERVFAIL");
    const forged = (domain: string, selector: string) =>
      `DKIM-Signature: v=1; a=rsa-sha256; d=${domain}; s=${selector}; h=from; bh=${"A".repeat(43)}=; b=${"B".repeat(300)}\r\n`;
    const header = `${forged("silent.test", "s")}From: ceo@bank.test\r\n`;
    expect(await refusal(send(header, { from: "a@silent.test" }))).toMatch(/^550 5\.7\.1 .*bank\.test/);
    // The selector is too long for DNS, so the key counts as missing, not as unavailable.
    const odd = await send(`${forged("bank.test", "x".repeat(70))}From: ceo@bank.test\r\n`);
    expect(await shown(odd)).toMatchObject({ isJunk: true });
  });
});

describe("authenticated mail is accepted", () => {
  test.each(["ceo@bank.test", "<ceo @ bank . test>", "Ceo (x) <ceo@BANK.test>", "a@bank.test, b@bank.test"])(
    "%s",
    async (from) => {
      const message = `From: ${from}\r\nTo: ada@here.test\r\nSubject: signed ${++count}\r\n\r\nHello.\r\n`;
      const signature = await dkimSignatures(Buffer.from(message), [key("bank.test")], new Date());
      await deliver({ port: host.smtpPort, from: "a@evil.test", to: "ada@here.test", data: signature + message });
      const email = await shown(`signed ${count}`);
      expect(email.isJunk).toBe(false);
      expect(email["header:Authentication-Results:asText:all"]).toEqual([
        expect.stringMatching(
          /^mx\.posthorn\.test;.* dkim=pass .* dmarc=pass \(p=reject dis=none\) header\.from=bank\.test /,
        ),
      ]);
      // With a second From the signature no longer holds: as one that broke on its way, the copy goes to Junk.
      const more = `${signature}From: ceo@bank.test\r\n${message}`;
      await deliver({ port: host.smtpPort, from: "a@evil.test", to: "ada@here.test", data: more });
      const { list } = await until("the copy", async () => {
        const { ids } = await client.call("Email/query", { filter: { subject: `"${email.subject}"` } });
        if ((ids as string[]).length < 2) return undefined;
        return client.call("Email/get", { ids, properties: ["mailboxIds"] });
      });
      expect((list as Shown[]).filter(({ mailboxIds }) => junkId in mailboxIds)).toHaveLength(1);
    },
  );
});

describe("a message goes to Junk", () => {
  test.each<[string, string, RegExp]>([
    [
      "where its domain asks for quarantine",
      "From: a@shop.test\r\n",
      /dmarc=fail \(p=quarantine dis=quarantine\) header\.from=shop\.test/,
    ],
    [
      "where only one of its authors does",
      "From: a@evil.test, b@news.test, c@shop.test\r\n",
      /header\.from=shop\.test/,
    ],
    ["where its domain tries a refusal out", "From: a@tried.test\r\n", /dmarc=fail \(p=quarantine dis=quarantine\)/],
    [
      "where a list passed on what asks for refusal",
      "List-Id: <l.evil.test>\r\nFrom: ceo@bank.test\r\n",
      /p=reject dis=quarantine/,
    ],
    [
      "where an author's signature broke on its way",
      `DKIM-Signature: v=1; a=rsa-sha256; d=bank.test; s=s; h=from; bh=${"A".repeat(43)}=; b=${"B".repeat(300)}\r\nFrom: ceo@bank.test\r\n`,
      /p=reject dis=quarantine/,
    ],
    [
      "where its author is a user here, unauthenticated",
      "From: Bob <bob@here.test>\r\n",
      /dmarc=none \(dis=quarantine\) header\.from=here\.test/,
    ],
    [
      "where its author is below a domain of ours",
      "From: bob@mail.here.test\r\n",
      /dmarc=none \(dis=quarantine\) header\.from=mail\.here\.test/,
    ],
    ["where a second author is a user here", "From: me@evil.test, bob@here.test\r\n", /header\.from=here\.test/],
    ["where nobody can say who wrote it", "From: <me@evil.test me>\r\n", /dmarc=permerror/],
  ])("%s", async (_, header, result) => {
    const email = await shown(await send(header));
    expect(email).toMatchObject({ isJunk: true, keywords: { $junk: true } });
    expect(email["header:Authentication-Results:asText:all"]).toEqual([expect.stringMatching(result)]);
  });

  test("where DNS does not tell whether its domain signed it", async () => {
    const message = "From: ceo@bank.test\r\nSubject: unanswered\r\n\r\nHello.\r\n";
    const signature = await dkimSignatures(Buffer.from(message), [key("bank.test")], new Date());
    host.dns.fail("s._domainkey.bank.test", "SERVFAIL");
    await deliver({ port: host.smtpPort, from: "a@evil.test", to: "ada@here.test", data: signature + message });
    host.dns.fail("s._domainkey.bank.test", undefined);
    const email = await shown("unanswered");
    expect(email.isJunk).toBe(true);
    expect(email["header:Authentication-Results:asText:all"]).toEqual([expect.stringContaining("dmarc=temperror")]);
  });

  test("with the reason on its row until it is there, and nobody is told that the user is away", async () => {
    await client.call("VacationResponse/set", { update: { singleton: { isEnabled: true } } });
    await host.rows("ALTER TABLE received RENAME TO received_away");
    const subject = await send("From: bob@here.test\r\nTo: ada@here.test\r\n");
    const [row] = await until("a note", async () => {
      const rows = await host.rows("SELECT last_error, junk_reason, recipients FROM incoming");
      return rows[0]?.last_error ? rows : undefined;
    });
    const reason = "here.test is ours, and nothing shows that it sent this";
    expect(row).toMatchObject({ junk_reason: reason, recipients: [{ done: false, reasons: [reason] }] });
    await host.rows("ALTER TABLE received_away RENAME TO received");
    host.clock.ahead += 60_000;
    await host.incoming.sweep();
    expect(await shown(subject)).toMatchObject({ isJunk: true });
    expect(await host.rows("SELECT id FROM submission")).toEqual([]);
    await client.call("VacationResponse/set", { update: { singleton: { isEnabled: false } } });
  });

  test("but with the keyword to the inbox, where there is no Junk", async () => {
    const eve = await host.account("eve@here.test");
    await host.rows("UPDATE mailbox SET role = NULL WHERE user_id = $1 AND role = 'junk'", [eve]);
    const data = "From: a@shop.test\r\nSubject: no junk\r\n\r\nHello.\r\n";
    await deliver({ port: host.smtpPort, from: "a@evil.test", to: "eve@here.test", data });
    await until("mail", async () => (await host.mails(eve)).length > 0);
    const rows = await host.rows("SELECT keywords FROM email WHERE user_id = $1", [eve]);
    expect(JSON.stringify(rows)).toContain("$junk");
  });
});

describe("a message goes to the inbox", () => {
  test.each<[string, string]>([
    ["whose domain asks for nothing", "From: a@news.test\r\n"],
    ["whose domain says nothing", "From: a@other.test\r\n"],
    ["without an author", "To: ada@here.test\r\n"],
    ["of a program without a domain", "From: MAILER-DAEMON\r\n"],
    ["whose author quotes an @", 'From: "ceo@bank.test"@evil.test\r\n'],
    ["whose author is named like somebody else", 'From: "ceo@bank.test" <me@evil.test>\r\n'],
  ])("%s", async (_, header) => {
    expect(await shown(await send(header))).toMatchObject({ isJunk: false, keywords: {} });
  });

  test("whose author is a user here, whom SPF knows", async () => {
    host.dns.set("here.test", "TXT", "v=spf1 +all");
    const subject = await send("From: bob@here.test\r\n", { from: "bob@here.test" });
    host.dns.remove("here.test");
    expect(await shown(subject)).toMatchObject({ isJunk: false });
  });
});

test("Authentication-Results says that signatures in a header that is too long were not verified", async () => {
  const signature = `DKIM-Signature: v=1; a=rsa-sha256; d=evil.test; s=s; h=from; bh=x; b=y\r\n`;
  const email = await shown(await send(`${signature}X-Long: a${"\r\n b".repeat(4_500)}\r\nFrom: me@evil.test\r\n`));
  expect(email["header:Authentication-Results:asText:all"]).toEqual([
    expect.stringMatching(/dkim=neutral \(too long to verify\); spf=pass /),
  ]);
});

describe("results in our name", () => {
  const forged = (id: string) => `Authentication-Results: ${id}; dkim=pass header.d=bank.test\r\n`;
  const from = "From: me@evil.test\r\n";
  test.each<[string, string]>([
    ["after a line of mbox", `From x\r\n${forged("mx.posthorn.test")}${from}`],
    ["after a name that is empty", `: y\r\n${forged("mx.posthorn.test")}${from}`],
    ["after a line that is no field", `To: x@here.test\r\njunk\r\n${forged("mx.posthorn.test")}${from}`],
    ["after a long name", `${"x".repeat(101)}: y\r\n${forged("mx.posthorn.test")}${from}`],
    ["after a name that is none", `X-\xe4: y\r\n${forged("mx.posthorn.test")}${from}`],
    ["with a quoted pair", forged('"mx.posthorn\\.test"') + from],
    ["with a comment of a parenthesis", forged("(\\)) mx.posthorn.test") + from],
    ["with a comment of another", forged("(\\() mx.posthorn.test") + from],
    ["with NUL", forged("mx.posthorn.test\0") + from],
    ["with a last dot", forged("mx.posthorn.test.") + from],
    ["with NUL in its name", forged("mx.posthorn.test").replace("tication", "tica\0tion") + from],
    ["behind a byte order mark", `\xef\xbb\xbf${forged("mx.posthorn.test")}${from}`],
    ["in a long header", `X-Long: a${"\r\n b".repeat(4_500)}\r\njunk\r\n${forged("mx.posthorn.test")}${from}`],
  ])("are never a sender's: %s", async (_, header) => {
    const email = await shown(await send(header));
    expect(email["header:Authentication-Results:asText:all"]).toEqual([
      expect.stringMatching(/^mx\.posthorn\.test; dkim=none .*header\.from=evil\.test/),
    ]);
  });
});
