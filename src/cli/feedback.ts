import { addSuppression, listBounces, listSuppressions, removeSuppression, topBounces } from "../admin/feedback.ts";
import { listAccounts } from "../store/directory/directory.ts";
import type { Context } from "./command.ts";
import { answer, say, table } from "./prompt.ts";

type Given = { account?: string; limit: number; days: number; json?: true };

export async function list({ admin, options }: Context): Promise<void> {
  const { account, kind, days, limit, json } = options as Given & { kind?: "hard" | "soft" | "complaint" };
  const rows = await listBounces(admin, { account, kind, days, limit });
  const logins = new Map((await listAccounts(admin.store.database)).map(({ login, userId }) => [userId, login]));
  const named = rows.map(({ userId, ...row }) => ({ account: logins.get(userId) ?? `number ${userId}`, ...row }));
  if (json) return say(JSON.stringify(named, null, 2));
  if (rows.length === 0) return say("There are no bounces and no complaints.");
  const cells = named.map((row) => [row.at.toISOString(), row.kind, row.account, row.recipient, row.reply]);
  say(table([["AT", "KIND", "ACCOUNT", "RECIPIENT", "REPLY"], ...cells]));
}

export async function top({ admin, options }: Context): Promise<void> {
  const { days, limit, json } = options as Given;
  const rows = await topBounces(admin, { days, limit });
  if (json) return say(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return say("There are no bounces and no complaints.");
  const cells = rows.map((row) => [String(row.count), row.kind, row.destination, row.newest.toISOString()]);
  say(table([["COUNT", "KIND", "DESTINATION", "NEWEST"], ...cells]));
}

export async function listSuppressed({ admin, options }: Context): Promise<void> {
  const { account, limit, json } = options as Given;
  const rows = await listSuppressions(admin, account, limit);
  if (json) return say(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return say("No address is suppressed.");
  const cells = rows.map(({ address, since, reason }) => [address, since.toISOString(), reason]);
  say(table([["ADDRESS", "SINCE", "REASON"], ...cells]));
}

export async function add(context: Context, text: string): Promise<void> {
  const { account, reason } = context.options as { account?: string; reason: string };
  const address = await addSuppression(context.admin, text, { account, reason });
  answer(context, { address }, `Mail to ${address} is refused from now on.`);
}

export async function remove(context: Context, text: string): Promise<void> {
  const { account } = context.options as { account?: string };
  const address = await removeSuppression(context.admin, text, account);
  answer(context, { address }, `Mail to ${address} is no longer refused by this list.`);
}
