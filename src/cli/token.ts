import { addAppPassword, addToken, listCredentials, revokeCredential } from "../admin/tokens.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { answer, say, table } from "./prompt.ts";

export async function add(context: Context, text: string): Promise<void> {
  const { admin, options } = context;
  const label = String(options.label ?? "");
  const days = options.days === undefined ? undefined : Number(options.days);
  if (days !== undefined && !(days > 0 && days < 36500)) throw new Failure("--days must be a number of days");
  if (options.appPassword && days !== undefined) throw new Failure("app passwords do not expire: revoke it instead");
  if (options.appPassword) {
    const { login, id, secret } = await addAppPassword(admin, text, label);
    return answer(context, { login, id, secret }, `App password ${id} for ${login}, shown only now:\n${secret}`);
  }
  const { login, id, secret } = await addToken(admin, text, { label, days });
  answer(context, { login, id, secret }, `Token ${id} for ${login}, shown only now:\n${secret}`);
}

export async function list({ admin, options }: Context, text: string): Promise<void> {
  const { login, credentials } = await listCredentials(admin, text);
  if (options.json) return say(JSON.stringify(credentials, null, 2));
  if (credentials.length === 0) return say(`${login} has neither tokens nor app passwords.`);
  const date = (value: Date | undefined) => value?.toISOString().slice(0, 10) ?? "never";
  const rows = credentials.map(({ id, kind, label, createdAt, expiresAt }) => [
    id,
    kind,
    date(createdAt),
    date(expiresAt),
    label,
  ]);
  say(table([["ID", "KIND", "MADE", "ENDS", "LABEL"], ...rows]));
}

export async function revoke(context: Context, text: string, id: string): Promise<void> {
  await revokeCredential(context.admin, text, id);
  answer(context, { id }, `Revoked ${id}.`);
}
