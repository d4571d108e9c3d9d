import { createHmac, timingSafeEqual } from "node:crypto";
import { allScopes, type Scope } from "../../auth/scopes.ts";
import type { Database } from "../../store/core/database.ts";
import { InstallationKey } from "../../store/core/installation-key.ts";
import { findOauthClient } from "../../store/directory/oauth-clients.ts";
import { OauthError } from "./errors.ts";
import type { Registration } from "./registration.ts";

/** A program that may ask people for access to their mail. */
export interface Client {
  id: string;
  name: string;
  /** A page about it, as it says itself; "" for none. */
  uri: string;
  redirectUris: readonly string[];
  /** What it may ask for. */
  scopes: readonly Scope[];
  /** The operator registered it; otherwise all that is known of it is what it says. */
  isVerified: boolean;
}

/** Of the id that a registration becomes, which goes into URLs. */
const maxIdLength = 2_000;
const macLength = 16;

/**
 * Programs by their ids. Those of the operator are rows. The id of any other is its registration itself, signed: nobody can fill
 * the database with registrations, the same registration has the same id, and an id never expires.
 */
export class Clients {
  readonly #database: Database;
  readonly #key: InstallationKey;

  constructor(database: Database) {
    this.#database = database;
    this.#key = new InstallationKey(database, "oauth_client_key");
  }

  async register({ redirectUris, name, uri, scopes, softwareId }: Registration): Promise<string> {
    const said = Buffer.from(JSON.stringify([redirectUris, name, uri, scopes, softwareId])).toString("base64url");
    const id = `${said}.${await this.#mac(said)}`;
    if (id.length > maxIdLength) throw new OauthError("invalid_client_metadata", "the registration is too long");
    return id;
  }

  /** Undefined for an id that is none of ours. */
  async find(id: string): Promise<Client | undefined> {
    if (id.length > maxIdLength || id.includes("\0")) return undefined;
    const [said = "", mac, ...more] = id.split(".");
    if (mac === undefined || more.length > 0) return this.#findTrusted(id);
    const [given, right] = [Buffer.from(mac), Buffer.from(await this.#mac(said))];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const [redirectUris, name, uri, scopes] = JSON.parse(Buffer.from(said, "base64url").toString()) as [
      string[],
      string,
      string,
      Scope[],
    ];
    return { id, name, uri, redirectUris, scopes: scopes.length > 0 ? scopes : allScopes, isVerified: false };
  }

  async #findTrusted(id: string): Promise<Client | undefined> {
    const row = await findOauthClient(this.#database, id);
    return row && { ...row, uri: "", scopes: allScopes, isVerified: true };
  }

  async #mac(said: string): Promise<string> {
    const mac = createHmac("sha256", await this.#key.load())
      .update(said)
      .digest();
    return mac.subarray(0, macLength).toString("base64url");
  }
}
