import { Slots } from "../../base/slots.ts";
import type { Database } from "../core/database.ts";
import { read } from "../core/declare.ts";
import { Unreachable } from "../core/errors.ts";

const facts = read("accounts.facts", (db, $: { accountId: number }) =>
  db.selectFrom("account").select(["name", "used", "quota", "sending"]).where("userId", "=", $.accountId),
);
const operators = read("operators.among", (db, $: { logins: readonly string[] }) =>
  db.selectFrom("operator").select(["login", "userId", "role"]).where("login", "in", $.logins),
);

/** What a list shows of an account. */
export interface AccountFacts {
  name: string;
  /** In bytes; null while its node does not answer. */
  used: number | null;
  /** Null for no limit. */
  quota: number | null;
  /** Whether its outgoing mail is held for its standing. */
  isHeld: boolean;
  /** As an operator; null if it is none. */
  role: string | null;
}

/** So many accounts are asked for at a time, each at its own node. */
const maxAsked = 8;

/** Of each account of the page, by its number; without those that are gone. */
export async function findAccountFacts(
  database: Database,
  accounts: readonly { userId: number; login: string }[],
): Promise<Map<number, AccountFacts>> {
  if (accounts.length === 0) return new Map();
  const slots = new Slots(maxAsked);
  const logins = accounts.map(({ login }) => login);
  const roles = new Map((await database.run(operators, { logins })).map(({ userId, role }) => [userId, role] as const));
  const ask = async ({ userId, login }: { userId: number; login: string }) => {
    const role = roles.get(userId) ?? null;
    const found = await slots.run(() => factsOf(database, userId, login));
    return found && ([userId, { ...found, role }] as const);
  };
  return new Map((await Promise.all(accounts.map(ask))).filter((one) => one !== undefined));
}

async function factsOf(database: Database, accountId: number, login: string) {
  try {
    const [row] = await database.run(facts, { accountId });
    return row && { name: row.name, used: row.used, quota: row.quota, isHeld: row.sending?.hold !== undefined };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return { name: login, used: null, quota: null, isHeld: false };
  }
}
