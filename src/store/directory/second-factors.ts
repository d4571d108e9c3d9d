import { sql } from "kysely";
import { splitAddress } from "../../base/address.ts";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";
import type { Tx } from "../core/store.ts";
import type { LoginName } from "./login-name.ts";

type Account = { userId: number };

const hasAny = read(
  "secondFactors.any",
  (_, $: Account) => sql<{ has: boolean }>`
  SELECT EXISTS (SELECT 1 FROM totp WHERE user_id = ${$.userId})
    OR EXISTS (SELECT 1 FROM passkey WHERE user_id = ${$.userId}) AS has`,
);
const isNeeded = read(
  "secondFactors.needed",
  (_, $: LoginName & { domain: string }) => sql<{ isNeeded: boolean }>`
  SELECT EXISTS (SELECT 1 FROM domain WHERE name = ${$.domain} AND needs_second_factor)
    OR EXISTS (SELECT 1 FROM operator WHERE login = ${$.login} AND user_id = ${$.userId}) AS "isNeeded"`,
);
const setWanted = write("domains.setNeedsSecondFactor", (db, $: { name: string; needsSecondFactor: boolean }) =>
  db.updateTable("domain").set({ needsSecondFactor: $.needsSecondFactor }).where("name", "=", $.name),
);

/**
 * What the login's password needs beside it: "proof" of a second factor that the account has, a "factor" that it does not
 * have yet but must, or nothing.
 */
export async function secondFactorNeed(
  database: Executor,
  { login, userId }: LoginName,
): Promise<"proof" | "factor" | undefined> {
  if (await hasSecondFactor(database, userId)) return "proof";
  return (await needsSecondFactor(database, { login, userId })) ? "factor" : undefined;
}

export async function hasSecondFactor(executor: Executor, userId: number): Promise<boolean> {
  return (await executor.run(hasAny, { userId }))[0]!.has;
}

/** Whether the login must have a second factor, whether or not it has one: its domain wants it, or it is an operator. */
export async function needsSecondFactor(executor: Executor, { login, userId }: LoginName): Promise<boolean> {
  const asked = { login, userId, domain: splitAddress(login)?.domain ?? "" };
  return (await executor.run(isNeeded, asked))[0]!.isNeeded;
}

/** False when there is no such domain. */
export async function setNeedsSecondFactor(executor: Executor, name: string, needed: boolean): Promise<boolean> {
  return (await executor.count(setWanted, { name, needsSecondFactor: needed })) > 0;
}

export type TotpRow = Row<"totp", "secret" | "lastStep" | "createdAt" | "usedAt">;
const totpOf = read("totp.ofAccount", (db, $: Account) =>
  db.selectFrom("totp").select(["secret", "lastStep", "createdAt", "usedAt"]).where("userId", "=", $.userId),
);
const insertTotp = write("totp.add", (db, $: Row<"totp", "userId" | "secret" | "lastStep" | "createdAt">) =>
  db
    .insertInto("totp")
    .values({ userId: $.userId, secret: $.secret, lastStep: $.lastStep, createdAt: $.createdAt })
    .onConflict((conflict) => conflict.column("userId").doNothing()),
);
const useTotp = write("totp.use", (db, $: Account & { secret: string; step: number; now: Date }) =>
  db
    .updateTable("totp")
    .set({ lastStep: $.step, usedAt: $.now })
    .where("userId", "=", $.userId)
    .where("secret", "=", $.secret)
    .where("lastStep", "<", $.step),
);
const deleteTotp = write("totp.remove", (db, $: Account) => db.deleteFrom("totp").where("userId", "=", $.userId));

export async function findTotp(executor: Executor, userId: number): Promise<TotpRow | undefined> {
  return (await executor.run(totpOf, { userId }))[0];
}

/** False when the account has a code generator already. `step`: of the code that proved it. */
export async function addTotp(tx: Tx, { secret, step }: { secret: string; step: number }): Promise<boolean> {
  const row = { userId: tx.accountId, secret, lastStep: step, createdAt: tx.now };
  return (await tx.count(insertTotp, row)) > 0;
}

/** Uses a code up. False when it, or a later one, was used before. */
export async function takeStep(tx: Tx, { secret, step }: { secret: string; step: number }): Promise<boolean> {
  return (await tx.count(useTotp, { userId: tx.accountId, secret, step, now: tx.now })) > 0;
}

/** False when there was none. */
export async function removeTotp(tx: Tx): Promise<boolean> {
  return (await tx.count(deleteTotp, { userId: tx.accountId })) > 0;
}

const passkeyColumns = ["id", "publicKey", "counter", "transports", "label", "createdAt", "usedAt", "network"] as const;
export type PasskeyRow = Row<"passkey", (typeof passkeyColumns)[number]>;
const passkeysOf = read("passkeys.ofAccount", (db, $: Account) =>
  db.selectFrom("passkey").select(passkeyColumns).where("userId", "=", $.userId).orderBy("createdAt"),
);
type NewPasskey = Row<"passkey", "id" | "publicKey" | "counter" | "transports" | "label" | "createdAt">;
const insertPasskey = write("passkeys.add", (db, $: NewPasskey & Account) =>
  db
    .insertInto("passkey")
    .values({
      userId: $.userId,
      id: $.id,
      publicKey: $.publicKey,
      counter: $.counter,
      transports: $.transports,
      label: $.label,
      createdAt: $.createdAt,
    })
    .onConflict((conflict) => conflict.columns(["userId", "id"]).doNothing()),
);
type PasskeyUse = { id: Buffer; counter: number; network: string | null };
const usePasskey = write("passkeys.use", (db, $: Account & PasskeyUse & { now: Date }) =>
  db
    .updateTable("passkey")
    .set({ counter: $.counter, usedAt: $.now, network: $.network })
    .where("userId", "=", $.userId)
    .where("id", "=", $.id)
    .where((eb) => eb.or([eb("counter", "<", $.counter), eb("counter", "=", 0)])),
);
const deletePasskey = write("passkeys.remove", (db, $: Account & { id: Buffer }) =>
  db.deleteFrom("passkey").where("userId", "=", $.userId).where("id", "=", $.id),
);
const deletePasskeys = write("passkeys.removeAll", (db, $: Account) =>
  db.deleteFrom("passkey").where("userId", "=", $.userId),
);

/** Of an account, oldest first. */
export function findPasskeys(executor: Executor, userId: number): Promise<PasskeyRow[]> {
  return executor.run(passkeysOf, { userId });
}

/** False when the account has this one already. */
export async function addPasskey(tx: Tx, passkey: Omit<NewPasskey, "createdAt">): Promise<boolean> {
  return (await tx.count(insertPasskey, { ...passkey, userId: tx.accountId, createdAt: tx.now })) > 0;
}

/** False when the passkey was removed meanwhile, or has counted further: then there is a copy of it. */
export async function countPasskey(tx: Tx, use: PasskeyUse): Promise<boolean> {
  return (await tx.count(usePasskey, { ...use, userId: tx.accountId, now: tx.now })) > 0;
}

/** False when there is none of this id. */
export async function removePasskey(tx: Tx, id: Buffer): Promise<boolean> {
  return (await tx.count(deletePasskey, { userId: tx.accountId, id })) > 0;
}

/** Returns how many second factors the account had. */
export async function removeSecondFactors(tx: Tx): Promise<number> {
  const totp = await tx.count(deleteTotp, { userId: tx.accountId });
  return totp + (await tx.count(deletePasskeys, { userId: tx.accountId }));
}

const countCodes = read("recoveryCodes.count", (db, $: Account) =>
  db
    .selectFrom("recoveryCode")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("userId", "=", $.userId),
);
const knowsCode = read("recoveryCodes.knows", (db, $: Account & { hash: Buffer }) =>
  db.selectFrom("recoveryCode").select("hash").where("userId", "=", $.userId).where("hash", "=", $.hash),
);
const deleteCode = write("recoveryCodes.use", (db, $: Account & { hash: Buffer }) =>
  db.deleteFrom("recoveryCode").where("userId", "=", $.userId).where("hash", "=", $.hash),
);
const deleteCodes = write("recoveryCodes.removeAll", (db, $: Account) =>
  db.deleteFrom("recoveryCode").where("userId", "=", $.userId),
);
const insertCodes = write(
  "recoveryCodes.add",
  (_, $: Account & { hashes: Buffer[]; createdAt: Date }) => sql`
  INSERT INTO recovery_code (user_id, hash, created_at)
  SELECT a.user_id, x.hash, ${$.createdAt} FROM account a, unnest(${$.hashes}::bytea[]) AS x(hash)
  WHERE a.user_id = ${$.userId}`,
);

/** How many an account has left. */
export async function countRecoveryCodes(executor: Executor, userId: number): Promise<number> {
  return (await executor.run(countCodes, { userId }))[0]!.count;
}

export async function hasRecoveryCode(database: Database, userId: number, hash: Buffer): Promise<boolean> {
  return (await database.run(knowsCode, { userId, hash })).length > 0;
}

/** Uses a recovery code up. False when it was used before, or never was one. */
export async function takeRecoveryCode(tx: Tx, hash: Buffer): Promise<boolean> {
  return (await tx.count(deleteCode, { userId: tx.accountId, hash })) > 0;
}

/** The codes of before are no longer accepted. */
export async function replaceRecoveryCodes(tx: Tx, hashes: Buffer[]): Promise<void> {
  await tx.run(deleteCodes, { userId: tx.accountId });
  await tx.run(insertCodes, { userId: tx.accountId, hashes, createdAt: tx.now });
}
