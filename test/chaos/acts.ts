import { createHash, randomBytes } from "node:crypto";
import { MethodFailure, one, ref, responseArgs } from "../../conformance/client/client.ts";
import type { SetError, SetResult } from "../../conformance/client/types.ts";
import { emailKey, type Outcome } from "./ledger.ts";
import type { Operation } from "./samples.ts";
import type { User } from "./user.ts";
import type { World } from "./world.ts";

type Act = (user: User, world: World) => Promise<void>;

/** What users do, and how often of a hundred times. */
const acts: [Operation, number, Act][] = [
  ["read", 38, read],
  ["flag", 20, flag],
  ["move", 14, move],
  ["draft", 10, draft],
  ["upload", 6, upload],
  ["send out", 6, (user, world) => send(user, undefined, world)],
  ["send here", 6, (user, world) => send(user, other(user, world), world)],
];

/** One user does something. */
export async function act(world: World): Promise<void> {
  const { installation, samples, random } = world;
  const user = installation.users[Math.floor(random() * installation.users.length)]!;
  let left = random() * acts.reduce((sum, [, weight]) => sum + weight, 0);
  const [operation, , work] = acts.find(([, weight]) => {
    left -= weight;
    return left < 0;
  })!;
  await samples.time(operation, [user.address], () => work(user, world));
}

/** A screen of the inbox. */
async function read({ client, inbox }: User): Promise<void> {
  const { accountId } = client;
  const sort = [{ property: "receivedAt", isAscending: false }];
  const answers = await client.call([
    ["Email/query", { accountId, filter: { inMailbox: inbox }, sort, limit: 30 }, "q"],
    ["Email/get", { accountId, "#ids": ref("q", "Email/query", "/ids"), properties: ["subject", "keywords"] }, "g"],
  ]);
  responseArgs(answers[0]!, "Email/query");
  responseArgs(answers[1]!, "Email/get");
}

/** Chooses an email that nobody else changes just now: each has one writer at a time. */
async function alone(
  user: User,
  ids: string[],
  { random, busy }: World,
  work: (id: string, key: string) => Promise<void>,
) {
  const free = ids.filter((id) => !busy.has(emailKey(user.address, id)));
  const id = free[Math.floor(random() * free.length)];
  if (id === undefined) return;
  const key = emailKey(user.address, id);
  busy.add(key);
  try {
    await work(id, key);
  } finally {
    busy.delete(key);
  }
}

async function flag(user: User, world: World): Promise<void> {
  await alone(user, user.flagged, world, async (id, key) => {
    const number = ++world.lastFlag;
    await set(user, { update: { [id]: { keywords: { [`n${number}`]: true } } } });
    world.ledger.flags.set(key, number);
  });
}

async function move(user: User, world: World): Promise<void> {
  const { places } = world.ledger;
  await alone(user, user.moved, world, async (id, key) => {
    const to = places.get(key) === user.archive ? user.inbox : user.archive;
    places.set(key, undefined);
    await set(user, { update: { [id]: { mailboxIds: { [to]: true } } } });
    places.set(key, to);
  });
}

async function draft(user: User, { ledger, random, name, drafts }: World): Promise<void> {
  const subject = name("draft");
  const before = drafts.get(user.address);
  const replaced = random() < 0.7 ? before : undefined;
  drafts.delete(user.address);
  const entry: { user: string; outcome: Outcome; destroyed: Outcome | undefined } = {
    user: user.address,
    outcome: "unknown",
    destroyed: undefined,
  };
  ledger.drafts.set(subject, entry);
  const old = replaced && ledger.drafts.get(replaced.subject)!;
  if (old) old.destroyed = "unknown";
  const { created } = await set(user, {
    create: { d: { ...text(user, subject), mailboxIds: { [user.drafts]: true }, keywords: { $draft: true } } },
    ...(replaced && { destroy: [replaced.id] }),
  });
  entry.outcome = "acknowledged";
  if (old) old.destroyed = "acknowledged";
  drafts.set(user.address, { id: created!.d!.id, subject });
}

async function upload({ address, client }: User, { ledger, random }: World): Promise<void> {
  const bytes = randomBytes(random() < 0.05 ? 300_000 : 20_000);
  const { blobId } = await client.upload(bytes);
  ledger.uploads.push({ user: address, blobId, sha256: createHash("sha256").update(bytes).digest("hex") });
}

const other = (user: User, { installation, random }: World): User => {
  const others = installation.users.filter((one) => one !== user);
  return others[Math.floor(random() * others.length)]!;
};

/** Writes and sends a mail in one request, as clients do. `to` is undefined for a recipient outside. */
async function send(user: User, to: User | undefined, { ledger, name }: World): Promise<void> {
  const { client, drafts: place, sent, identity } = user;
  const { accountId } = client;
  const subject = name("sent");
  const email = to?.address ?? `${subject}@remote.test`;
  const entry: { from: string; to: string | undefined; outcome: Outcome } = {
    from: user.address,
    to: to?.address,
    outcome: "unknown",
  };
  ledger.sent.set(subject, entry);
  const create = { e: { ...text(user, subject), to: [{ email }], mailboxIds: { [place]: true } } };
  const submission = {
    create: { s: { emailId: "#e", identityId: identity } },
    onSuccessUpdateEmail: { "#s": { mailboxIds: { [sent]: true } } },
  };
  const answers = await client.call([
    ["Email/set", { accountId, create }, "0"],
    ["EmailSubmission/set", { accountId, ...submission }, "1"],
  ]);
  complete(responseArgs<SetResult>(answers[0]!, "Email/set"));
  complete(responseArgs<SetResult>(answers[1]!, "EmailSubmission/set"));
  entry.outcome = "acknowledged";
}

const text = ({ address }: User, subject: string) => ({
  from: [{ email: address }],
  subject,
  textBody: [{ partId: "1" }],
  bodyValues: { 1: { value: `Hello.\n${subject}\n` } },
});

async function set({ client }: User, args: Record<string, unknown>): Promise<SetResult<{ id: string }>> {
  const result = await one<SetResult<{ id: string }>>(client, "Email/set", args);
  complete(result);
  return result;
}

function complete({ notCreated, notUpdated, notDestroyed }: SetResult): void {
  const [refused] = [notCreated, notUpdated, notDestroyed].flatMap((all) => Object.values(all ?? {}) as SetError[]);
  if (refused) throw new MethodFailure("set", { ...refused, type: `not set: ${refused.type}` });
}
