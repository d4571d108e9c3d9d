import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import type { Resolver } from "node:dns/promises";
import type { Executor } from "../store/core/sql.ts";
import { findDomain } from "../store/directory/directory.ts";
import {
  addDkimKey,
  type DkimKeyRow,
  listDkimKeys,
  lockDomainKeys,
  removeDkimKey,
  setDkimKeyState,
  setSigningKey,
} from "../store/directory/dkim-keys.ts";
import { type Admin, changeInstallation } from "./admin.ts";
import { Refused } from "./refused.ts";

type PublicKey = Pick<DkimKeyRow, "domain" | "selector" | "privateKey">;

/** RFC 8301 §3.2 */
const rsaBits = 2048;

const pem = (key: ReturnType<typeof generateKeyPairSync>["privateKey"]) =>
  key.export({ type: "pkcs8", format: "pem" }).toString();

/** Makes a private key: PKCS #8, PEM. */
export const makeRsaKey = (): string => pem(generateKeyPairSync("rsa", { modulusLength: rsaBits }).privateKey);
export const makeEd25519Key = (): string => pem(generateKeyPairSync("ed25519").privateKey);

export const isRsa = ({ privateKey }: Pick<DkimKeyRow, "privateKey">) =>
  createPrivateKey(privateKey).asymmetricKeyType === "rsa";

/** RFC 6376 §3.6.1, RFC 8463 §4: where a key's public part is in DNS, and what stands there. */
export function dkimRecord({ domain, selector, privateKey }: PublicKey): { name: string; value: string } {
  const key = createPublicKey(privateKey);
  const der = key.export({ type: "spki", format: "der" });
  const name = `${selector}._domainkey.${domain}`;
  if (key.asymmetricKeyType === "rsa") return { name, value: `v=DKIM1; k=rsa; p=${der.toString("base64")}` };
  // The last 32 octets are the key itself.
  return { name, value: `v=DKIM1; k=ed25519; p=${der.subarray(-32).toString("base64")}` };
}

/** How far the rotation of a domain's keys has come. */
export interface Rotation {
  domain: string;
  /** They are to be published, and will sign. */
  fresh: DkimKeyRow[];
  /** They sign no more, and may be needed for mail that is on its way. */
  retired: DkimKeyRow[];
}

export async function rotationOf({ store }: Pick<Admin, "store">, text: string): Promise<Rotation> {
  const domain = await findDomain(store.database, text);
  if (!domain) throw new Refused({ type: "noDomain", text });
  return stateOf(domain.name, await listDkimKeys(store.database, domain.name));
}

function stateOf(domain: string, keys: DkimKeyRow[]): Rotation {
  const having = (state: string) => keys.filter((key) => key.state === state);
  return { domain, fresh: having("new"), retired: having("retired") };
}

/** Makes new keys, RSA and Ed25519, that sign nothing yet. Those of a rotation that has begun stay as they are. */
export async function beginRotation(admin: Admin, domain: string): Promise<Rotation> {
  const [rsa, ed25519] = [makeRsaKey(), makeEd25519Key()];
  return change(admin, { act: "dkim.publish", domain }, async (executor, keys, taken) => {
    if (keys.some(({ state }) => state === "new")) return;
    const now = admin.store.clock.now();
    const day = now.toISOString().slice(0, 10).replaceAll("-", "");
    for (const [letter, privateKey] of [["r", rsa] as const, ["e", ed25519] as const]) {
      const selector = unused(`${letter}${day}`, taken);
      await addDkimKey(executor, { ...{ domain, selector, privateKey, state: "new" }, createdAt: now, since: now });
    }
  });
}

/** Lets the new keys sign, and retires those that did. Nothing changes if there are none. */
export function switchKeys(admin: Admin, domain: string): Promise<Rotation> {
  return change(admin, { act: "dkim.switch", domain }, async (executor, keys, _, main) => {
    const since = admin.store.clock.now();
    const fresh = keys.filter(({ state }) => state === "new");
    const rsa = fresh.find(isRsa);
    if (!rsa) return;
    for (const key of keys)
      if (key.state === "active") await setDkimKeyState(executor, { ...key, state: "retired", since });
    for (const key of fresh) if (key !== rsa) await setDkimKeyState(executor, { ...key, state: "active", since });
    await removeDkimKey(executor, rsa);
    await setSigningKey(executor, rsa);
    if (main.dkimKey === "") return;
    const old = { domain, selector: main.dkimSelector, privateKey: main.dkimKey };
    await addDkimKey(executor, { ...old, state: "retired", createdAt: since, since });
  });
}

/** Forgets keys that were retired by then; returns them, whose records may go. */
export async function forgetRetired(admin: Admin, { domain, retired }: Rotation, until: Date): Promise<DkimKeyRow[]> {
  const old = retired.filter(({ since }) => since <= until);
  if (old.length === 0) return [];
  await change(admin, { act: "dkim.retire", domain }, async (executor) => {
    for (const key of old) await removeDkimKey(executor, key);
  });
  return old;
}

async function change(
  admin: Admin,
  what: { act: "dkim.publish" | "dkim.switch" | "dkim.retire"; domain: string },
  work: (
    executor: Executor,
    keys: DkimKeyRow[],
    taken: ReadonlySet<string>,
    main: { dkimSelector: string; dkimKey: string },
  ) => Promise<void>,
): Promise<Rotation> {
  const { domain } = what;
  return changeInstallation(admin, what, async (executor) => {
    const main = await lockDomainKeys(executor, domain);
    if (!main) throw new Refused({ type: "noDomain", text: domain });
    const keys = await listDkimKeys(executor, domain);
    await work(executor, keys, new Set([main.dkimSelector, ...keys.map(({ selector }) => selector)]), main);
    return stateOf(domain, await listDkimKeys(executor, domain));
  });
}

/** A second rotation on one day needs other names. */
function unused(name: string, taken: ReadonlySet<string>): string {
  for (let no = 1; ; no++) {
    const candidate = no === 1 ? name : `${name}-${no}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** Those of the keys that DNS does not have yet, as far as the resolver knows. */
export async function unpublished(
  keys: readonly DkimKeyRow[],
  resolver: Pick<Resolver, "resolve">,
): Promise<DkimKeyRow[]> {
  const seen = await Promise.all(keys.map((key) => isPublished(key, resolver)));
  return keys.filter((_, at) => !seen[at]);
}

async function isPublished(key: DkimKeyRow, resolver: Pick<Resolver, "resolve">): Promise<boolean> {
  const { name, value } = dkimRecord(key);
  const wanted = keyIn(value);
  try {
    const records = (await resolver.resolve(name, "TXT")) as string[][];
    return records.some((strings) => keyIn(strings.join("")) === wanted);
  } catch {
    return false;
  }
}

const keyIn = (record: string): string | undefined => /(?:^|;)\s*p=([^;]*)/.exec(record)?.[1]?.replace(/\s/g, "");
