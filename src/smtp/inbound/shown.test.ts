import fc from "fast-check";
import { expect, test } from "vitest";
import { timeFor, tries } from "../../../test/support/fuzz.ts";
import { silentLog } from "../../base/log.ts";
import { type asAddresses, parseHeader, readHeaderProperty } from "../../mime/headers.ts";
import { summarise } from "../../mime/summary.ts";
import { authenticate } from "./authenticate.ts";
import { readAuthors } from "./authors.ts";
import { readIncomingHeader, withoutForged } from "./incoming-header.ts";

const hostname = "mx.test";
const zone: Record<string, string> = {
  "_dmarc.bank.test": "v=DMARC1; p=reject",
  "_dmarc.shop.test": "v=DMARC1; p=quarantine",
  "_dmarc.news.test": "v=DMARC1; p=none",
  "_dmarc.evil.test": "v=DMARC1; p=quarantine",
  "evil.test": "v=spf1 +all",
};
// The peer is authenticated as evil.test, and as nobody else.
const resolver = {
  async resolve(name: string, type: string) {
    const text = type === "TXT" ? zone[name] : undefined;
    if (text === undefined) throw Object.assign(new Error(name), { code: "ENOTFOUND" });
    return [[text]];
  },
} as never;
const isOurs = async (name: string) => name === "here.test";
const means = { resolver, hostname, log: silentLog, isOurs };
const sender = { mailFrom: "a@evil.test", helo: "evil.test", address: "192.0.2.1" };

/** What peers put before a body: each piece may be cut off, doubled or in the wrong place. */
const domain = fc.constantFrom(
  ...["bank.test", "shop.test", "news.test", "evil.test", "here.test", "mail.bank.test", "BANK.test.", "other.test"],
  ...["bank . test", "bank(x).test", "bank.\r\n test", "ｂank.test", "ba\u00adnk.test", "bank。test", "b\0ank.test"],
  ...["[192.0.2.1]", "bank.test evil.test", "bank.test@evil.test", "bank", "bank..test", "bank.test\r", "b\\ank.test"],
);
const local = fc.constantFrom("me", '"ceo"', '"ceo@bank.test"', "ceo\0", "(x)ceo", "@relay.test:ceo", "a.b", '"', "");
const spec = fc.tuple(local, domain).map(([name, host]) => `${name}@${host}`);
const mailbox = fc.oneof(
  spec,
  spec.map((text) => `<${text}>`),
  spec.map((text) => `Ann <${text}>`),
  spec.map((text) => `"x <${text}>`),
  spec.map((text) => `=?utf-8?q?ceo=40bank.test?= <${text}>`),
  spec.map((text) => `"ceo@bank.test" <${text}> (ceo@shop.test)`),
  spec.map((text) => `Staff: ${text};`),
  spec.map((text) => ` <${text}> <ceo@bank.test>`),
  fc.constantFrom("", "<>", "MAILER-DAEMON", "bank.test", "(ceo@bank.test)", "ceo＠bank.test"),
);
const value = fc
  .tuple(fc.array(mailbox, { minLength: 1, maxLength: 3 }), fc.constantFrom(",", ";", " ", ",\r\n "))
  .map(([all, mark]) => all.join(mark));
const name = fc.constantFrom(
  ...[
    "From",
    "From",
    "From",
    "from ",
    "FROM\t",
    "Fr\0om",
    "\ufeffFrom",
    "\0From",
    " From",
    "Fro",
    "From\r\n ",
    "Sender",
  ],
);
const eol = fc.constantFrom("\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n");
const fromField = fc
  .tuple(name, fc.constantFrom(":", ": ", ":\r\n ", ":\t"), value, eol)
  .map((parts) => parts.join(""));
const otherLine = fc.constantFrom(
  ...["junk\r\n", "From x\r\n", ">From x\r\n", ": y\r\n", "X-\u00e4: y\r\n", " folded\r\n", "\0\r\n", "\ufeff", "\0"],
  ...["List-Id: <l.test>\r\n", "To: x@here.test\r\n", "\r\n", `${"x".repeat(150)}: y\r\n`, "From: "],
  `X-Long: a${"\r\n b".repeat(4_100)}\r\n`,
  `X-Wide: a${" ".repeat(1_100)}b\r\n`,
  ...["mx.test", '"mx\\.test"', "(\\)) mx.test", "mx.test\0", "mx.test."].map(
    (id) => `Authentication-Results: ${id}; dmarc=pass header.from=bank.test\r\n`,
  ),
);
const header = fc.array(fc.oneof({ weight: 3, arbitrary: fromField }, { weight: 2, arbitrary: otherLine }), {
  minLength: 1,
  maxLength: 5,
});

/** Whether an address seems to claim a domain to a reader who ignores grammar. */
function claims(address: string, host: string): boolean {
  const seen = address
    .replace(/^"[^"]*"(?=@)/, "")
    .normalize("NFKC")
    .toLowerCase();
  const plain = seen.replace(/[\p{Default_Ignorable_Code_Point}]/gu, "");
  return new RegExp(`[@.]${host.replace(".", "\\.")}(?![\\w-]|\\.\\w)`).test(plain);
}

test(
  "every author that a client shows was judged",
  async () => {
    const seen = { refused: 0, junk: 0, inbox: 0 };
    await fc.assert(
      fc.asyncProperty(header, async (lines) => {
        const raw = Buffer.from(`${lines.join("")}\r\n\r\nHello.\r\n`);
        const read = readIncomingHeader(raw, hostname);
        const { field, refusal, junkReason } = await authenticate(raw, read, sender, means);
        if (refusal !== undefined) {
          seen.refused++;
          return;
        }
        seen[junkReason === undefined ? "inbox" : "junk"]++;
        const trace = `Return-Path: <a@evil.test>\r\n${field}Received: by ${hostname}; now\r\n`;
        const stored = Buffer.concat([Buffer.from(trace), withoutForged(raw, read)]);

        const { structure, from } = summarise(stored);
        const fields = parseHeader(stored.subarray(structure.header.start, structure.header.end));
        const all = readHeaderProperty(fields, { name: "From", form: "Addresses", all: true });
        const emails = (list: ReturnType<typeof asAddresses>) => list.map(({ email }) => email);
        const judged = readAuthors(read.from);
        expect(judged.addresses).toEqual(emails((all as ReturnType<typeof asAddresses>[]).flat()));
        expect(judged.addresses).toEqual(expect.arrayContaining(emails(from ?? [])));

        const { isClear, addresses } = judged;
        const isAmbiguous = read.from.length > 1 && addresses.some((address) => claims(address, "evil.test"));
        if (!isClear || isAmbiguous) expect(junkReason).toBeTypeOf("string");
        for (const address of addresses) {
          const isForeign = ["bank.test", "shop.test", "here.test"].some((host) => claims(address, host));
          if (isForeign) expect({ address, junkReason }).toMatchObject({ junkReason: expect.any(String) });
          if (claims(address, "bank.test")) expect(read.isPassedOn).toBe(true);
          for (const host of judged.domains) expect(field).toContain(`header.from=${host}`);
        }
        const results = fields.filter((one) => one.name.toLowerCase() === "authentication-results");
        expect(results.map((one) => one.value).filter((text) => text.includes("mx"))).toHaveLength(1);
      }),
      tries(2_000, 100_000),
    );
    // The test would prove nothing if all cases ended alike.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
  },
  timeFor(2_000, 10),
);
