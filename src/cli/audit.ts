import { readAudit, verifyAudit } from "../admin/audit.ts";
import type { AuditRow } from "../store/directory/audit.ts";
import type { Context } from "./command.ts";
import { say, table } from "./prompt.ts";

export async function audit(context: Context): Promise<void> {
  return context.options.verify ? verify(context) : list(context);
}

async function list({ admin, options }: Context): Promise<void> {
  const { account, before, limit, json } = options as { account?: string; before?: number; limit: number; json?: true };
  const { rows, older } = await readAudit(admin, account, { before, limit });
  if (json) return say(JSON.stringify({ rows: rows.map(toJson), older: older ?? null }, null, 2));
  if (rows.length === 0) return say("There are no rows.");
  say(table([["SEQ", "AT", "WHO", "WHAT"], ...rows.map(toCells)]));
  if (older !== undefined) say(`For older rows: --before ${older}`);
}

function toCells({ seq, at, who, what: { act, ...ids } }: AuditRow): string[] {
  const about = Object.entries(ids).map(([name, value]) => `${name}=${value ?? "none"}`);
  return [String(seq), at.toISOString(), who, [act, ...about].join(" ")];
}

function toJson({ seq, at, who, what, prev, hash }: AuditRow) {
  return { seq, at: at.toISOString(), who, what, prev: prev.toString("hex"), hash: hash.toString("hex") };
}

const problems = {
  missing: "is missing",
  changed: "was changed",
  detached: "does not follow the row before it",
};

async function verify({ admin, options }: Context): Promise<void> {
  const { account, json } = options as { account?: string; json?: true };
  const { sound, hash, broken } = await verifyAudit(admin, account);
  if (broken) process.exitCode = 1;
  if (json) return say(JSON.stringify({ sound, hash: hash.toString("hex"), broken: broken ?? null }, null, 2));
  if (broken) return say(`Row ${broken.seq} ${problems[broken.problem]}.`);
  say(`All ${sound} rows are unchanged; the last has the hash ${hash.toString("hex")}.`);
}
