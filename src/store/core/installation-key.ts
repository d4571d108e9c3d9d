import { randomBytes } from "node:crypto";
import type { Log } from "../../base/log.ts";
import type { Database } from "./database.ts";
import { keepSetting } from "./settings.ts";

const names = ["known_network_key", "oauth_client_key", "return_path_key", "seal_key"] as const;
type KeyName = (typeof names)[number];

const make = async () => randomBytes(32).toString("hex");

/** A secret of 32 bytes that all processes of the installation share, and nobody else has. */
export class InstallationKey {
  readonly #database: Database;
  readonly #name: KeyName;
  #key: Promise<Buffer> | undefined;

  constructor(database: Database, name: KeyName) {
    this.#database = database;
    this.#name = name;
  }

  load(): Promise<Buffer> {
    this.#key ??= keepSetting(this.#database, this.#name, make)
      .then((text) => Buffer.from(text, "hex"))
      .catch((error: unknown) => {
        this.#key = undefined;
        throw error;
      });
    return this.#key;
  }
}

/**
 * Makes the keys that are missing. Done at the start, since a setting lies on all nodes: made on the way of the first mail or
 * sign-in, a key would fail both while one node is away. What fails here is made then after all.
 */
export async function makeKeys(database: Database, log: Log): Promise<void> {
  for (const outcome of await Promise.allSettled(names.map((name) => keepSetting(database, name, make)))) {
    if (outcome.status === "rejected") log.warn({ err: outcome.reason }, "a key of the installation was not made");
  }
}
