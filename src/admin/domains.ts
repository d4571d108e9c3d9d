import { normalizeDomain } from "../base/address.ts";
import { Conflict } from "../store/core/errors.ts";
import type { Executor } from "../store/core/sql.ts";
import {
  addDomain,
  addressesOf,
  type Domain,
  removeDomain as deleteDomain,
  findDomain,
  holdsDomain,
  listDomains as listAll,
} from "../store/directory/directory.ts";
import { addDkimKey, type DkimKeyRow, listAllDkimKeys, listDkimKeys } from "../store/directory/dkim-keys.ts";
import { findStsPolicy, type OwnStsPolicy, setStsPolicy } from "../store/directory/mta-sts.ts";
import { type Admin, changeInstallation } from "./admin.ts";
import { makeEd25519Key, makeRsaKey } from "./dkim-keys.ts";
import { Refused } from "./refused.ts";

/** Finds the domain, or adds it with new DKIM keys (RFC 6376, RSA 2048; RFC 8463, Ed25519). */
export async function ensureDomain(admin: Admin, text: string): Promise<{ domain: Domain; isNew: boolean }> {
  const name = normalizeDomain(text);
  if (name === undefined) throw new Refused({ type: "notADomain", text });
  const { database, clock } = admin.store;
  const known = await findDomain(database, name);
  if (known) return { domain: known, isNew: false };
  const domain = { name, dkimSelector: "posthorn", dkimKey: makeRsaKey() };
  const [ed25519, now] = [makeEd25519Key(), clock.now()];
  try {
    await changeInstallation(admin, { act: "domain.add", domain: name }, async (executor) => {
      if (!(await addDomain({ database: executor, clock }, domain))) throw new Conflict("domain");
      const key = { domain: name, selector: "posthorn-ed", privateKey: ed25519, state: "active" };
      await addDkimKey(executor, { ...key, createdAt: now, since: now });
    });
    return { domain, isNew: true };
  } catch (error) {
    // Another process added it first, with its own key.
    if (error instanceof Conflict) return { domain: (await findDomain(database, name))!, isNew: false };
    throw error;
  }
}

export function listDomains({ store }: Admin): Promise<Domain[]> {
  return listAll(store.database);
}

export async function showDomain({ store }: Pick<Admin, "store">, text: string): Promise<Domain> {
  const domain = await findDomain(store.database, text);
  if (!domain) throw new Refused({ type: "noDomain", text });
  return domain;
}

/** The DKIM keys of a domain, or of all, beside the RSA key that signs. */
export function keysOf({ store }: Pick<Admin, "store">, name?: string): Promise<DkimKeyRow[]> {
  return name === undefined ? listAllDkimKeys(store.database) : listDkimKeys(store.database, name);
}

/** Finds the domain, and refuses if `removeDomain` could not remove it. */
export async function removableDomain({ store }: Admin, text: string): Promise<Domain> {
  const domain = await showDomain({ store }, text);
  await mustBeUnused(store.database, domain.name);
  return domain;
}

/** Removes the domain with its DKIM key: mail for it is refused from now on. */
export async function removeDomain(admin: Admin, text: string): Promise<void> {
  const { name } = await removableDomain(admin, text);
  await changeInstallation(admin, { act: "domain.remove", domain: name }, async (executor) => {
    if (!(await deleteDomain(executor, name))) throw new Refused({ type: "noDomain", text });
    // Checked after the deletion, which has waited for everybody who was adding an address to the domain.
    await mustBeUnused(executor, name);
  });
}

/**
 * RFC 8461: publishes a policy for the domain, or none any more (undefined). `mx`: the hosts that take its mail. Resolves with
 * the domain.
 */
export async function setMtaSts(admin: Admin, text: string, policy: OwnStsPolicy | undefined): Promise<Domain> {
  const domain = await showDomain(admin, text);
  const { name } = domain;
  const mx = (policy?.mx ?? []).map((host) => {
    const normal = /^(?:\*\.)?(?:[\w-]+\.)+[\w-]+$/.test(host) ? host.toLowerCase() : undefined;
    if (normal === undefined) throw new Refused({ type: "notAHost", text: host });
    return normal;
  });
  const what = { act: "domain.mta-sts", domain: name, mode: policy?.mode ?? "off", mx: mx.join(",") } as const;
  await changeInstallation(admin, what, async (executor) => {
    const isThere = await setStsPolicy(executor, name, policy && { mode: policy.mode, mx });
    if (!isThere) throw new Refused({ type: "noDomain", text });
  });
  return domain;
}

/** The policy that is published for the domain; undefined for none. */
export function mtaStsOf({ store }: Pick<Admin, "store">, name: string): Promise<OwnStsPolicy | undefined> {
  return findStsPolicy(store.database, name);
}

/** Keeps the domain until the transaction ends, so that an address added in it does not outlive the domain. */
export async function holdDomain(executor: Executor, name: string): Promise<void> {
  if (!(await holdsDomain(executor, name))) throw new Refused({ type: "noDomain", text: name });
}

/** As many addresses as a refusal names. */
const maxNamed = 10;

async function mustBeUnused(executor: Executor, name: string): Promise<void> {
  const [...addresses] = await addressesOf(executor, name, maxNamed + 1);
  if (addresses.length > maxNamed) addresses[maxNamed] = "…";
  if (addresses.length > 0) throw new Refused({ type: "domainInUse", name, addresses });
}
