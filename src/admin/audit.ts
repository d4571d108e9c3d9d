import { type AuditRow, auditAfter, auditBefore, auditHash, installation, noHash } from "../store/directory/audit.ts";
import type { Admin } from "./admin.ts";
import { loginOf } from "./names.ts";

type Reading = Pick<Admin, "store">;

/** The chain of the account with this main address, or of the installation. */
async function chainOf(admin: Reading, account: string | undefined): Promise<number> {
  return account === undefined ? installation : (await loginOf(admin, account)).userId;
}

/** A page of a chain, newest first. `older` is the `before` of the next page, undefined on the last one. */
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
  /** The number of unchanged rows, counted from the first. */
  sound: number;
  /** Hash of the last unchanged row. A copy of it kept elsewhere reveals later whether the end of the chain was cut off. */
  hash: Buffer;
  /** The first row that is missing or not as it was written. */
  broken?: { seq: number; problem: "missing" | "changed" | "detached" };
}

const pageSize = 1_000;

/** Verifies a chain from its first row on, up to the first broken one. */
export async function verifyAudit(admin: Reading, account: string | undefined): Promise<Verification> {
  const chain = await chainOf(admin, account);
  let end: Verification = { sound: 0, hash: noHash };
  // `readAudit` would show a row inserted before the first, so look for one.
  let after = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const rows = await auditAfter(admin.store.database, chain, { after, limit: pageSize });
    for (const row of rows) {
      const broken = breach(row, end);
      if (broken) return { ...end, broken };
      end = { sound: row.seq, hash: row.hash };
    }
    if (rows.length < pageSize) return end;
    after = end.sound;
  }
}

function breach(row: AuditRow, end: Verification): Verification["broken"] {
  const seq = end.sound + 1;
  if (row.seq > seq) return { seq, problem: "missing" };
  if (!row.hash.equals(auditHash(row))) return { seq: row.seq, problem: "changed" };
  return row.seq === seq && row.prev.equals(end.hash) ? undefined : { seq: row.seq, problem: "detached" };
}
