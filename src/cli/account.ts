import {
  addAccount,
  checkNewAccount,
  listAccounts,
  nameAccount,
  previewRemoval,
  removeAccount,
  setPassword,
} from "../admin/accounts.ts";
import { loginOf } from "../admin/names.ts";
import { getQuota, setQuota } from "../admin/quota.ts";
import { share, unshare } from "../admin/shares.ts";
import { randomPassword } from "../auth/secrets.ts";
import { showSize, size } from "../config/values.ts";
import type { Removal } from "../store/upkeep/removal.ts";
import { type Context, random } from "./command.ts";
import { Failure } from "./fail.ts";
import { answer, askSecret, confirm, isTerminal, readSecret, say, table } from "./prompt.ts";

export async function add(context: Context, text: string): Promise<void> {
  const { config, admin, options } = context;
  const account = await checkNewAccount(admin, { address: text, name: String(options.name) });
  const { password, isRandom } = await choosePassword(options);
  const { domain, isNewDomain } = await addAccount(admin, { ...account, password, quota: config.defaultQuota });
  const words = [
    ...(isNewDomain ? [`Added the domain ${domain.name}; "posthorn domain list" prints its DNS records.`] : []),
    `Added the account ${account.address}.`,
    ...(isRandom ? [`Its password, shown only now: ${password}`] : []),
  ];
  answer(context, { ...account, domain: domain.name, isNewDomain, ...(isRandom && { password }) }, words.join("\n"));
}

export async function rename(context: Context, text: string, newName = ""): Promise<void> {
  const { login, name } = await nameAccount(context.admin, text, newName);
  const words = name === "" ? `${login} has no display name now.` : `The display name of ${login} is ${name}.`;
  answer(context, { login, name }, words);
}

async function choosePassword(options: Context["options"]): Promise<{ password: string; isRandom: boolean }> {
  if (options.passwordStdin) return { password: await readSecret(), isRandom: false };
  if (!isTerminal()) return { password: randomPassword(random), isRandom: true };
  const password = await askSecret("Password (empty for a random one): ");
  if (password === "") return { password: randomPassword(random), isRandom: true };
  if ((await askSecret("Again: ")) !== password) throw new Failure("the two passwords differ");
  return { password, isRandom: false };
}

export async function list({ admin, options }: Context): Promise<void> {
  const accounts = await listAccounts(admin);
  if (options.json) return say(JSON.stringify(accounts, null, 2));
  if (accounts.length === 0) return say("There are no accounts yet. Add one: posthorn account add you@example.org");
  const rows = accounts.map(({ login, createdAt, otherAddresses }) => [
    login,
    createdAt.toISOString().slice(0, 10),
    otherAddresses.join(" "),
  ]);
  say(table([["ACCOUNT", "SINCE", "OTHER ADDRESSES"], ...rows]));
}

export async function passwd(context: Context, text: string): Promise<void> {
  const { admin, options } = context;
  // Fails before anyone types a password.
  const { login } = await loginOf(admin, text);
  const { password, isRandom } = await choosePassword(options);
  await setPassword(admin, login, password);
  const shown = isRandom ? `\nIts new password, shown only now: ${password}` : "";
  answer(context, { login, ...(isRandom && { password }) }, `Changed the password of ${login}.${shown}`);
}

export async function quota(context: Context, text: string, given?: string): Promise<void> {
  const { admin } = context;
  await loginOf(admin, text);
  if (given !== undefined) await setQuota(admin, text, limitOf(given));
  const { login, used, limit } = await getQuota(admin, text);
  const words = `${login} uses ${showSize(used)}; its limit is ${limit ? showSize(limit) : "none"}.`;
  answer(context, { login, used, limit: limit ?? null }, words);
}

/** In bytes; null for no limit. */
function limitOf(text: string): number | null {
  try {
    return text === "none" ? null : size(text) || null;
  } catch (error) {
    throw new Failure((error as Error).message);
  }
}

export async function remove(context: Context, text: string): Promise<void> {
  const { admin, options } = context;
  const preview = await previewRemoval(admin, text);
  if (options.dryRun) return answer(context, preview, `This would remove ${describeRemoval(preview)}.`);
  if (!options.yes && !(await confirm(`Remove ${describeRemoval(preview)}?`))) throw new Failure("nothing was removed");
  const removal = await removeAccount(admin, text);
  const { keepDeleted } = context.config;
  const until = new Date(Date.now() + keepDeleted);
  const back = `It can be had back until ${until.toISOString().slice(0, 10)}: posthorn undelete --account ${removal.login}`;
  const words = [
    `Removed the account ${removal.login}: ${describeRemoval(removal)}.`,
    ...(keepDeleted > 0 ? [back] : []),
  ];
  answer(context, removal, words.join("\n"));
}

function describeRemoval({ addresses, emails, submissions }: Removal): string {
  return `${emails} emails, ${submissions} sent messages and the addresses ${addresses.join(", ")}`;
}

export async function openTo(context: Context, text: string, loginText: string): Promise<void> {
  const { admin, options } = context;
  const { login } = options.stop ? await unshare(admin, text, loginText) : await share(admin, text, loginText);
  const words = options.stop ? `${login} no longer has access to ${text}.` : `${login} has access to ${text}.`;
  answer(context, { login, account: text, hasAccess: !options.stop }, words);
}
