import { X509Certificate } from "node:crypto";
import { statfs } from "node:fs/promises";
import type { Config } from "../config/schema.ts";
import type { Finding } from "../jmap/operator/means.ts";
import type { Parts } from "./parts.ts";
import { endOf } from "./tls/certificates.ts";

const dayMs = 86_400_000;
/** Renewals are due long before. */
const endsSoonDays = 14;
const lowRoom = 0.1;

/** What this server finds of itself, for the operators' page: what is well too. */
export async function findingsOf(config: Config, parts: Parts): Promise<Finding[]> {
  const [readiness, disk] = await Promise.all([readinessOf(parts), diskOf(config)]);
  return [...readiness, nodesOf(parts), disk, ...certificateOf(parts)];
}

async function readinessOf({ ready }: Parts): Promise<Finding[]> {
  const { isReady, text } = await ready();
  if (text.startsWith("ready")) return [{ code: "ready", state: "good", values: {} }];
  const { ready: _, ...found } = JSON.parse(text) as Record<string, string>;
  const amiss = Object.entries(found).filter(([, said]) => said !== "ok");
  return amiss.map(([part, reason]) => ({
    code: "part",
    state: isReady ? "warn" : "bad",
    values: { part, reason: String(reason) },
  }));
}

function nodesOf({ store }: Parts): Finding {
  const { all } = store.database.nodes;
  const away = all.filter(({ isAway }) => isAway);
  const values = { n: all.length, away: away.length };
  return { code: "nodes", state: away.length > 0 ? "bad" : "good", values };
}

async function diskOf({ data }: Config): Promise<Finding> {
  const { bavail, blocks, bsize } = await statfs(data);
  const share = bavail / blocks;
  const values = { free: bavail * bsize, percent: Math.floor(share * 100) };
  return { code: "disk", state: share < lowRoom ? "warn" : "good", values };
}

function certificateOf({ tls, surroundings }: Parts): Finding[] {
  if (!tls) return [];
  const { current } = tls.certificates;
  const end = endOf(current);
  const days = Math.floor((end.getTime() - surroundings.clock.now().getTime()) / dayMs);
  const values = { days, until: end.toISOString() };
  if (days < endsSoonDays) return [{ code: "certificateEnds", state: days < 0 ? "bad" : "warn", values }];
  const { issuer, subject } = new X509Certificate(current.cert);
  if (issuer === subject) return [{ code: "certificateOwn", state: "warn", values }];
  return [{ code: "certificate", state: "good", values }];
}
