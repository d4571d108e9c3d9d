import type { Command } from "commander";
import { readAudit, verifyAudit } from "../admin/audit.ts";
import type { AuditRow } from "../store/directory/audit.ts";
import { whole } from "./arguments.ts";
import { type Context, examples, onStore } from "./command.ts";
import { say, table } from "./prompt.ts";

export function addAuditCommand(program: Command): void {
  onStore(
    program
      .command("audit")
      .description("list what operators did, newest first: to domains and removed accounts, or to one account")
      .option("--account <address>", "list what was done to this account")
      .option("--limit <number>", "the most rows to list", whole, 50)
      .option("--before <seq>", "list rows older than this one", whole)
      .option("--verify", "check that no row was changed or removed; prints the first that was, with exit code 1")
      .option("--json", "print JSON")
      .addHelpText("after", examples("audit", "audit --account ann@example.org --json", "audit --verify")),
    audit,
  );
}

async function audit(context: Context): Promise<void> {
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
