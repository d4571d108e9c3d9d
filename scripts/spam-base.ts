import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Base, type BaseRow, readBase, writeBase } from "../src/mail/scan/base.ts";
import type { Counts, Statistics } from "../src/mail/scan/bayes.ts";
import { scoreOf, wordsEvidence, wordsFinding } from "../src/mail/scan/score.ts";
import { readTraits, type Traits } from "../src/mail/scan/traits.ts";
import { asDate, parseHeader } from "../src/mime/headers.ts";
import { summarise } from "../src/mime/summary.ts";
import { maxTokens } from "../src/store/mail/spam-tokens.ts";

/**
 * Makes the shared base of the spam scorer of a collection of mails, or measures the scorer with one:
 *   node scripts/spam-base.ts make FILE --ham FOLDER... --spam FOLDER...
 *   node scripts/spam-base.ts measure --ham FOLDER... --spam FOLDER... [--base FILE] [--tune]
 * Each folder has a file a mail. Only numbers of mails, hashes of words and their weights are written.
 *
 * Measured is what arrived last, 3,000 mails that are wanted and 1,000 that are not. The account is taught the newest before
 * those; the base is made of the others before, or is FILE, of another collection. With --tune the part before the measured is
 * judged instead, by what its rest says, and the evidence of its mails is listed: points are chosen by that, never by what is measured.
 */

/** A token of fewer mails says little about the mails to come. */
const minMails = 3;
const tested = { ham: 3_000, spam: 1_000 };
const taughtNumbers = [0, 50, 200, 1_000];
const junkScore = 5;

interface Mail {
  isSpam: boolean;
  arrivedAt: number;
  traits: Traits;
}

class Learned implements Statistics {
  readonly mails: Counts = { ham: 0, spam: 0 };
  readonly counts = new Map<number, Counts>();

  constructor(mails: readonly Mail[], least = 1) {
    for (const mail of mails) this.add(mail);
    for (const [token, { ham, spam }] of this.counts) if (ham + spam < least) this.counts.delete(token);
  }

  of(token: number): Counts | undefined {
    return this.counts.get(token);
  }

  add({ isSpam, traits }: Mail): void {
    const kind = isSpam ? "spam" : "ham";
    this.mails[kind]++;
    for (const token of traits.tokens) {
      const counts = this.counts.get(token) ?? { ham: 0, spam: 0 };
      counts[kind]++;
      // At the end, as what was seen last.
      this.counts.delete(token);
      this.counts.set(token, counts);
    }
  }

  /** Forgets as an account's rows do (src/store/mail/spam-tokens.ts). */
  age(): this {
    const excess = this.counts.size - maxTokens;
    if (excess <= 0) return this;
    const isRare = ({ ham, spam }: Counts) => ham + spam <= 1;
    const rows = [...this.counts];
    const first = [...rows.filter(([, one]) => isRare(one)), ...rows.filter(([, one]) => !isRare(one))];
    for (const [token] of first.slice(0, excess + 1_000)) this.counts.delete(token);
    return this;
  }
}

const passes = 8;
const untouched = { ham: 0, spam: 0 };

/** Counts, and a logistic regression by stochastic gradients: the same mails make the same base. */
function trained(mails: readonly Mail[], least: number): { mails: Counts; rows: Map<number, BaseRow> } {
  const { mails: numbers, counts } = new Learned(mails, least);
  const rows = new Map([...counts].map(([token, one]) => [token, { ...one, weight: 0 }]));
  const known = mails.map(({ isSpam, traits }) => ({
    isSpam,
    rows: traits.tokens.flatMap((token) => rows.get(token) ?? []),
  }));
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
  for (let pass = 0; pass < passes; pass++) {
    const order = known.map((mail) => ({ mail, at: random() })).sort((a, b) => a.at - b.at);
    for (const { mail } of order) learn(mail, 1 / (1 + 0.3 * pass));
  }
  return { mails: numbers, rows };
}

function learn({ isSpam, rows }: { isSpam: boolean; rows: BaseRow[] }, rate: number): void {
  if (rows.length === 0) return;
  const norm = 1 / Math.sqrt(rows.length);
  const odds = rows.reduce((sum, { weight }) => sum + weight, 0) * norm;
  const step = ((isSpam ? 1 : 0) - 1 / (1 + Math.exp(-odds))) * rate * norm;
  for (const row of rows) row.weight += step;
}

function baseOf(mails: readonly Mail[]): Base {
  const { mails: numbers, rows } = trained(mails, minMails);
  return readBase(writeBase(mails.length === 0 ? untouched : numbers, rows));
}

function readMails(folders: readonly string[], isSpam: boolean): Mail[] {
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const mails = files.filter((file) => !file.endsWith(".json")).map((file) => readMail(readFileSync(file), isSpam));
  return mails.sort((a, b) => a.arrivedAt - b.arrivedAt);
}

function readMail(file: Buffer, isSpam: boolean): Mail {
  // The line that a mail has in an mbox file.
  const message = file.toString("latin1", 0, 5) === "From " ? file.subarray(file.indexOf("\n") + 1) : file;
  const summary = summarise(message);
  const header = message.subarray(0, summary.structure.header.end);
  const received = parseHeader(header, (name) => name.toLowerCase() === "received")[0]?.value ?? "";
  const date = asDate(received.slice(received.lastIndexOf(";") + 1)) ?? summary.sentAt;
  return { isSpam, arrivedAt: date === null ? 0 : Date.parse(date), traits: readTraits(message, summary) };
}

interface Parts {
  before: { ham: Mail[]; spam: Mail[] };
  test: Mail[];
}

/** By time. To tune, of what came before the measured part the last half. */
function split(ham: Mail[], spam: Mail[], isTuning: boolean): Parts {
  const parts = { before: { ham: ham.slice(0, -tested.ham), spam: spam.slice(0, -tested.spam) } };
  if (!isTuning) return { ...parts, test: [...ham.slice(-tested.ham), ...spam.slice(-tested.spam)] };
  const [oldHam, oldSpam] = [parts.before.ham, parts.before.spam];
  const cut = (mails: Mail[]) => Math.ceil(mails.length / 2);
  return {
    before: { ham: oldHam.slice(0, cut(oldHam)), spam: oldSpam.slice(0, cut(oldSpam)) },
    test: [...oldHam.slice(cut(oldHam)), ...oldSpam.slice(cut(oldSpam))],
  };
}

function measure({ before, test }: Parts, given: Base | undefined, isTuning: boolean): void {
  test.sort((a, b) => a.arrivedAt - b.arrivedAt);
  for (const number of taughtNumbers) {
    const each = number / 2;
    if (before.ham.length < each || before.spam.length < each) continue;
    const rest = (mails: Mail[]) => mails.slice(0, mails.length - each);
    const base = given ?? baseOf([...rest(before.ham), ...rest(before.spam)]);
    const last = (mails: Mail[]) => (each === 0 ? [] : mails.slice(-each));
    const lessons = [...last(before.ham), ...last(before.spam)].sort((a, b) => a.arrivedAt - b.arrivedAt);
    const taught = () => new Learned(lessons).age();
    const account = taught();
    report(`${number} taught mails`, test, (mail) => isJunk(mail, account, base));
    if (isTuning) list(test, (mail) => wordsEvidence(mail.traits.tokens, account, base));
    const corrected = taught();
    report(`${number} taught mails, and each mistake is corrected`, test, (mail) => {
      const said = isJunk(mail, corrected, base);
      if (said !== mail.isSpam) {
        corrected.add(mail);
        corrected.age();
      }
      return said;
    });
  }
}

function isJunk({ traits }: Mail, own: Statistics, base: Base): boolean {
  return scoreOf([...traits.findings, wordsFinding(traits.tokens, own, base)]).score >= junkScore;
}

const percent = (part: number, all: number) => `${((100 * part) / all).toFixed(2)}%`;

function report(name: string, test: readonly Mail[], judge: (mail: Mail) => boolean): void {
  const begun = process.cpuUsage();
  const said = test.map((mail) => ({ isSpam: mail.isSpam, isJunk: judge(mail) }));
  const each = process.cpuUsage(begun).user / 1000 / test.length;
  const share = (isSpam: boolean) => {
    const all = said.filter((one) => one.isSpam === isSpam);
    const junk = all.filter((one) => one.isJunk).length;
    return `${junk} of ${all.length} (${percent(junk, all.length)})`;
  };
  process.stdout.write(
    `${name}: spam to Junk ${share(true)}, wanted mail to Junk ${share(false)}, ${each.toFixed(2)} ms each\n`,
  );
}

/** From which evidence on how much of each kind is. */
function list(test: readonly Mail[], evidenceOf: (mail: Mail) => number): void {
  const all = test.map((mail) => ({ isSpam: mail.isSpam, evidence: evidenceOf(mail) }));
  const [ham, spam] = [false, true].map((isSpam) => all.filter((one) => one.isSpam === isSpam));
  const share = (mails: typeof all, from: number) =>
    percent(mails.filter(({ evidence }) => evidence >= from).length, mails.length);
  for (const from of [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20]) {
    process.stdout.write(`  evidence from ${from}: spam ${share(spam!, from)}, wanted mail ${share(ham!, from)}\n`);
  }
}

const [task, ...rest] = process.argv.slice(2);
const folders = {
  "--ham": [] as string[],
  "--spam": [] as string[],
  "--base": [] as string[],
  "--tune": [] as string[],
};
type Option = keyof typeof folders;
let option: Option | undefined;
for (const word of task === "make" ? rest.slice(1) : rest) {
  if (word in folders) option = word as Option;
  else if (option) folders[option].push(word);
}
const started = process.cpuUsage();
const ham = readMails(folders["--ham"], false);
const spam = readMails(folders["--spam"], true);
const { user } = process.cpuUsage(started);
const each = user / 1000 / (ham.length + spam.length);
process.stdout.write(`${ham.length} wanted mails and ${spam.length} spam, ${each.toFixed(2)} ms each to read\n`);
if (task === "measure") {
  const [file] = folders["--base"];
  const isTuning = rest.includes("--tune");
  measure(split(ham, spam, isTuning), file === undefined ? undefined : readBase(readFileSync(file)), isTuning);
} else {
  const { mails, rows } = trained([...ham, ...spam], minMails + 2);
  writeFileSync(rest[0]!, writeBase(mails, rows));
}
