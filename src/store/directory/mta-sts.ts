import { createHash } from "node:crypto";
import { normalizeDomain } from "../../base/address.ts";
import type { Database } from "../core/database.ts";
import { read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";

export const stsModes = ["testing", "enforce", "none"] as const;
export type StsMode = (typeof stsModes)[number];

/** RFC 8461: what a domain of ours asks of those who send to it. */
export interface OwnStsPolicy {
  mode: StsMode;
  /** The hosts that take its mail. */
  mx: readonly string[];
}

const maxAgeSeconds = { testing: 604_800, enforce: 604_800, none: 86_400 };

/** RFC 8461 §3.2 */
export function stsText({ mode, mx }: OwnStsPolicy): string {
  const fields = [
    ["version", "STSv1"],
    ["mode", mode],
    ...mx.map((host) => ["mx", host]),
    ["max_age", maxAgeSeconds[mode]],
  ];
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

/** RFC 8461 §3.1: the id in the domain's DNS, another for each policy. */
export function stsIdOf(policy: OwnStsPolicy): string {
  return createHash("sha256").update(stsText(policy)).digest("hex").slice(0, 20);
}

const byName = read("domains.sts", (db, $: { name: string }) =>
  db.selectFrom("domain").select(["stsMode", "stsMx"]).where("name", "=", $.name),
);
const names = read("domains.withSts", (db) =>
  db.selectFrom("domain").select("name").where("stsMode", "is not", null).orderBy("name"),
);
const set = write("domains.setSts", (db, $: { name: string; mode: string | null; mx: string[] | null }) =>
  db.updateTable("domain").set({ stsMode: $.mode, stsMx: $.mx }).where("name", "=", $.name),
);

/** The policy that this server publishes for the domain; undefined for none. */
export async function findStsPolicy(database: Database, domain: string): Promise<OwnStsPolicy | undefined> {
  const name = normalizeDomain(domain);
  const [row] = name === undefined ? [] : await database.run(byName, { name });
  if (!row || row.stsMode === null) return undefined;
  return { mode: row.stsMode as StsMode, mx: row.stsMx ?? [] };
}

/** The domains that have a policy. */
export async function domainsWithSts(database: Database): Promise<string[]> {
  return (await database.run(names)).map(({ name }) => name);
}

/** False when there is no such domain. */
export async function setStsPolicy(
  executor: Executor,
  name: string,
  policy: OwnStsPolicy | undefined,
): Promise<boolean> {
  const values = { name, mode: policy?.mode ?? null, mx: policy ? [...policy.mx] : null };
  return (await executor.count(set, values)) > 0;
}
