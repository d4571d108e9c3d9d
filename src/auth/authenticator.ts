import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Slots } from "../base/slots.ts";
import { normalizeAddress } from "../store/directory.ts";
import { findLogin, openAccounts } from "../store/logins.ts";
import type { Store } from "../store/store.ts";
import { findToken } from "../store/tokens.ts";
import type { Authenticator, Login } from "./login.ts";
import { appPasswordId, hashPassword, tokenHash, verifyPassword } from "./secrets.ts";
import { networkOf, Throttle } from "./throttle.ts";

export interface AuthenticatorOptions {
  store: Store;
  clock: Clock;
  log: Log;
}

/** How long a verified credential is believed without asking again. */
const believed = 5 * 60_000;

/** argon2 runs in the pool of threads that reads and writes files: it must not fill it. */
const atOnce = 2;

interface Verified {
  login: Login;
  expiresAt: Date | undefined;
}

interface Entry {
  name: string;
  /** Undefined: a wrong one. Shared by all that ask meanwhile. */
  outcome: Promise<Verified | undefined>;
}

/** Verified credentials are remembered under an HMAC of the secret, so argon2 runs once in minutes, not on each request. */
export function createAuthenticator({ store, clock, log }: AuthenticatorOptions): Authenticator {
  const key = randomBytes(32);
  const cache = new CredentialCache(clock);
  const byLogin = new Throttle({ free: 6, clock });
  const byNetwork = new Throttle({ free: 30, clock });
  const slots = new Slots(atOnce);
  const decoy = hashPassword(randomBytes(16).toString("hex"));
  decoy.catch(() => {});

  const secretKey = (kind: string, name: string, secret: string) =>
    createHmac("sha256", key).update(`${kind}\0${name}\0${secret}`).digest("base64");

  /** `name`: the login to throttle and forget by; empty until a token tells it. */
  async function check(id: string, name: string, remoteAddress: string, verify: () => Promise<Verified | undefined>) {
    const known = cache.get(id);
    if (known) return (await known.outcome)?.login;
    const network = networkOf(remoteAddress);
    if (byNetwork.isBlocked(network) || (name !== "" && byLogin.isBlocked(name))) return "throttled";
    // Guesses at one login count before their outcome is known; many people may log in at once from one network.
    if (name !== "") byLogin.attempt(name);
    const verified = await cache.add(id, name, verify()).catch((error: unknown) => {
      if (name !== "") byLogin.withdraw(name);
      throw error;
    });
    if (!verified) {
      byNetwork.attempt(network);
      log.info({ login: name, remoteAddress }, "credential refused");
      return undefined;
    }
    if (name !== "") byLogin.forgive(name);
    return verified.login;
  }

  async function verifyLogin(name: string, password: string): Promise<Verified | undefined> {
    const secrets = await findLogin(store.database, name);
    const appId = appPasswordId(password);
    const app = secrets?.appPasswords.find(({ id }) => id === appId);
    // One argon2 whatever the login is, so the time tells nothing.
    const hash = app?.hash ?? secrets?.passwordHash ?? (await decoy);
    const right = await slots.run(() => verifyPassword(hash, password));
    if (!right || !secrets) return undefined;
    const accounts = await openAccounts(store.database, name, secrets.userId);
    const credential = app ? `app:${app.id}` : "password";
    return { login: { login: name, userId: secrets.userId, accounts, credential }, expiresAt: undefined };
  }

  async function verifyToken(secret: string): Promise<Verified | undefined> {
    const token = await findToken(store.database, tokenHash(secret));
    if (!token || (token.expiresAt && token.expiresAt <= clock.now())) return undefined;
    const secrets = await findLogin(store.database, token.login);
    if (!secrets) return undefined;
    const accounts = await openAccounts(store.database, token.login, secrets.userId);
    const { login: name, expiresAt } = token;
    const credential = { credential: `token:${token.id}`, credentialExpiresAt: expiresAt };
    return { login: { login: name, userId: secrets.userId, accounts, ...credential }, expiresAt };
  }

  async function checkPassword(login: string, password: string, remoteAddress: string) {
    const name = normalizeAddress(login) ?? login.toLowerCase();
    // The database takes no NUL.
    if (name === "" || name.length > 320 || name.includes("\0") || password.length > 1000) return undefined;
    return check(secretKey("basic", name, password), name, remoteAddress, () => verifyLogin(name, password));
  }

  return {
    checkPassword,
    forget: (login) => cache.forget(login),
    async authenticate(header, remoteAddress) {
      const [, scheme = "", value = ""] = /^(\S+) +(\S+) *$/.exec(header ?? "") ?? [];
      if (scheme.toLowerCase() === "bearer") {
        if (value.length > 1000) return undefined;
        return check(secretKey("bearer", "", value), "", remoteAddress, () => verifyToken(value));
      }
      if (scheme.toLowerCase() !== "basic") return undefined;
      const text = Buffer.from(value, "base64").toString("utf8");
      const colon = text.indexOf(":");
      return colon < 0 ? undefined : checkPassword(text.slice(0, colon), text.slice(colon + 1), remoteAddress);
    },
  };
}

class CredentialCache {
  readonly #clock: Clock;
  readonly #entries: LRUCache<string, Entry & { until: number }>;
  /** The keys of a login, for `forget`. */
  readonly #keys = new Map<string, Set<string>>();
  /** Raised by each `forget`: a verification that began before is not remembered. */
  #forgotten = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#entries = new LRUCache({
      max: 20_000,
      dispose: (entry, key) => {
        const keys = this.#keys.get(entry.name);
        keys?.delete(key);
        if (keys?.size === 0) this.#keys.delete(entry.name);
      },
    });
  }

  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry && entry.until <= this.#clock.now().getTime()) this.#entries.delete(key);
    else return entry;
    return undefined;
  }

  async add(key: string, name: string, outcome: Promise<Verified | undefined>): Promise<Verified | undefined> {
    const now = this.#clock.now().getTime();
    const forgotten = this.#forgotten;
    this.#set(key, { name, outcome, until: now + believed });
    const verified = await outcome.catch((error: unknown) => {
      this.#entries.delete(key);
      throw error;
    });
    if (!verified || forgotten !== this.#forgotten) this.#entries.delete(key);
    else {
      const until = Math.min(now + believed, verified.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY);
      this.#set(key, { name: verified.login.login, outcome, until });
    }
    return verified;
  }

  forget(login?: string): void {
    this.#forgotten++;
    if (login === undefined) this.#entries.clear();
    else for (const key of this.#keys.get(login) ?? []) this.#entries.delete(key);
  }

  #set(key: string, entry: Entry & { until: number }): void {
    this.#entries.set(key, entry);
    const keys = this.#keys.get(entry.name) ?? new Set();
    this.#keys.set(entry.name, keys.add(key));
  }
}
