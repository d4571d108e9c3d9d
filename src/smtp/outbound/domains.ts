import type { Database } from "../../store/core/database.ts";
import { type Domain, findDomain } from "../../store/directory/directory.ts";
import { findSigningKeys } from "../../store/directory/dkim-keys.ts";

/** Domains of ours, each asked for once. It lives as long as the mails that are tried together. */
export class Domains {
  readonly #database: Database;
  readonly #found = new Map<string, Promise<Domain | undefined>>();
  readonly #keys = new Map<string, ReturnType<typeof findSigningKeys>>();

  constructor(database: Database) {
    this.#database = database;
  }

  find(name: string): Promise<Domain | undefined> {
    const found = this.#found.get(name) ?? findDomain(this.#database, name);
    this.#found.set(name, found);
    return found;
  }

  /** The keys that sign the domain's mail. */
  keysOf(name: string): ReturnType<typeof findSigningKeys> {
    const found = this.#keys.get(name) ?? findSigningKeys(this.#database, name);
    this.#keys.set(name, found);
    return found;
  }
}
