import { type AuditRow, auditAfter, auditBefore, auditHash, installation, noHash } from "../store/directory/audit.ts";
import type { Admin } from "./admin.ts";
import { loginOf } from "./names.ts";

type Reading = Pick<Admin, "store">;

/** Whose chain: of the account with that main address, or of the installation. */
async function chainOf(admin: Reading, account: string | undefined): Promise<number> {
  return account === undefined ? installation : (await loginOf(admin, account)).userId;
}

/** Newest first. `older`: what to give as `before` for the next page, where there is one. */
export async function readAudit(
  admin: Reading,
  account: string | undefined,
  { before = Number.MAX_SAFE_INTEGER, limit }: { before?: number | undefined; limit: number },
): Promise<{ rows: AuditRow[]; older: number | undefined }> {
  const chain = await chainOf(admin, account);
  const rows = await auditBefore(admin.store.database, chain, { before, limit: limit + 1 });
  const page = rows.slice(0, limit);
  return { rows: page, older: rows.length > limit ? page.at(-1)!.seq : undefined };
}

export interface Verification {
  /** How many rows are as they were written, from the first on. */
  sound: number;
  /** Of the last of them. Who keeps it elsewhere finds out later whether the end of the chain was cut off. */
  hash: Buffer;
  /** The first row that is not. */
  broken?: { seq: number; problem: "missing" | "changed" | "detached" };
}

const atOnce = 1_000;

/** Goes through a chain from its first row to the first that is not as it was written. */
export async function verifyAudit(admin: Reading, account: string | undefined): Promise<Verification> {
  const chain = await chainOf(admin, account);
  let end: Verification = { sound: 0, hash: noHash };
  // A row before the first would be shown, so it is looked for.
  let after = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const rows = await auditAfter(admin.store.database, chain, { after, limit: atOnce });
    for (const row of rows) {
      const broken = breach(row, end);
      if (broken) return { ...end, broken };
      end = { sound: row.seq, hash: row.hash };
    }
    if (rows.length < atOnce) return end;
    after = end.sound;
  }
}

function breach(row: AuditRow, end: Verification): Verification["broken"] {
  const seq = end.sound + 1;
  if (row.seq > seq) return { seq, problem: "missing" };
  if (!row.hash.equals(auditHash(row))) return { seq: row.seq, problem: "changed" };
  return row.seq === seq && row.prev.equals(end.hash) ? undefined : { seq: row.seq, problem: "detached" };
}
