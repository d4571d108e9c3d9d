import { readPasskey, type Site, verifyUse } from "../auth/passkeys.ts";
import { recoveryHash } from "../auth/recovery-codes.ts";
import { Seal } from "../auth/seal.ts";
import { stepOf } from "../auth/totp.ts";
import { networkOf } from "../base/network.ts";
import type { RateLimit, Throttle } from "../base/shared-counts.ts";
import type { Tx } from "../store/core/store.ts";
import { appendAudit } from "../store/directory/audit.ts";
import type { LoginName } from "../store/directory/login-name.ts";
import {
  countPasskey,
  findPasskeys,
  findTotp,
  hasRecoveryCode,
  takeRecoveryCode,
  takeStep,
} from "../store/directory/second-factors.ts";
import type { Means } from "./means.ts";

/** A second factor that is right. It counts once `use` has used it up, in the transaction of what it allows. */
interface Proof {
  /** False when it was used before. */
  use(tx: Tx): Promise<boolean>;
  /** Called when it has been used. */
  done(): void;
}

interface Given {
  code?: unknown;
  recoveryCode?: unknown;
  passkey?: unknown;
}

/** Verifies second factors. */
export class Proofs {
  readonly #means: Means;
  readonly #seal: Seal;
  /** By account, wherever the guesses come from: who guesses knows the password. A code is one of a million. */
  readonly #codes: Throttle;
  readonly #networks: Throttle;
  readonly #challenges: RateLimit;

  constructor(means: Means) {
    this.#means = means;
    this.#seal = new Seal(means.store.database);
    this.#codes = means.counts.throttle("second factor", { free: 6 });
    this.#networks = means.counts.throttle("second factor network", { free: 30 });
    this.#challenges = means.counts.rateLimit("passkey challenges", { max: 1, windowMs: 3_600_000 });
  }

  /** Seals a secret for `totp`, so that it opens for this account alone. */
  sealed(userId: number, secret: Buffer): Promise<string> {
    return this.#seal.seal(`totp ${userId}`, secret.toString("base64"));
  }

  /** Undefined if what is given is wrong. `challenge`: that of the passkeys, if any were asked for. */
  async check(
    owner: LoginName,
    given: Given,
    where: { site: Site | undefined; challenge: string | null; address: string | undefined },
  ): Promise<Proof | "throttled" | undefined> {
    const network = where.address === undefined ? undefined : networkOf(where.address);
    if (network !== undefined && (await this.#networks.isBlocked(network))) return "throttled";
    const proof = await this.#proofOf(owner, given, { ...where, network });
    if (proof === undefined) {
      if (network !== undefined) this.#networks.fail(network);
      this.#means.log.info({ login: owner.login, remoteAddress: where.address }, "second factor refused");
    }
    return proof;
  }

  async #proofOf(
    owner: LoginName,
    { code, recoveryCode, passkey }: Given,
    where: { site: Site | undefined; challenge: string | null; network: string | undefined },
  ): Promise<Proof | "throttled" | undefined> {
    if (typeof code === "string") return this.#code(owner, code);
    if (typeof recoveryCode === "string") return this.#recoveryCode(owner, recoveryCode);
    const { site, challenge, network } = where;
    if (!site || challenge === null) return undefined;
    return this.passkey(owner, passkey, { site, challenge, network });
  }

  async #code({ userId }: LoginName, code: string): Promise<Proof | "throttled" | undefined> {
    const key = `${userId}`;
    if (!(await this.#codes.attempt(key))) return "throttled";
    const { store, clock } = this.#means;
    const row = await findTotp(store.database, userId);
    const secret = row && (await this.#seal.open(`totp ${userId}`, row.secret));
    if (!row || secret === undefined) return undefined;
    const step = stepOf(code, Buffer.from(secret, "base64"), clock.now());
    if (step === undefined) return undefined;
    return { use: (tx) => takeStep(tx, { secret: row.secret, step }), done: () => this.#codes.forgive(key) };
  }

  async #recoveryCode({ login, userId }: LoginName, code: string): Promise<Proof | undefined> {
    const hash = recoveryHash(userId, code);
    if (!(await hasRecoveryCode(this.#means.store.database, userId, hash))) return undefined;
    const use = async (tx: Tx) => {
      if (!(await takeRecoveryCode(tx, hash))) return false;
      await appendAudit(tx, { who: login, what: { act: "recovery-code.use" } });
      return true;
    };
    return { use, done: () => {} };
  }

  /** Of this account alone, whoever the passkey says it belongs to. Each challenge is answered once. */
  async passkey(
    { userId }: LoginName,
    response: unknown,
    { site, challenge, network }: { site: Site; challenge: string; network: string | undefined },
  ): Promise<Proof | undefined> {
    const given = readPasskey(response);
    if (!given) return undefined;
    const passkey = (await findPasskeys(this.#means.store.database, userId)).find(({ id }) => id.equals(given.id));
    const counter = passkey && (await verifyUse(site, challenge, { response, passkey }));
    if (!passkey || counter === undefined || !(await this.#challenges.count(challenge))) return undefined;
    return { use: (tx) => countPasskey(tx, { id: passkey.id, counter, network: network ?? null }), done: () => {} };
  }
}
