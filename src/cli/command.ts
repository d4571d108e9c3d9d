import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import { createLog } from "../ops/log.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import type { Store } from "../store/core/store.ts";
import { normalizeAddress } from "../store/directory/directory.ts";
import { findLogin } from "../store/directory/logins.ts";
import { withStore } from "./database.ts";
import { Failure } from "./fail.ts";
import { addConfigOptions, configOf } from "./options.ts";

/** What a command works with. */
export interface Context {
  config: Config;
  log: Log;
  store: Store;
  objects: ObjectStore;
  /** The command's own options. */
  options: Record<string, unknown>;
}

export const random = randomBytes;

/** A command that works on the store, beside a running server or alone. */
export function onStore(
  command: Command,
  run: (context: Context, ...args: string[]) => Promise<void>,
  { begins = false, migrating }: { begins?: boolean; migrating?: (name: string) => void } = {},
): Command {
  return addConfigOptions(command).action(async () => {
    const { config, sources } = configOf(command);
    // A command speaks for itself; its log is for what goes wrong.
    const log = createLog(sources.logLevel === "default" ? "warn" : config.logLevel);
    const options = command.opts<Record<string, unknown>>();
    await withStore({ config, log, begins, migrating }, (store, objects) =>
      run({ config, log, store, objects, options }, ...command.args),
    );
  });
}

export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  posthorn ${line}`).join("\n")}`;
}

/** The text as an address in normal form. */
export function addressOf(text: string): string {
  const address = normalizeAddress(text);
  // More is legal in quotes, but typed without them it is a slip.
  const isPlain = /^("[^@]*"|[^\s"(),:;<>[\]\\@]+)@[^@]+$/.test(text.trim());
  if (address === undefined || !isPlain) throw new Failure(`"${text}" is no e-mail address`);
  return address;
}

/** The login of an account's main address. */
export async function loginOf(store: Store, text: string): Promise<{ login: string; userId: number }> {
  const login = addressOf(text);
  const found = await findLogin(store.database, login);
  if (!found) throw new Failure(`there is no account ${login} (see: posthorn account list)`);
  return { login, userId: found.userId };
}
