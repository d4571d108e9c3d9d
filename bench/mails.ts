import { generator } from "./random.ts";

/** The mails of the benchmark: the same in every run, so that every answer can be checked. */
export const rareWord = "zanzibar";
export const commonWord = "quarterly";

const first = Date.UTC(2025, 0, 1);
const stepMs = 4 * 60_000;
const mailsPerThread = 5;
/** Threads overlap within blocks, as conversations do, instead of following one another. */
const threadsPerBlock = 10;
const block = mailsPerThread * threadsPerBlock;

export type Traits = { rare: boolean; common: boolean; unread: boolean; thread: number; place: number };

function mix(value: number): number {
  let x = Math.imul(value + 0x9e3779b9, 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/** The traits of mail `i` of any mailbox: the rare word is in one of 1,000, the common one in about 30%; about 25% are unread. */
export function traits(i: number): Traits {
  return {
    // With 29, some mails have both words in a small mailbox too.
    rare: i % 1000 === 29,
    common: mix(i) % 10 < 3,
    unread: mix(i + 7_000_000) % 4 === 0,
    thread: Math.floor(i / block) * threadsPerBlock + (i % threadsPerBlock),
    place: Math.floor((i % block) / threadsPerBlock),
  };
}

export function receivedAt(i: number): string {
  return new Date(first + i * stepMs).toISOString().replace(".000Z", "Z");
}

export type Expected = {
  threads: number;
  unread: number;
  rare: number;
  common: number;
  both: number;
  /** Emails in the 30 newest threads. */
  opened: number;
};

export function expected(count: number): Expected {
  const sums = { unread: 0, rare: 0, common: 0, both: 0 };
  const threads = new Set<number>();
  for (let i = 0; i < count; i++) {
    const { rare, common, unread, thread } = traits(i);
    threads.add(thread);
    if (unread) sums.unread++;
    if (rare) sums.rare++;
    if (common) sums.common++;
    if (rare && common) sums.both++;
  }
  const newest = new Set<number>();
  for (let i = count - 1; i >= 0 && newest.size < 30; i--) newest.add(traits(i).thread);
  let opened = 0;
  for (let i = Math.max(0, count - 40 * block); i < count; i++) if (newest.has(traits(i).thread)) opened++;
  return { ...sums, threads: threads.size, opened };
}

// Syllables end in a vowel, so the two search words never arise by chance.
const syllables = [..."bdfgklmnprstvz"].flatMap((c) => [..."aeiou"].map((v) => c + v));
const vocabulary = Array.from({ length: 20_000 }, (_, i) => {
  let word = "";
  for (let rest = i + 70; rest > 0; rest = Math.floor(rest / syllables.length))
    word += syllables[rest % syllables.length];
  return word;
});
/** Few words are frequent and most are rare, as in a language (Zipf). */
const weights = vocabulary.map((_, i) => 1 / (i + 10));
const cumulative = Float64Array.from(weights);
for (let i = 1; i < cumulative.length; i++) cumulative[i] = (cumulative[i] ?? 0) + (cumulative[i - 1] ?? 0);

function word(random: () => number): string {
  const wanted = random() * (cumulative[cumulative.length - 1] ?? 0);
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return vocabulary[low] ?? "";
}

function paragraphs(random: () => number, words: number, special: string[]): string[] {
  const all = Array.from({ length: words }, () => word(random));
  for (const one of special) all[Math.floor(random() * words)] = one;
  const lines: string[] = [];
  for (let at = 0; at < all.length; at += 10) lines.push(all.slice(at, at + 10).join(" "));
  return lines;
}

function bodyOf(random: () => number, lines: string[]): string[] {
  const text = ["Content-Type: text/plain; charset=utf-8", "", ...lines];
  const kind = random();
  if (kind < 0.5) return text;
  const html = lines.map((line) => `<p style="margin:0 0 8px">${line}</p>`);
  const parts = [text, ["Content-Type: text/html; charset=utf-8", "", "<html><body>", ...html, "</body></html>"]];
  const type = kind < 0.95 ? "alternative" : "mixed";
  if (type === "mixed") {
    const file = Array.from({ length: 120 }, () => Buffer.from(`${random()}`.padEnd(57, "x")).toString("base64"));
    const disposition = 'Content-Disposition: attachment; filename="figures.bin"';
    parts[1] = [
      "Content-Type: application/octet-stream",
      disposition,
      "Content-Transfer-Encoding: base64",
      "",
      ...file,
    ];
  }
  return [
    `Content-Type: multipart/${type}; boundary="=_b"`,
    "",
    ...parts.flatMap((part) => ["--=_b", ...part]),
    "--=_b--",
  ];
}

/** Mail `i` of the mailbox `owner`, about 3.5 KB. */
export function mailAt(owner: string, i: number): Buffer {
  const { rare, common, thread, place } = traits(i);
  const special = [...(rare ? [rareWord] : []), ...(common ? [commonWord] : [])];
  const random = generator(mix(i) ^ mix([...owner].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7) | 0));
  const id = (n: number): string => `<t${thread}.${n}@${owner}.bench.example>`;
  const subject = `${vocabulary[thread % vocabulary.length]} ${vocabulary[(thread * 7 + 13) % vocabulary.length]} ${thread}`;
  const earlier = Array.from({ length: place }, (_, n) => id(n));
  const lines = paragraphs(random, 80 + Math.floor(random() * 240), special);
  return compose(
    {
      from: `Person ${i % 97} <person${i % 97}@bench.example>`,
      to: `${owner}@bench.test`,
      subject: place === 0 ? subject : `Re: ${subject}`,
      date: new Date(first + i * stepMs),
      id: id(place),
      references: earlier,
    },
    bodyOf(random, lines),
  );
}

/** A mail that no fill has: for imports and deliveries during a measurement. */
export function freshMail(owner: string, serial: string): Buffer {
  const random = generator([...serial].reduce((sum, c) => Math.imul(sum, 31) + c.charCodeAt(0), 11));
  const lines = paragraphs(random, 80 + Math.floor(random() * 240), []);
  return compose(
    {
      from: "Fresh Sender <sender@bench.example>",
      to: `${owner}@bench.test`,
      subject: `${word(random)} ${word(random)} ${serial}`,
      date: new Date(),
      id: `<fresh.${serial}@bench.example>`,
      references: [],
    },
    bodyOf(random, lines),
  );
}

/** A letter of so many octets, about, which no fill has. */
export function sizedMail(owner: string, serial: string, octets: number): Buffer {
  const random = generator([...serial].reduce((sum, c) => Math.imul(sum, 31) + c.charCodeAt(0), 13));
  const lines = paragraphs(random, octets / 8, [])
    .join("\r\n")
    .slice(0, octets)
    .split("\r\n");
  return compose(
    {
      from: "Long Writer <writer@bench.example>",
      to: `${owner}@bench.test`,
      subject: `${word(random)} ${serial}`,
      date: new Date(),
      id: `<sized.${serial}@bench.example>`,
      references: [],
    },
    ["Content-Type: text/plain; charset=utf-8", "", ...lines],
  );
}

type Head = { from: string; to: string; subject: string; date: Date; id: string; references: string[] };

function compose(head: Head, body: string[]): Buffer {
  const previous = head.references.at(-1);
  const lines = [
    "Received: from relay.bench.example by mx.bench.test with ESMTPS; " +
      head.date.toUTCString().replace("GMT", "+0000"),
    `From: ${head.from}`,
    `To: ${head.to}`,
    `Subject: ${head.subject}`,
    `Date: ${head.date.toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: ${head.id}`,
    ...(previous ? [`In-Reply-To: ${previous}`, `References: ${head.references.join("\r\n ")}`] : []),
    "MIME-Version: 1.0",
    ...body,
    "",
  ];
  return Buffer.from(lines.join("\r\n"));
}
