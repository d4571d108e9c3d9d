import { passwordFault } from "../auth/password-rules.ts";
import { recoveryHash } from "../auth/recovery-codes.ts";
import { hashPassword } from "../auth/secrets.ts";
import { normalizeAddress } from "../base/address.ts";
import { networkOf } from "../base/network.ts";
import type { Throttle } from "../base/shared-counts.ts";
import { CommitError } from "../store/core/errors.ts";
import { appendAudit } from "../store/directory/audit.ts";
import { findLogin, setPassword } from "../store/directory/logins.ts";
import { hasRecoveryCode, takeRecoveryCode } from "../store/directory/second-factors.ts";
import type { Asked, Means } from "./means.ts";
import { Refusal } from "./respond.ts";
import { tooMany } from "./sign-in.ts";

const wrong = () => new Refusal(401, "The address or the recovery code is wrong.");

/** Gives who has forgotten the password a new one, for a recovery code. The second factor stays, and is asked for as ever. */
export class Recovery {
  readonly #means: Means;
  readonly #logins: Throttle;
  readonly #networks: Throttle;

  constructor(means: Means) {
    this.#means = means;
    this.#logins = means.counts.throttle("recovery", { free: 6 });
    this.#networks = means.counts.throttle("recovery network", { free: 30 });
  }

  /** Does the same for an address that has no account as for one with another code. */
  async recover({ body, res, address }: Asked): Promise<void> {
    const { username, recoveryCode, password } = body;
    if (typeof username !== "string" || typeof recoveryCode !== "string" || typeof password !== "string") {
      throw new Refusal(400, "Send the texts username, recoveryCode and password.");
    }
    const { store, log } = this.#means;
    if (store.database.isReadOnly) throw new Refusal(503, "This server only reads.");
    const login = normalizeAddress(username) ?? username.toLowerCase();
    if (login.length > 320 || login.includes("\0")) throw wrong();
    const fault = passwordFault(password, login);
    if (fault) throw new Refusal(422, "Choose another password.", { code: `password-${fault}` });
    const network = address === undefined ? undefined : networkOf(address);
    const isBlocked = network !== undefined && (await this.#networks.isBlocked(network));
    if (isBlocked || !(await this.#logins.attempt(login))) throw tooMany();
    // No account has this number.
    const userId = (await findLogin(store.database, login))?.userId ?? 0;
    const hash = recoveryHash(userId, recoveryCode);
    if (!(await hasRecoveryCode(store.database, userId, hash))) {
      if (network !== undefined) this.#networks.fail(network);
      log.info({ login, remoteAddress: address }, "recovery code refused");
      throw wrong();
    }
    await this.#change({ login, userId }, hash, await hashPassword(password));
    this.#logins.forgive(login);
    log.info({ login, remoteAddress: address }, "password recovered");
    res.writeHead(204, { "Cache-Control": "no-store" }).end();
  }

  async #change({ login, userId }: { login: string; userId: number }, hash: Buffer, passwordHash: string) {
    const { store, bus, clock } = this.#means;
    const announce = () => bus.publish({ credential: login });
    try {
      await store.write(userId, { userId }, async (tx) => {
        if (!(await takeRecoveryCode(tx, hash))) throw wrong();
        if (!(await setPassword({ database: tx, clock }, login, passwordHash))) throw wrong();
        await appendAudit(tx, { who: login, what: { act: "recovery-code.use" } });
        await appendAudit(tx, { who: login, what: { act: "account.password" } });
      });
      announce();
    } catch (error) {
      if (error instanceof CommitError) announce();
      throw error;
    }
  }
}
