import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import type { Admin } from "../admin/admin.ts";
import type { Log } from "../base/log.ts";
import type { Loaded } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { createLog } from "../ops/log.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import type { Store } from "../store/core/store.ts";
import { type StoreOptions, withStore } from "./database.ts";
import { operator } from "./operator.ts";
import { addConfigOptions, configOf } from "./options.ts";

/** What a command is given. */
export interface Context {
  loaded: Loaded;
  config: Config;
  log: Log;
  store: Store;
  admin: Admin;
  objects: ObjectStore;
  /** The command's own options. */
  options: Record<string, unknown>;
}

export const random = randomBytes;

/** Gives a command an action that works on the store, beside a running server or without one. */
export function onStore(
  command: Command,
  run: (context: Context, ...args: string[]) => Promise<void>,
  { begins = false, migrates = true, migrating }: Partial<Pick<StoreOptions, "begins" | "migrates" | "migrating">> = {},
): Command {
  return addConfigOptions(command).action(async () => {
    const loaded = configOf(command);
    const { config, sources } = loaded;
    // The command prints its own results; its log is for trouble only.
    const log = createLog(sources.logLevel === "default" ? "warn" : config.logLevel);
    const options = command.opts<Record<string, unknown>>();
    await withStore({ config, log, begins, migrates, migrating }, ({ store, objects, bus }) => {
      const admin = { store, bus, random, log, who: operator() };
      return run({ loaded, config, log, store, objects, admin, options }, ...command.args);
    });
  });
}

export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  posthorn ${line}`).join("\n")}`;
}
