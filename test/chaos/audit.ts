import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { one } from "../../conformance/client/client.ts";
import type { SetResult } from "../../conformance/client/types.ts";
import { allEmails, type Follower } from "./follower.ts";
import type { Installation } from "./installation.ts";
import { emailKey, type Ledger } from "./ledger.ts";
import { query } from "./postgres-node.ts";
import type { User } from "./user.ts";

/** How long that may take after the last fault. */
const maxDrainMs = 150_000;
/** A change is pushed late at worst, by the comparison that runs each half minute. */
const maxPushMs = 40_000;
/** A peer gets a mail again that it had accepted, when the process dies before that is written: few at each fault. */
const maxRepeatsPerFault = 10;

export interface Audit {
  /** All that is not as it was promised. */
  problems: string[];
  /** Mails that the recipient outside got more than once. */
  repeats: number;
  /** Until the queues were empty, or all that was acknowledged had left them. */
  drainMs: number;
  /** Mails in whose peer was told to try again, although they were stored: they wait until their lease of five minutes ends. */
  unconfirmed: number;
}

interface Given {
  installation: Installation;
  ledger: Ledger;
  followers: Follower[];
  /** How many there were. */
  faults: number;
}

/** Compares what was acknowledged with what is there. */
export async function audit({ installation, ledger, followers, faults }: Given): Promise<Audit> {
  const begin = performance.now();
  const { problems, unconfirmed, emails } = await drained(installation, ledger);
  const drainMs = performance.now() - begin;
  problems.push(...mailProblems(ledger, emails), ...emailProblems(ledger, emails));
  const { repeats, missing } = sentOutside(installation, ledger);
  problems.push(...missing);
  if (repeats > faults * maxRepeatsPerFault) problems.push(`${repeats} mails left more than once`);
  problems.push(...(await queueProblems(installation, ledger)), ...(await uploadProblems(installation, ledger)));
  for (const follower of followers) problems.push(...(await follower.converge()));
  problems.push(...(await pushProblems(installation, followers)));
  const doctor = await installation.fleet.cli(["doctor"]);
  if (doctor.code !== 0) problems.push(`doctor: ${doctor.stdout}${doctor.stderr}`.trim());
  return { problems, repeats, drainMs, unconfirmed };
}

async function queued({ databaseUrl }: Installation): Promise<{ incoming: number; deliveries: number }> {
  const [row] = await query<{ incoming: number; deliveries: number }>(
    databaseUrl,
    `SELECT (SELECT count(*)::integer FROM incoming) AS incoming,
       (SELECT count(*)::integer FROM delivery WHERE state = 'queued') AS deliveries`,
  );
  return row!;
}

interface Drained {
  problems: string[];
  unconfirmed: number;
  emails: Map<string, Emails>;
}

async function drained(installation: Installation, ledger: Ledger): Promise<Drained> {
  for (const end = Date.now() + maxDrainMs; ; await sleep(1_000)) {
    const { incoming, deliveries } = await queued(installation);
    const emails = new Map<string, Emails>();
    for (const user of installation.users) emails.set(user.address, await emailsOf(user));
    const isDone = deliveries === 0 && (incoming === 0 || mailProblems(ledger, emails).length === 0);
    if (isDone) return { problems: [], unconfirmed: incoming, emails };
    if (Date.now() < end) continue;
    const problem = `${incoming} mails in and ${deliveries} mails out are still queued`;
    return { problems: [problem], unconfirmed: 0, emails };
  }
}

/** The emails of an account by subject, and by id. */
interface Emails {
  subjects: Map<string, number>;
  byId: Map<string, { keywords: object; mailboxIds: object }>;
}

async function emailsOf(user: User): Promise<Emails> {
  const all = await allEmails(user, ["subject", "keywords", "mailboxIds"]);
  const subjects = new Map<string, number>();
  for (const { subject } of all) subjects.set(String(subject), (subjects.get(String(subject)) ?? 0) + 1);
  return { subjects, byId: new Map(all.map((email) => [email.id as string, email as never])) };
}

/** What was acknowledged is there once; what was not is there once at most. */
function mailProblems(ledger: Ledger, emails: Map<string, Emails>): string[] {
  const problems: string[] = [];
  const expectOnce = (user: string, name: string, outcome: string) => {
    const times = emails.get(user)!.subjects.get(name) ?? 0;
    if (times > 1 || (times === 0 && outcome === "acknowledged")) {
      problems.push(`${name} (${outcome}) is ${times} times in the account of ${user}`);
    }
  };
  for (const [name, { to, outcome }] of ledger.mailIn) for (const user of to) expectOnce(user, name, outcome);
  for (const [name, { from, to, outcome }] of ledger.sent) {
    expectOnce(from, name, outcome);
    if (to !== undefined) expectOnce(to, name, outcome);
  }
  for (const [name, { user, outcome, destroyed }] of ledger.drafts) {
    const times = emails.get(user)!.subjects.get(name) ?? 0;
    const isGone = destroyed === "acknowledged";
    const mustBeThere = outcome === "acknowledged" && destroyed === undefined;
    if (times > (isGone ? 0 : 1) || (mustBeThere && times === 0)) {
      problems.push(
        `${name} (${outcome}, destroyed: ${destroyed ?? "no"}) is ${times} times in the account of ${user}`,
      );
    }
  }
  return problems;
}

function emailProblems(ledger: Ledger, emails: Map<string, Emails>): string[] {
  const problems: string[] = [];
  for (const [user, { byId }] of emails) {
    for (const [id, { keywords, mailboxIds }] of byId) {
      const key = emailKey(user, id);
      const flag = ledger.flags.get(key);
      // A later one may have been written without an answer.
      const found = Math.max(...Object.keys(keywords).map((keyword) => Number(/^n(\d+)$/.exec(keyword)?.[1] ?? 0)));
      if (flag !== undefined && !(found >= flag))
        problems.push(`${key} lacks the keyword n${flag}: ${Object.keys(keywords)}`);
      const place = ledger.places.get(key);
      if (place !== undefined && !(place in mailboxIds)) problems.push(`${key} is not in ${place}`);
    }
  }
  const keys = [...ledger.flags.keys(), ...ledger.places.keys()];
  const isThere = (key: string) => {
    const [user, id] = key.split(" ") as [string, string];
    return emails.get(user)!.byId.has(id);
  };
  return [...problems, ...keys.filter((key) => !isThere(key)).map((key) => `${key} is gone`)];
}

function sentOutside({ sink }: Installation, ledger: Ledger): { repeats: number; missing: string[] } {
  const times = new Map<string, number>();
  for (const { to } of sink.messages) for (const address of to) times.set(address, (times.get(address) ?? 0) + 1);
  const missing: string[] = [];
  for (const [name, { to, outcome }] of ledger.sent) {
    if (to === undefined && outcome === "acknowledged" && !times.has(`${name}@remote.test`)) {
      missing.push(`${name} (acknowledged) never left`);
    }
  }
  return { repeats: [...times.values()].filter((count) => count > 1).length, missing };
}

/** Each acknowledged submission has one recipient, whose end is known, and nothing is left that nobody looks after. */
async function queueProblems({ databaseUrl, nodes, urlOf }: Installation, ledger: Ledger): Promise<string[]> {
  const rows = await query<{ rcpt_to: string; state: string }>(databaseUrl, "SELECT rcpt_to, state FROM delivery");
  const outside = Map.groupBy(rows, ({ rcpt_to }) => rcpt_to);
  const problems: string[] = [];
  for (const [name, { to, outcome }] of ledger.sent) {
    if (to !== undefined) continue;
    const states = (outside.get(`${name}@remote.test`) ?? []).map(({ state }) => state);
    if (states.length > 1 || (outcome === "acknowledged" && states[0] !== "sent")) {
      problems.push(`the deliveries of ${name} (${outcome}) are: ${states.join(", ") || "none"}`);
    }
  }
  const here = rows.filter(({ rcpt_to, state }) => rcpt_to.endsWith("@home.test") && state !== "sent");
  if (here.length > 0) problems.push(`${here.length} deliveries to users are ${here[0]!.state}`);
  for (const node of nodes) {
    const [left] = await query<{ count: number }>(urlOf(node), "SELECT count(*)::integer FROM pg_prepared_xacts");
    if (left!.count > 0) problems.push(`${left!.count} prepared transactions are left on ${node.name}`);
  }
  return problems;
}

async function uploadProblems({ users }: Installation, ledger: Ledger): Promise<string[]> {
  const problems: string[] = [];
  const clients = new Map(users.map(({ address, client }) => [address, client]));
  for (const { user, blobId, sha256 } of ledger.uploads) {
    const body = await clients
      .get(user)!
      .download(blobId)
      .then(
        (answer) => answer.body,
        (error: Error) => error,
      );
    if (body instanceof Error) problems.push(`the upload ${blobId} of ${user}: ${body.message}`);
    else if (createHash("sha256").update(body).digest("hex") !== sha256) problems.push(`the upload ${blobId} differs`);
  }
  return problems;
}

async function pushProblems({ users }: Installation, followers: Follower[]): Promise<string[]> {
  const change =
    ({ client, flagged }: User) =>
    () =>
      one<SetResult>(client, "Email/set", { update: { [flagged[0]!]: { "keywords/$flagged": true } } });
  const late = await Promise.all(
    users.map(async (user, at) => ((await followers[at]!.isPushed(change(user), maxPushMs)) ? [] : [user.address])),
  );
  return late.flat().map((address) => `a change in the account of ${address} was not pushed in ${maxPushMs / 1_000} s`);
}
