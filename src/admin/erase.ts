import type { Log } from "../base/log.ts";
import type { ObjectStore, StoredBlob } from "../store/blobs/objects/object-store.ts";
import type { Removed } from "../store/core/db.ts";
import { isHeld } from "../store/directory/keeping.ts";
import { findLogin } from "../store/directory/logins.ts";
import { bodiesOf, type Erased, eraseAddresses, eraseFromQueues, removeBodies } from "../store/upkeep/erasure.ts";
import { findRemains, type Remains } from "../store/upkeep/remains.ts";
import { previewRemoval, removeAccount } from "../store/upkeep/removal.ts";
import { findRemovedAccount, forgetRemoval, setAccountAside } from "../store/upkeep/removed-accounts.ts";
import { type Admin, announceRevoked, record, recordForAll } from "./admin.ts";
import { addressOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** Where bodies are beside the object store, such as Redis. */
interface SharedCache {
  /** False if it did not answer: there, bodies end by themselves, 16 days after their day. */
  forget(hashes: readonly Buffer[]): Promise<boolean>;
  /** The names of entries that contain one of the texts. */
  find(texts: readonly Buffer[]): Promise<string[]>;
}

interface EraseMeans {
  objects: ObjectStore;
  cache: SharedCache | undefined;
  log: Log;
  tell?: (progress: string) => void;
}

interface Target extends Erased {
  login: string;
}

interface Erasure {
  login: string;
  userId: number;
  addresses: string[];
  /** How many bodies nobody else holds; `waiting` of them go with the sweeps, by `until`. */
  bodies: number;
  waiting: number;
  until: Date | null;
  /** Whether the shared cache has forgotten them; null without one. */
  isCacheClean: boolean | null;
}

/** What is left of an account that was erased, and why; `why` is null where nothing explains it. */
export interface Left {
  where: string;
  count: number;
  why: string | null;
}

/** The account of this main address, or one that was removed lately. */
async function targetOf({ store }: Pick<Admin, "store">, text: string): Promise<Target> {
  const { database } = store;
  const login = addressOf(text);
  const found = await findLogin(database, login);
  const removed = await findRemovedAccount(database, login);
  if (!found && !removed) throw new Refused({ type: "noAccount", login });
  const userId = found?.userId ?? removed!.accountId;
  const noted = removed?.accountId === userId ? addressesOf(removed.what) : [];
  const living = await previewRemoval(database, userId);
  return { login, userId, addresses: [...new Set([login, ...noted, ...living.addresses, ...living.logins])].sort() };
}

const addressesOf = ({ addresses, logins }: Removed) => [
  ...addresses.map(({ address }) => address),
  ...logins.map(({ login }) => login),
];

/** What `eraseAccount` would erase. */
export async function previewErasure(admin: Admin, text: string) {
  const { login, userId, addresses } = await targetOf(admin, text);
  if (await isHeld(admin.store.database, userId)) throw new Refused({ type: "heldByLaw", login });
  const { emails, submissions } = await previewRemoval(admin.store.database, userId);
  const bodies = await bodiesOf(admin.store.database, userId);
  return { login, userId, addresses: [...addresses], emails, submissions, bodies: bodies.length };
}

/**
 * Erases an account, or what is left of one that was removed: its rows, bodies, search terms and cached bodies, what waits for it,
 * and its addresses in the mail log and in lists of addresses that get no mail. An interrupted run is run again. With `prove`,
 * looks for what is left afterwards.
 */
export async function eraseAccount(
  admin: Admin,
  means: EraseMeans,
  { text, prove = false }: { text: string; prove?: boolean },
): Promise<Erasure & { left: Left[] | null }> {
  const { store } = admin;
  const { database, clock } = store;
  const tell = means.tell ?? (() => {});
  const target = await targetOf(admin, text);
  const { login, userId, addresses } = target;
  if (await isHeld(database, userId)) throw new Refused({ type: "heldByLaw", login });
  if (await findLogin(database, login)) {
    await setAccountAside(store, { userId, login }, (tx) => record(tx, admin, { act: "account.set-aside" }));
    announceRevoked(admin, [login]);
  }
  tell("taking it out of the queues");
  const waited = await eraseFromQueues(database, target, clock.now());
  await eraseAddresses(database, target);
  const bodies = [...(await bodiesOf(database, userId)), ...waited];
  const hashes = bodies.map(({ sha256 }) => sha256);
  const isCacheClean = means.cache ? await means.cache.forget(hashes) : null;
  await removeAccount(store, userId, {
    tell,
    record: (tx) => recordForAll(tx, admin, { act: "account.erase", account: userId }),
  });
  tell(`removing ${bodies.length} bodies`);
  const waiting = await removeBodies({ store, objects: means.objects, log: means.log }, bodies);
  const left = prove ? await proveErasure(admin, means, { ...target, bodies, waiting }) : null;
  await forgetRemoval(database, userId);
  return {
    ...{ login, userId, addresses: [...addresses], bodies: bodies.length, waiting: waiting.length },
    until: sweptBy(waiting),
    isCacheClean,
    left,
  };
}

const dayMs = 24 * 3_600_000;
/** Days settle after three, and dead members of packs wait for others for five. */
const sweptAfterMs = 9 * dayMs;

function sweptBy(waiting: readonly StoredBlob[]): Date | null {
  const days = waiting.map(({ day }) => Date.parse(day));
  return days.length === 0 ? null : new Date(Math.max(...days) + sweptAfterMs);
}

/** Looks in every table, among the bodies and in the shared cache for the account's number, addresses and bodies. */
async function proveErasure(
  { store }: Admin,
  { objects, cache, tell }: EraseMeans,
  { userId, addresses, bodies, waiting }: Target & { bodies: readonly StoredBlob[]; waiting: readonly StoredBlob[] },
): Promise<Left[]> {
  const isWaiting = new Set(waiting.map(({ sha256 }) => sha256.toString("hex")));
  const hashes = bodies.map(({ sha256 }) => sha256);
  const remains = await findRemains(store.database, { userId, addresses, hashes }, tell);
  const left = remains.map((one) => ({ where: `${one.table}.${one.column}`, count: one.rows, why: reasonOf(one) }));
  let [swept, shared] = [0, 0];
  tell?.(`looking for ${bodies.length} bodies`);
  for (const body of bodies) {
    if (!(await objects.exists(body))) continue;
    if (isWaiting.has(body.sha256.toString("hex"))) swept++;
    else shared++;
  }
  const until = sweptBy(waiting)?.toISOString().slice(0, 10);
  if (swept > 0) {
    const why = `bodies of the last days go with the sweeps by ${until}: the same message may just be arriving for others`;
    left.push({ where: "bodies", count: swept, why });
  }
  if (shared > 0) left.push({ where: "bodies", count: shared, why: "others hold the same message" });
  if (cache) {
    const texts = [
      ...addresses.map((address) => Buffer.from(address)),
      ...hashes.map((one) => Buffer.from(one.toString("base64url"))),
    ];
    const keys = await cache.find(texts);
    if (keys.length > 0) left.push({ where: "Redis", count: keys.length, why: null });
  }
  return left;
}

/** Why mail that waits still names the account, by the column. */
const ofWaiting: Record<string, string> = {
  mail_from: "its mail to others is on its way",
  sha256: "the same message waits for others",
};

/** Why rows still name the account. */
function reasonOf({ table, column, of }: Remains): string | null {
  if (table === "removed_account") return "so that this run can be repeated: it goes at its end";
  if (table === "audit") return "the audit is a chain of hashes: its rows can't be changed";
  if (table === "dead_object" || table === "dead_member") return "the hash of a body that the sweeps will remove";
  if (table === "blob_ref" && column === "sha256") return "others hold the same message";
  if (table === "address" && column === "forwards") return "others forward their mail there";
  if (table === "incoming" || table === "quarantine") return ofWaiting[column] ?? null;
  if (table === "junk_mark") return "others marked its mail as spam; it goes after 90 days";
  return of === "others" ? "it is in others' mail or address books" : null;
}
