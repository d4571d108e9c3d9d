import type { Command } from "commander";
import { hashPassword, randomPassword } from "../auth/secrets.ts";
import { normalized } from "../base/normalize.ts";
import { showSize, size } from "../config/values.ts";
import type { Store } from "../store/core/store.ts";
import { setAccountName } from "../store/directory/account-name.ts";
import {
  addAlias,
  createAccount,
  findAddress,
  isAddressTaken,
  listAccounts,
  listAddresses,
  shareAccount,
  splitAddress,
  unshareAccount,
} from "../store/directory/directory.ts";
import { announceRevoked, setPassword } from "../store/directory/logins.ts";
import { findQuota, findUsed, setQuota } from "../store/mail/quota.ts";
import { previewRemoval, type Removal, removeAccount } from "../store/upkeep/removal.ts";
import { addressOf, type Context, examples, loginOf, onStore, random } from "./command.ts";
import { ensureDomain } from "./dkim.ts";
import { Failure } from "./fail.ts";
import { withProgress } from "./progress.ts";
import { askSecret, confirm, isTerminal, readSecret, say, table } from "./prompt.ts";

const passwordHelp = "read the password from the first line of standard input";

export function addAccountCommands(program: Command): void {
  const account = program.command("account").description("accounts: one mailbox tree and one login each");
  onStore(
    account
      .command("add <address>")
      .description("make an account; its domain too, when that is new")
      .option("--name <text>", "what it is called, and who its mail is from (default: its address alone)", "")
      .option("--password-stdin", passwordHelp)
      .addHelpText(
        "after",
        examples(
          'account add ann@example.org --name "Ann Lee"',
          "account add ann@example.org --password-stdin < password.txt",
        ),
      ),
    add,
    { begins: true },
  );
  onStore(
    account.command("list").description("list all accounts").addHelpText("after", examples("account list")),
    list,
  );
  onStore(
    account
      .command("name <address> <name>")
      .description('set what an account is called, and who its mail is from; "" is its address alone')
      .addHelpText("after", examples('account name ann@example.org "Ann Lee"')),
    rename,
  );
  onStore(
    account
      .command("passwd <address>")
      .description("set an account's password")
      .option("--password-stdin", passwordHelp)
      .addHelpText("after", examples("account passwd ann@example.org")),
    passwd,
  );
  onStore(
    account
      .command("quota <address> [size]")
      .description('tell how much mail an account holds and may hold, or set the limit: a size, or "none"')
      .addHelpText("after", examples("account quota ann@example.org", "account quota ann@example.org 5GB")),
    quota,
  );
  onStore(
    account
      .command("remove <address>")
      .description("remove an account and all its mail")
      .option("--dry-run", "only tell what would be removed")
      .option("--yes", "do not ask")
      .addHelpText(
        "after",
        examples("account remove ann@example.org --dry-run", "account remove ann@example.org --yes"),
      ),
    remove,
  );
  onStore(
    account
      .command("share <address> <login>")
      .description("open an account to one more login")
      .option("--stop", "close it again")
      .addHelpText("after", examples("account share office@example.org ann@example.org")),
    share,
  );
}

/** An account whose domain may be new. A domain without postmaster (RFC 5321 §4.5.1) gets it for one. */
export async function provision(
  store: Store,
  { address, password, quota, name = "" }: { address: string; password: string; quota: number; name?: string },
) {
  const domainName = splitAddress(address)!.domain;
  const { domain, isNew } = await ensureDomain(store, domainName);
  const passwordHash = await hashPassword(password);
  const userId = await createAccount(store, { address, passwordHash, name, quota: quota || null });
  const postmaster = `postmaster@${domainName}`;
  if (address !== postmaster) await addAlias(store, postmaster, userId).catch(() => {});
  return { userId, domain, isNewDomain: isNew };
}

async function add({ config, store, options }: Context, text: string): Promise<void> {
  const address = addressOf(text);
  const name = nameOf(String(options.name));
  // Before anyone types a password.
  if (await isAddressTaken(store.database, address)) throw new Failure(`${address} is taken`);
  const { password, isRandom } = await choosePassword(options);
  const quota = config.defaultQuota;
  const { domain, isNewDomain } = await provision(store, { address, password, quota, name });
  if (isNewDomain) say(`Made the domain ${domain.name}; posthorn domain list prints its DNS records.`);
  say(`Made the account ${address}.`);
  if (isRandom) say(`Its password, shown only now: ${password}`);
}

/** It stands in header fields. */
function nameOf(text: string): string {
  const name = normalized(text.trim(), "NFC");
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) throw new Failure("a name has no control characters");
  if (name.length > 200) throw new Failure("a name has 200 characters at most");
  return name;
}

async function rename({ store }: Context, text: string, newName = ""): Promise<void> {
  const { login, userId } = await loginOf(store, text);
  const name = nameOf(newName);
  await store.write(userId, "server", (tx) => setAccountName(tx, login, name));
  await announceRevoked(store.database, login);
  say(name === "" ? `${login} has no name.` : `${login} is called ${name}.`);
}

async function choosePassword(options: Context["options"]): Promise<{ password: string; isRandom: boolean }> {
  if (options.passwordStdin) return { password: await readSecret(), isRandom: false };
  if (!isTerminal()) return { password: randomPassword(random), isRandom: true };
  const password = await askSecret("Password (empty: a random one): ");
  if (password === "") return { password: randomPassword(random), isRandom: true };
  if ((await askSecret("Again: ")) !== password) throw new Failure("the two passwords differ");
  return { password, isRandom: false };
}

async function list({ store }: Context): Promise<void> {
  const accounts = await listAccounts(store.database);
  if (accounts.length === 0) return say("There is no account yet. Make one: posthorn account add you@example.org");
  const addresses = Map.groupBy(await listAddresses(store.database), ({ userId }) => userId);
  const rows = accounts.map(({ login, userId, createdAt }) => {
    const others = (addresses.get(userId) ?? []).map(({ address }) => address).filter((address) => address !== login);
    return [login, createdAt.toISOString().slice(0, 10), others.join(" ")];
  });
  say(table([["ACCOUNT", "SINCE", "OTHER ADDRESSES"], ...rows]));
}

async function passwd({ store, options }: Context, text: string): Promise<void> {
  const { login } = await loginOf(store, text);
  const { password, isRandom } = await choosePassword(options);
  await setPassword(store, login, await hashPassword(password));
  await announceRevoked(store.database, login);
  say(`Changed the password of ${login}.`);
  if (isRandom) say(`It is, shown only now: ${password}`);
}

async function quota({ store }: Context, text: string, limit?: string): Promise<void> {
  const { login, userId } = await loginOf(store, text);
  if (limit !== undefined) await store.write(userId, "server", (tx) => setQuota(tx, limitOf(limit)));
  const used = showSize(await findUsed(store.database, userId));
  const found = await findQuota(store.database, userId);
  say(`${login} holds ${used} of mail, and may hold ${found ? showSize(found.limit) : "any amount"}.`);
}

/** Null: none. */
function limitOf(text: string): number | null {
  try {
    return text === "none" ? null : size(text) || null;
  } catch (error) {
    throw new Failure((error as Error).message);
  }
}

async function remove({ store, options }: Context, text: string): Promise<void> {
  const { login, userId } = await loginOf(store, text);
  const preview = await previewRemoval(store.database, userId);
  if (options.dryRun) return say(`This would remove ${describeRemoval(preview)}.`);
  if (!options.yes && !(await confirm(`Remove ${describeRemoval(preview)}?`))) throw new Failure("nothing was removed");
  const removal = await withProgress((tell) => removeAccount(store, userId, tell));
  for (const name of removal.logins) await announceRevoked(store.database, name);
  say(`Removed the account ${login}: ${describeRemoval(removal)}.`);
}

function describeRemoval({ addresses, emails, submissions }: Removal): string {
  return `${emails} emails, ${submissions} sent messages and the addresses ${addresses.join(", ")}`;
}

async function share({ store, options }: Context, text: string, loginText: string): Promise<void> {
  const accountId = await findAddress(store.database, addressOf(text));
  if (accountId === undefined) throw new Failure(`there is no account ${text}`);
  const { login, userId } = await loginOf(store, loginText);
  if (userId === accountId) throw new Failure("an account is always open to its own login");
  if (options.stop) {
    if (!(await unshareAccount(store, login, accountId))) throw new Failure(`${text} was not open to ${login}`);
  } else {
    await shareAccount(store, login, accountId);
  }
  await announceRevoked(store.database, login);
  say(options.stop ? `${text} is closed to ${login}.` : `${text} is open to ${login}.`);
}
