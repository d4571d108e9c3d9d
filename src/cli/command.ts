import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import type { Admin } from "../admin/admin.ts";
import type { Log } from "../base/log.ts";
import type { Loaded } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import type { Store } from "../store/core/store.ts";
import type { StoreOptions } from "./database.ts";
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

type Run = (context: Context, ...args: string[]) => Promise<void>;
/** Imports what the command runs, which takes longer than to show its help. */
export type LoadRun = () => Promise<Run>;

type How = Partial<Pick<StoreOptions, "begins" | "migrates" | "migrating">>;

/** Gives a command an action that works on the store, beside a running server or without one. */
export function onStore(command: Command, load: LoadRun, how: How = {}): Command {
  if (!command.options.some(({ long }) => long === "--json")) command.option("--json", "print JSON");
  return addConfigOptions(command).action(() => runOnStore(command, load, how));
}

/** What the action of `onStore` does. */
export async function runOnStore(
  command: Command,
  load: LoadRun,
  { begins = false, migrates = true, migrating }: How = {},
): Promise<void> {
  const loaded = configOf(command);
  const { config, sources } = loaded;
  const [{ createLog }, { withStore }] = await Promise.all([import("../ops/log.ts"), import("./database.ts")]);
  // The command prints its own results; its log is for trouble only.
  const log = createLog(sources.logLevel === "default" ? "warn" : config.logLevel);
  const options = command.opts<Record<string, unknown>>();
  const run = await load();
  await withStore({ config, log, begins, migrates, migrating }, ({ store, objects, bus }) => {
    const admin = { store, bus, random, log, who: operator() };
    return run({ loaded, config, log, store, objects, admin, options }, ...command.args);
  });
}

export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  posthorn ${line}`).join("\n")}`;
}
