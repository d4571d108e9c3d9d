import { hash, randomBytes } from "node:crypto";
import type { LRUCache } from "lru-cache";
import { normalizeAddress } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { lru } from "../base/lru.ts";
import { networkOf } from "../base/network.ts";
import type { SharedCounts } from "../base/shared-counts.ts";
import { Slots } from "../base/slots.ts";
import type { Store } from "../store/core/store.ts";
import type { LoginName } from "../store/directory/login-name.ts";
import { findAppPassword, findLogin, openAccounts } from "../store/directory/logins.ts";
import { secondFactorNeed } from "../store/directory/second-factors.ts";
import { noteUse, strongWebSignIn } from "../store/directory/sign-ins.ts";
import { type FoundToken, findToken } from "../store/directory/tokens.ts";
import { KnownNetworks } from "./known-networks.ts";
import type { Authenticator, Login, Refused } from "./login.ts";
import { parseScope } from "./scopes.ts";
import { appPasswordId, hashPassword, tokenAccount, tokenHash, verifyPassword } from "./secrets.ts";

export interface AuthenticatorOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** Counts wrong secrets by login and by network. */
  counts: SharedCounts;
}

/** How long a verified credential is accepted without verifying it again. */
const rememberedMs = 5 * 60_000;

/** Of an Authorization field: a login and a password at their longest, in Base64 of UTF-8. */
const maxHeaderLength = 8_000;

/** argon2 runs in the thread pool that also reads and writes files, so it must not fill that pool. */
const maxVerifications = 2;

interface Verified {
  login: Login;
  expiresAt: Date | undefined;
  isToken: boolean;
}

/** Undefined if the credential is wrong. */
type Outcome = Verified | "throttled" | undefined;

/** How a password is verified. */
interface Way {
  isBlocked: () => Promise<boolean>;
  /** Chooses the slots in which the verification waits. */
  turn: () => Promise<Slots>;
}

interface Entry {
  name: string;
  /** Shared by all requests that come while it is pending. */
  outcome: Promise<Outcome>;
}

/** `name` is the login to throttle and forget by; it is empty for a token, whose login is not known yet. */
interface Attempt {
  id: string;
  name: string;
  remoteAddress: string | undefined;
}

/**
 * Verified credentials are cached under a keyed hash of the Authorization field in its usual form, so argon2 runs once in
 * five minutes, not on each request. A field of that form costs one hash; whoever writes it in other ways gets no
 * verifications and no places in the cache by that.
 */
export function createAuthenticator({ store, clock, log, counts }: AuthenticatorOptions): Authenticator {
  const key = randomBytes(32).toString("base64");
  const cache = new CredentialCache(clock);
  const throttles = {
    login: counts.throttle("login", { free: 6 }),
    network: counts.throttle("login network", { free: 30 }),
  };
  const networks = new KnownNetworks(store);
  const slots = new Slots(maxVerifications);
  /** A slot for logins at home, so that guesses from elsewhere do not make them wait. */
  const homeSlots = new Slots(1);
  const decoy = hashPassword(randomBytes(16).toString("hex"));
  decoy.catch(() => {});

  /** Kept beside logins rather than in them, so that no log can show a hash. */
  const verifiedBy = new WeakMap<Login, string>();

  const keyed = (secret: string) => hash("sha256", `${key}\0${secret}`, "base64");

  /** Whether the login is at home in the network. Asks the database only if a throttle would block the attempt. */
  async function isAtHome(name: string, network: string | undefined, isHindered: boolean): Promise<boolean> {
    if (name === "" || network === undefined) return false;
    return isHindered ? networks.has(name, network) : networks.recall(name, network) === true;
  }

  async function check({ id, name, remoteAddress }: Attempt, verify: (way: Way) => Promise<Outcome>) {
    const network = networkAt(remoteAddress);
    const known = cache.get(id);
    if (known) return recognized(await known.outcome, network);
    const isNetworkBlocked = async () => network !== undefined && (await throttles.network.isBlocked(network));
    const isLoginBlocked = async (key: string) => key !== "" && (await throttles.login.isBlocked(key));
    const blocked = await Promise.all([isNetworkBlocked(), isLoginBlocked(name)]);
    const isHome = await isAtHome(name, network, blocked.includes(true));
    // Guesses from elsewhere must not lock people out of networks where they have logged in before.
    const guessed = isHome ? `${name} ${network}` : name;
    const isRefused = isHome ? await isLoginBlocked(guessed) : blocked.includes(true);
    const shared = cache.get(id);
    if (shared) return recognized(await shared.outcome, network);
    if (isRefused) return "throttled";
    const turn = async () => {
      const isNear = isHome || (slots.waiting > 0 && network !== undefined && (await networks.has(name, network)));
      return isNear ? homeSlots : slots;
    };
    const isBlocked = async () => !isHome && (await isNetworkBlocked());
    const verified = await cache.add(
      id,
      name,
      counted(guessed, () => verify({ isBlocked, turn })),
    );
    if (verified === "throttled") return verified;
    if (!verified) {
      if (network !== undefined) throttles.network.fail(network);
      log.info({ login: name, remoteAddress }, "credential refused");
      return undefined;
    }
    return recognized(verified, network);
  }

  /**
   * A guess at a login counts before its outcome is known. For a network only failures count, since many people may log in
   * from it at once.
   */
  async function counted(guessed: string, verify: () => Promise<Outcome>): Promise<Outcome> {
    if (guessed === "") return verify();
    if (!(await throttles.login.attempt(guessed))) return "throttled";
    try {
      const outcome = await verify();
      if (outcome && outcome !== "throttled") throttles.login.forgive(guessed);
      return outcome;
    } catch (error) {
      throttles.login.withdraw(guessed);
      throw error;
    }
  }

  /** Records that the login is at home in a network where its password was right; a token, from wherever, says nothing. */
  async function recognized(outcome: Outcome, network: string | undefined) {
    if (!outcome || outcome === "throttled") return outcome;
    const { login, isToken } = outcome;
    const { login: name, userId } = login;
    if (store.database.isReadOnly || network === undefined) return login;
    if (!isToken && login.needs === undefined) await keepHome(login, network);
    const isAway = await networks.isNew(name, userId, network).catch((error: unknown) => {
      log.warn({ err: error }, "the networks of a login could not be read");
      return false;
    });
    if (!isAway) return login;
    const away = awayOf(login);
    const hash = verifiedBy.get(login);
    if (hash !== undefined) verifiedBy.set(away, hash);
    return away;
  }

  async function keepHome({ login, userId }: LoginName, network: string): Promise<void> {
    if (networks.isKept(login, userId, network)) return;
    await networks.keep(login, userId, network).catch((error: unknown) => {
      log.warn({ err: error }, "the network of a login could not be recorded");
    });
  }

  async function verifyLogin(attempt: Attempt, password: string, { isBlocked, turn }: Way): Promise<Outcome> {
    const { name } = attempt;
    const secrets = await findLogin(store.database, name);
    const appId = appPasswordId(password);
    const owner = secrets && { login: name, userId: secrets.userId };
    const app = owner && appId ? await findAppPassword(store.database, owner, appId) : undefined;
    // Runs argon2 once even for an unknown login, so that the time does not show which logins exist.
    const hash = app?.passwordHash || secrets?.passwordHash || (await decoy);
    // When one network guesses at many logins at once, the waiting guesses end as soon as enough have failed to block it.
    const slots = await turn();
    const right = await slots.run(async () => ((await isBlocked()) ? "throttled" : verifyPassword(hash, password)));
    if (right === "throttled") return right;
    if (!right || !secrets) return undefined;
    const accounts = await openAccounts(store.database, name, secrets.userId);
    const needs = app ? undefined : await secondFactorNeed(store.database, { login: name, userId: secrets.userId });
    const credential = app ? `app:${appId}` : "password";
    const login = { login: name, userId: secrets.userId, accounts, credential, ...(needs && { needs }) };
    verifiedBy.set(login, hash);
    if (app && appId) await note("app", { ...app, ...login, id: appId }, attempt.remoteAddress);
    return { login, expiresAt: undefined, isToken: false };
  }

  /** Records the use of a token or an app password, for its owner to see. */
  async function note(
    kind: "token" | "app",
    used: { id: string; login: string; userId: number; usedAt: Date | null; network: string | null },
    remoteAddress: string | undefined,
  ): Promise<void> {
    if (store.database.isReadOnly) return;
    const { id, login, userId } = used;
    const use = { kind, id, login, userId, usedAt: clock.now(), network: networkAt(remoteAddress) ?? null };
    await noteUse(store.database, use, used).catch((error: unknown) => {
      log.warn({ err: error }, "the use of a credential could not be recorded");
    });
  }

  async function verifyToken(secret: string, remoteAddress: string | undefined): Promise<Verified | undefined> {
    const token = await findToken(store.database, tokenHash(secret), tokenAccount(secret));
    if (!token || (token.expiresAt && token.expiresAt <= clock.now())) return undefined;
    const secrets = await findLogin(store.database, token.login);
    // The login was deleted and created again with another account: its old tokens do not open that one.
    if (secrets?.userId !== token.userId) return undefined;
    // Since then a second factor has come to be required: signing in again asks for one.
    const isWeak = token.isWeb && token.label !== strongWebSignIn;
    if (isWeak && (await secondFactorNeed(store.database, token)) === "factor") return undefined;
    // Of a grant, each renewal is noted.
    if (token.grantId === null) await note("token", token, remoteAddress);
    const accounts = await openAccounts(store.database, token.login, secrets.userId);
    const { login: name, expiresAt } = token;
    const login = { login: name, userId: secrets.userId, accounts, ...credentialOf(token) };
    return { login, expiresAt, isToken: true };
  }

  async function checkFirstFactor(login: string, password: string, remoteAddress: string | undefined) {
    const name = normalizeAddress(login) ?? login.toLowerCase();
    if (name === "" || name.length > 320 || name.includes("\0") || password.length > 1000) return undefined;
    const id = keyed(name.includes(":") ? `${name}\0${password}` : basicField(name, password));
    const attempt = { id, name, remoteAddress };
    return check(attempt, (way) => verifyLogin(attempt, password, way));
  }

  return {
    checkFirstFactor,
    checkPassword: async (...given) => alone(await checkFirstFactor(...given)),
    async settle(login, remoteAddress) {
      const network = networkAt(remoteAddress);
      if (network !== undefined && !store.database.isReadOnly) await keepHome(login, network);
    },
    wasVerifiedBy: (login, passwordHash) => verifiedBy.get(login) === passwordHash,
    forget: (login) => cache.forget(login),
    async authenticate(header = "", remoteAddress) {
      if (header.length > maxHeaderLength) return undefined;
      const known = cache.get(keyed(header));
      if (known) return alone(await recognized(await known.outcome, networkAt(remoteAddress)));
      const [, scheme = "", value = ""] = /^(\S+) +(\S+) *$/.exec(header) ?? [];
      if (scheme.toLowerCase() === "bearer") {
        if (value.length > 1000) return undefined;
        return check({ id: keyed(`Bearer ${value}`), name: "", remoteAddress }, () =>
          verifyToken(value, remoteAddress),
        );
      }
      if (scheme.toLowerCase() !== "basic") return undefined;
      const text = Buffer.from(value, "base64").toString("utf8");
      const colon = text.indexOf(":");
      if (colon < 0) return undefined;
      return alone(await checkFirstFactor(text.slice(0, colon), text.slice(colon + 1), remoteAddress));
    },
  };
}

/** What lasts longer than an access token, such as a push subscription, ends with the grant. */
function credentialOf({ id, expiresAt, grantId, scope, isWeb }: FoundToken) {
  const scopes = scope === null ? {} : { scopes: new Set(parseScope(scope)) };
  if (grantId !== null) return { credential: `grant:${grantId}`, credentialExpiresAt: undefined, ...scopes };
  return {
    credential: `token:${id}`,
    credentialExpiresAt: expiresAt,
    ...scopes,
    ...(isWeb && { isWeb: true as const }),
  };
}

/** Refuses a password that needs something beside it. */
function alone(login: Login | "throttled" | undefined): Login | Refused | undefined {
  return login !== "throttled" && login?.needs ? "secondFactor" : login;
}

/** The same object for the same login, since others remember what they made for it. */
const awayLogins = new WeakMap<Login, Login>();
function awayOf(login: Login): Login {
  const known = awayLogins.get(login) ?? { ...login, isAway: true };
  awayLogins.set(login, known);
  return known;
}

/** No login in it has a colon, and no field has a NUL. */
const basicField = (login: string, password: string) =>
  `Basic ${Buffer.from(`${login}:${password}`).toString("base64")}`;

const networkAt = (address: string | undefined) => (address === undefined ? undefined : networkOf(address));

class CredentialCache {
  readonly #clock: Clock;
  readonly #entries: LRUCache<string, Entry & { until: number }>;
  /** The cache keys of each login, for `forget`. */
  readonly #keys = new Map<string, Set<string>>();
  /** Counts calls of `forget`: a verification that began before the latest one is not cached. */
  #forgotten = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#entries = lru({
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

  async add(key: string, name: string, outcome: Promise<Outcome>): Promise<Outcome> {
    const now = this.#clock.now().getTime();
    const forgotten = this.#forgotten;
    this.#set(key, { name, outcome, until: now + rememberedMs });
    const verified = await outcome.catch((error: unknown) => {
      this.#entries.delete(key);
      throw error;
    });
    if (!verified || verified === "throttled" || forgotten !== this.#forgotten) this.#entries.delete(key);
    else {
      const until = Math.min(now + rememberedMs, verified.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY);
      this.#set(key, { name: verified.login.login, outcome, until });
    }
    return verified;
  }

  forget(login?: string): void {
    this.#forgotten++;
    if (login === undefined) this.#entries.clear();
    // Tokens that are still being verified are stored under the empty name.
    else for (const name of [login, ""]) for (const key of this.#keys.get(name) ?? []) this.#entries.delete(key);
  }

  #set(key: string, entry: Entry & { until: number }): void {
    this.#entries.set(key, entry);
    const keys = this.#keys.get(entry.name) ?? new Set();
    this.#keys.set(entry.name, keys.add(key));
  }
}
