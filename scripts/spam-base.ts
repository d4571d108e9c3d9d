import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeBase } from "../src/mail/scan/base.ts";
import type { Counts, Statistics } from "../src/mail/scan/bayes.ts";
import { scoreOf, wordsFinding } from "../src/mail/scan/score.ts";
import { readTraits, type Traits } from "../src/mail/scan/traits.ts";
import { asDate, parseHeader } from "../src/mime/headers.ts";
import { summarise } from "../src/mime/summary.ts";

/**
 * Makes the shared base of the spam scorer of a collection of mails, or measures the scorer with one:
 *   node scripts/spam-base.ts make FILE --ham FOLDER... --spam FOLDER...
 *   node scripts/spam-base.ts measure --ham FOLDER... --spam FOLDER...
 * Each folder has a file a mail. Only numbers of mails and hashes of words are written.
 *
 * Measured is what arrived last, 3,000 mails that are wanted and 1,000 that are not; the base is made of what came before,
 * but for the newest 100 of each kind there, which the account is taught.
 */

/** A token of fewer mails says little about the mails to come. */
const minMails = 3;
const tested = { ham: 3_000, spam: 1_000 };
const taughtOfEach = 100;
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
      this.counts.set(token, counts);
    }
  }
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

function measure(ham: Mail[], spam: Mail[]): void {
  const [oldHam, oldSpam] = [ham.slice(0, -tested.ham), spam.slice(0, -tested.spam)];
  const base = new Learned([...oldHam.slice(0, -taughtOfEach), ...oldSpam.slice(0, -taughtOfEach)], minMails);
  const nothing = new Learned([]);
  const account = new Learned([...oldHam.slice(-taughtOfEach), ...oldSpam.slice(-taughtOfEach)]);
  const test = [...ham.slice(-tested.ham), ...spam.slice(-tested.spam)].sort((a, b) => a.arrivedAt - b.arrivedAt);
  report("rules alone", test, (mail) => isJunk(mail, nothing, nothing));
  report("with the base", test, (mail) => isJunk(mail, nothing, base));
  report(`after ${2 * taughtOfEach} taught mails`, test, (mail) => isJunk(mail, account, base));
  const corrected = new Learned([...oldHam.slice(-taughtOfEach), ...oldSpam.slice(-taughtOfEach)]);
  report("and each mistake is corrected", test, (mail) => {
    const said = isJunk(mail, corrected, base);
    if (said !== mail.isSpam) corrected.add(mail);
    return said;
  });
}

function isJunk({ traits }: Mail, own: Statistics, base: Statistics): boolean {
  return scoreOf([...traits.findings, wordsFinding(traits.tokens, own, base)]).score >= junkScore;
}

function report(name: string, test: readonly Mail[], judge: (mail: Mail) => boolean): void {
  const said = test.map((mail) => ({ isSpam: mail.isSpam, isJunk: judge(mail) }));
  const share = (isSpam: boolean) => {
    const all = said.filter((one) => one.isSpam === isSpam);
    const junk = all.filter((one) => one.isJunk).length;
    return `${junk} of ${all.length} (${((100 * junk) / all.length).toFixed(2)}%)`;
  };
  process.stdout.write(`${name}: spam to Junk ${share(true)}, wanted mail to Junk ${share(false)}\n`);
}

const [task, ...rest] = process.argv.slice(2);
const [hamAt, spamAt] = [rest.indexOf("--ham"), rest.indexOf("--spam")];
const started = process.cpuUsage();
const ham = readMails(rest.slice(hamAt + 1, spamAt), false);
const spam = readMails(rest.slice(spamAt + 1), true);
const { user } = process.cpuUsage(started);
const each = user / 1000 / (ham.length + spam.length);
process.stdout.write(`${ham.length} wanted mails and ${spam.length} spam, ${each.toFixed(2)} ms each to read\n`);
if (task === "measure") measure(ham, spam);
else {
  const { mails, counts } = new Learned([...ham, ...spam], minMails + 2);
  writeFileSync(rest[0]!, writeBase(mails, counts));
}
