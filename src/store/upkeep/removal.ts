import { sql } from "kysely";
import type { Database } from "../core/database.ts";
import { read, write } from "../core/declare.ts";
import { AccountMissing } from "../core/errors.ts";
import { unprepared } from "../core/sql.ts";
import type { Store, Tx } from "../core/store.ts";
import { markDead } from "./dead-objects.ts";

export interface Removal {
  addresses: string[];
  logins: string[];
  emails: number;
  submissions: number;
}

type Account = { userId: number };
const ownAddresses = read("removal.addresses", (db, $: Account) =>
  db.selectFrom("address").select("address").where("userId", "=", $.userId).orderBy("address"),
);
const ownLogins = read("removal.logins", (db, $: Account) =>
  db.selectFrom("login").select("login").where("userId", "=", $.userId).orderBy("login"),
);
const countEmails = read("removal.emails", (db, $: Account) =>
  db
    .selectFrom("email")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("userId", "=", $.userId),
);
const countSubmissions = read("removal.submissions", (db, $: Account) =>
  db
    .selectFrom("submission")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("userId", "=", $.userId),
);

/** Called often with the progress of a removal. */
type Tell = (text: string) => void;

/** What `removeAccount` would remove. */
export async function previewRemoval(database: Database, userId: number): Promise<Removal> {
  const [emails] = await database.run(countEmails, { userId });
  const [submissions] = await database.run(countSubmissions, { userId });
  return {
    addresses: (await database.run(ownAddresses, { userId })).map((row) => row.address),
    logins: (await database.run(ownLogins, { userId })).map((row) => row.login),
    emails: emails!.count,
    submissions: submissions!.count,
  };
}

const deleteAddresses = write("removal.ofAddresses", (db, $: Account) =>
  db.deleteFrom("address").where("userId", "=", $.userId),
);
const deleteShares = write("removal.ofShares", (db, $: Account) =>
  db.deleteFrom("accountAccess").where("accountId", "=", $.userId),
);
const deleteDue = write("removal.ofDue", (db, $: Account) => db.deleteFrom("due").where("userId", "=", $.userId));
const deleteAccess = write("removal.ofAccess", (db, $: { logins: readonly string[] }) =>
  db.deleteFrom("accountAccess").where("login", "in", $.logins),
);
/** Somebody may have taken the name for another account since its address was removed. */
const deleteLogins = write("removal.ofLogins", (db, $: Account & { logins: readonly string[] }) =>
  db.deleteFrom("login").where("login", "in", $.logins).where("userId", "=", $.userId),
);
const deleteOperators = write("removal.ofOperators", (db, $: { logins: readonly string[] }) =>
  db.deleteFrom("operator").where("login", "in", $.logins),
);
const references = read("removal.objects", (db, $: Account) =>
  db.selectFrom("blobRef").select(["sha256", "day", "pack"]).where("userId", "=", $.userId),
);
/** Read from the database, since a newer program running beside this one may have added tables. */
const accountTables = read(
  "removal.tables",
  () => sql<{ name: string }>`
  SELECT quote_ident(c.table_name) AS name FROM information_schema.columns c
  JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
  WHERE c.table_schema = current_schema() AND c.column_name = 'user_id' AND t.table_type = 'BASE TABLE'
    AND c.table_name NOT IN ('account', 'address', 'login', 'operator', 'due') ORDER BY c.table_name`,
);

/** Takes away what leads to the account, but for its logins: nothing new arrives, and nobody else opens it. */
export async function closeAccount(database: Database, userId: number, logins: readonly string[]): Promise<void> {
  await database.run(deleteAddresses, { userId });
  await database.run(deleteShares, { userId });
  await database.run(deleteDue, { userId });
  await database.run(deleteAccess, { logins });
  await database.run(deleteOperators, { logins });
}

/** Takes away the logins of a closed account. */
export async function removeLogins(database: Database, userId: number, logins: readonly string[]): Promise<void> {
  await database.run(deleteLogins, { userId, logins });
}

interface RemovalOptions {
  tell?: Tell;
  record?: (tx: Tx) => Promise<void>;
  mayGo?: (tx: Tx) => Promise<boolean>;
}

/**
 * Removes the account and everything in it: first the addresses and shares, so that nothing new arrives; the account's row
 * and then its logins last, so that an interrupted removal can be repeated. Sweeps remove the bodies that nobody else holds.
 * `record` runs last in the transaction that deletes the account, `mayGo` first: if it says no, the account stays, closed, and
 * undefined is returned.
 */
export async function removeAccount(
  store: Store,
  userId: number,
  { tell = () => {}, record = async () => {}, mayGo }: RemovalOptions = {},
): Promise<Removal | undefined> {
  const { database } = store;
  const removal = await previewRemoval(database, userId);
  await closeAccount(database, userId, removal.logins);
  const bodies = await database.run(references, { userId });
  await markDead(database, bodies, store.clock.now(), (done) => tell(`releasing bodies: ${done} of ${bodies.length}`));
  const tables = (await database.run(accountTables)).map((row) => row.name);
  let stays = false;
  const removeRows = async (tx: Tx) => {
    if (mayGo && !(await mayGo(tx))) {
      stays = true;
      return;
    }
    await deleteRows(tx, [...tables, "account"], tell);
    await record(tx);
  };
  await store.write(userId, "server", removeRows, { isLast: true }).catch((error: unknown) => {
    // An earlier removal came this far, and left the logins.
    if (!(error instanceof AccountMissing)) throw error;
  });
  if (stays) return undefined;
  await removeLogins(database, userId, removal.logins);
  return removal;
}

async function deleteRows(tx: Tx, tables: string[], tell: Tell): Promise<void> {
  let rows = 0;
  for (const [index, table] of tables.entries()) {
    tell(`emptying ${table}: table ${index + 1} of ${tables.length}, ${rows} rows removed`);
    rows += await tx.count(unprepared(`DELETE FROM ${table} WHERE user_id = $1`), [tx.accountId]);
  }
}
