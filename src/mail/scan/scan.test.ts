import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { summarise } from "../../mime/summary.ts";
import type { Acquaintance, Scan } from "../../store/mail/scans.ts";
import { baseStatistics, readBase, writeBase } from "./base.ts";
import { type Counts, countsEvidence, type Statistics } from "./bayes.ts";
import { askedOf, judge } from "./judge.ts";
import { namesAnotherHost, shapeOf } from "./marks.ts";
import { hashed } from "./tokens.ts";
import { readTraits, type Traits } from "./traits.ts";

const junkScore = 5;
const stranger: Acquaintance = {
  tokens: [],
  mails: { ham: 0, spam: 0 },
  isCorrespondent: false,
  lookAlike: null,
  namesake: null,
};

function traitsOf(text: string): Traits {
  const message = Buffer.from(text);
  return readTraits(message, summarise(message));
}

interface Written {
  isSpam: boolean;
  traits: Traits;
}

function hundredMails(): Written[] {
  const text = readFileSync(new URL("../../../test/fixtures/hundred-mails.txt", import.meta.url), "utf8");
  const lines = text.split("\n").filter((line) => /^(ham|spam) /.test(line));
  return lines.map((line, index) => {
    const [kind, from, subject, body] = line.split(" | ");
    const domain = /@(.*)>/.exec(from!)![1];
    const header = [
      `Authentication-Results: mx.here.test; spf=pass smtp.mailfrom=${domain}; dmarc=none header.from=${domain}`,
      "Received: from far.test",
      `From: ${from}`,
      "To: You <you@here.test>",
      `Subject: ${subject}`,
      "Date: Mon, 30 Nov 2026 10:00:00 +0000",
      `Message-ID: <${index}@${domain}>`,
    ];
    return { isSpam: kind === "spam", traits: traitsOf(`${header.join("\r\n")}\r\n\r\n${body}\r\n`) };
  });
}

/** What an account knows that was taught these mails, as its rows would say. */
function taught(mails: readonly Written[]): (traits: Traits) => Acquaintance {
  const total: Counts = { ham: 0, spam: 0 };
  const counts = new Map<number, Counts>();
  for (const { isSpam, traits } of mails) {
    const kind = isSpam ? "spam" : "ham";
    total[kind]++;
    for (const token of traits.tokens) {
      const known = counts.get(token) ?? { ham: 0, spam: 0 };
      known[kind]++;
      counts.set(token, known);
    }
  }
  return ({ tokens }) => {
    const known = tokens.flatMap((token) => (counts.has(token) ? [{ token, ...counts.get(token)! }] : []));
    return { ...stranger, tokens: known, mails: total };
  };
}

test("of 100 mails written by hand, half of them taught: the scores of the others tell spam from wanted mail", () => {
  const mails = hundredMails();
  expect(mails).toHaveLength(100);
  expect(mails.filter(({ isSpam }) => isSpam)).toHaveLength(50);
  const knows = taught(mails.filter((_, index) => index % 2 === 0));
  const judged = mails.filter((_, index) => index % 2 === 1);
  const scoresOf = (isSpam: boolean) =>
    judged.filter((mail) => mail.isSpam === isSpam).map(({ traits }) => judge(traits, knows(traits)).score);
  const [wanted, spam] = [scoresOf(false), scoresOf(true)];
  expect(wanted.filter((score) => score >= junkScore)).toEqual([]);
  expect(wanted.filter((score) => score > 3).length).toBeLessThanOrEqual(1);
  // They are short, and authenticated: so few words alone do not suffice for Junk.
  expect(spam.filter((score) => score > 3).length).toBeGreaterThanOrEqual(24);
});

test("before anything is taught, no wanted one of them goes to Junk either", () => {
  const wanted = hundredMails().filter(({ isSpam }) => !isSpam);
  expect(wanted.filter(({ traits }) => judge(traits, stranger).score >= junkScore)).toEqual([]);
});

const plain =
  "From: Eve <eve@far.test>\r\nTo: you@here.test\r\nSubject: Lunch\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@far.test>\r\n";
const rulesOf = ({ reasons }: Scan) => reasons.map(({ rule }) => rule);
const rules = (header: string, body = "Hello.") => rulesOf(judge(traitsOf(`${header}\r\n${body}`), stranger));
const ours = (results: string) =>
  `Authentication-Results: mx.here.test; ${results}\r\nReceived: from far.test\r\n${plain}`;
const html = (body: string) => [`${plain}Content-Type: text/html\r\n`, body] as const;

test.each<[string, string, string?]>([
  ["dmarc-fails", ours("dmarc=fail header.from=far.test")],
  ["spf-fails", ours("spf=fail smtp.mailfrom=far.test")],
  ["spf-softfails", ours("spf=softfail smtp.mailfrom=far.test")],
  ["dkim-fails", ours("spf=pass smtp.mailfrom=far.test; dkim=fail header.d=far.test")],
  ["unproved", ours("spf=none smtp.mailfrom=far.test")],
  ["no-author", plain.replace(/^From: [^\n]*\n/, "")],
  ["no-date", plain.replace(/Date: [^\n]*\n/, "")],
  ["no-message-id", plain.replace(/Message-ID: [^\n]*\n/, "")],
  ["several-froms", `From: bank@bank.test\r\n${plain}`],
  ["no-recipient", plain.replace(/To: [^\n]*\n/, "")],
  ["name-is-another-address", plain.replace("Eve", '"service@bank.test"')],
  ["answers-elsewhere", `${plain}Reply-To: other@elsewhere.test\r\n`],
  ["feigned-answer", plain.replace("Lunch", "Re: Lunch")],
  ["subject-shouts", plain.replace("Lunch", "OPEN THIS AT ONCE")],
  ["subject-cries", plain.replace("Lunch", "Lunch!!!")],
  ["html-alone", ...html("<p>Hello.</p>")],
  ["picture-alone", ...html('<img src="cid:1">')],
  ["asks-by-form", ...html("<form><input></form>")],
  ["link-to-number", plain, "http://192.0.2.7/x"],
  ["link-hides-host", plain, "http://bank.test@evil.test/x"],
  ["link-names-another-host", ...html('<a href="https://evil.test/">www.bank.test</a>')],
  ["program-attached", `${plain}Content-Type: application/octet-stream; name="invoice.exe"\r\n`],
  ["two-endings", `${plain}Content-Type: application/octet-stream; name="invoice.pdf.exe"\r\n`],
])("%s: holds for such a mail, and not for a plain one", (rule, header, body) => {
  expect(rules(header, body)).toContain(rule);
  expect(rules(plain)).not.toContain(rule);
});

test.each([
  ["of one word", "told", "Hello."],
  [
    "about money",
    "Invoice for October",
    "Please find attached the invoice for October. The amount of 1,200.00 EUR is due within 30 days. Please transfer the money to our account.",
  ],
  [
    "about an order",
    "Your order",
    "Dear customer, your order 4711 has been shipped. Click https://shop.test/track to track it. Total: $ 49.90. Thank you for your purchase!",
  ],
  [
    "about a password",
    "Reset your password",
    "You asked to reset your password. Open https://app.test/reset?token=abc within one hour. If this was not you, ignore this message.",
  ],
])(
  "before anything is taught, a mail %s is no spam for what its program left out and nobody proved",
  (_, subject, body) => {
    const head = [
      "Authentication-Results: mx.here.test; spf=none smtp.mailfrom=far.test; dmarc=none header.from=far.test",
      "Received: from client (localhost [127.0.0.1]) by mx.here.test with ESMTP id x; Tue, 01 Dec 2026 14:00:00 +0000",
      ...["From: eve@far.test", "To: you@here.test", `Subject: ${subject}`],
    ];
    const { score } = judge(traitsOf(`${head.join("\r\n")}\r\n\r\n${body}\r\n`), stranger);
    expect(score).toBeLessThan(junkScore);
  },
);

test("an Authentication-Results field that came with the message counts for nothing", () => {
  const forged = `Received: from far.test\r\nAuthentication-Results: mx.here.test; dmarc=fail\r\n${plain}`;
  expect(rules(forged)).not.toContain("dmarc-fails");
});

test("who the account has written to is known, if authentication proves the author", () => {
  const known = { ...stranger, isCorrespondent: true };
  const rulesFor = (results: string) => rulesOf(judge(traitsOf(`${ours(results)}\r\nHello.`), known));
  expect(rulesFor("dmarc=pass header.from=far.test")).toContain("known-sender");
  expect(rulesFor("spf=pass smtp.mailfrom=eve@mail.far.test")).toContain("known-sender");
  expect(rulesFor("spf=pass smtp.mailfrom=other.test")).not.toContain("known-sender");
  expect(rulesFor("spf=fail smtp.mailfrom=far.test; dmarc=none header.from=far.test")).not.toContain("known-sender");
});

test("a look-alike of a correspondent's domain and the name of a colleague are marked", () => {
  const { marks } = judge(traitsOf(`${plain}\r\nHello.`), {
    ...stranger,
    lookAlike: "fаr.test",
    namesake: "eve@here.test",
  });
  expect(marks.map(({ kind }) => kind)).toEqual(["look-alike", "namesake"]);
  for (const { text, shown, actual } of marks) for (const part of [shown, actual]) expect(text).toContain(part);
});

test("what to ask of the account", () => {
  expect(askedOf(traitsOf(plain.replace("Eve <", "Eve Adams <")), "You@Here.test")).toMatchObject({
    address: "eve@far.test",
    domain: "far.test",
    nameKey: "adams eve",
    ownDomain: "here.test",
  });
});

test.each([
  ["paypal.com", "paypa1.com"],
  ["microsoft.com", "rnicrosoft.com"],
  ["example.org", "exаmple.org"],
  ["example.org", "xn--exmple-4nf.org"],
  ["my-bank.test", "mybank.test"],
  ["google.com", "gооgle.com"],
])("%s looks like %s", (one, other) => {
  expect(shapeOf(one)).toBe(shapeOf(other));
});

test.each([
  ["example.org", "example.com"],
  ["bank.test", "blank.test"],
])("%s does not look like %s", (one, other) => {
  expect(shapeOf(one)).not.toBe(shapeOf(other));
});

test.each([
  ["https://bank.test/login", "evil.test", true],
  ["www.bank.test", "evil.test", true],
  ["www.bank.test", "login.bank.test", false],
  ["bank.co.uk", "evil.co.uk", true],
  ["Click here", "evil.test", false],
  ["see bank.test", "evil.test", false],
])("a link with the text %j to %s names another host: %s", (text, host, names) => {
  expect(namesAnotherHost({ text, host, url: `https://${host}/` })).toBe(names);
});

const statistics = (mails: Counts, all: Record<string, Counts>): Statistics => {
  const counts = new Map(Object.entries(all).map(([word, found]) => [hashed(word), found]));
  return { mails, of: (token) => counts.get(token) };
};
const nothing = statistics({ ham: 0, spam: 0 }, {});

test("how a mail was addressed and came here counts among its words", () => {
  const tokensOf = (header: string) => new Set(traitsOf(`${header}\r\nHello.`).tokens);
  const habits = ["to named", "from number", "took less than nothing"].map((habit) => hashed(`h:${habit}`));
  const received =
    "Received: from 192.0.2.7 (unknown [192.0.2.7]) by mx.here.test; Sun, 29 Nov 2026 10:00:00 +0000\r\n";
  const found = tokensOf(received + plain.replace("To: you@here.test", "To: You <you@here.test>"));
  expect(habits.filter((habit) => found.has(habit))).toEqual(habits);
  const usual = tokensOf(plain);
  expect(habits.filter((habit) => usual.has(habit))).toEqual([]);
});

test("the evidence of words: of spam above 0, of wanted mail below, of both or neither 0", () => {
  const mails = { ham: 50, spam: 50 };
  const known = statistics(mails, {
    ...Object.fromEntries(["a", "b", "c", "d", "e"].map((word) => [word, { ham: 0, spam: 30 }])),
    ...Object.fromEntries(["f", "g", "h", "i", "j"].map((word) => [word, { ham: 30, spam: 0 }])),
    k: { ham: 20, spam: 20 },
  });
  const of = (words: string) => countsEvidence([...words].map(hashed), known, nothing);
  expect(of("abcde")).toBeGreaterThan(5);
  expect(of("fghij")).toBeLessThan(-5);
  expect(of("abcdefghij")).toBeCloseTo(0, 5);
  expect(of("kz")).toBe(0);
  expect(countsEvidence([hashed("a")], nothing, nothing)).toBe(0);
});

test("the words of very many taught mails still have finite evidence", () => {
  const mails = { ham: 50_000, spam: 50_000 };
  const tokens = Array.from({ length: 400 }, (_, n) => `t${n}`);
  const known = statistics(mails, Object.fromEntries(tokens.map((token) => [token, { ham: 0, spam: 50_000 }])));
  const evidence = countsEvidence(tokens.map(hashed), known, nothing);
  expect(evidence).toBeGreaterThan(500);
  expect(Number.isFinite(evidence)).toBe(true);
});

test("a base file has the counts that it was made of, and the one in the package is there and small", () => {
  const counts = new Map(
    [hashed("a"), hashed("b"), -7].map((token, n) => [token, { ham: n, spam: 1000 * n, weight: n - 1 }]),
  );
  const read = readBase(writeBase({ ham: 4000, spam: 2000 }, counts));
  expect(read.mails).toEqual({ ham: 4000, spam: 2000 });
  for (const [token, found] of counts) expect(read.of(token)).toEqual(found);
  expect(read.of(12345)).toBeUndefined();
  expect(read.leaning([hashed("a"), -7, 12345])).toBe(0);
  expect(read.leaning([-7])).toBe(1);
  expect(baseStatistics().mails.ham).toBeGreaterThan(3000);
  expect(readFileSync(new URL("../../../assets/spam-base.bin", import.meta.url)).length).toBeLessThan(300_000);
});
