import type { Login } from "../auth/login.ts";
import { accountOf, readPasskey, requestOptions } from "../auth/passkeys.ts";
import type { Tickets } from "../auth/tickets.ts";
import type { Tx } from "../store/core/store.ts";
import type { LoginName } from "../store/directory/login-name.ts";
import { findLogin, mainAddress } from "../store/directory/logins.ts";
import {
  countRecoveryCodes,
  findPasskeys,
  findTotp,
  hasSecondFactor,
  secondFactorNeed,
} from "../store/directory/second-factors.ts";
import { type Asked, type Means, siteOf } from "./means.ts";
import { readStep, writeStep } from "./oidc-step.ts";
import type { Proofs } from "./proofs.ts";
import { Refusal, sendJson } from "./respond.ts";
import { isStill, markOf, type WebTokens } from "./web-tokens.ts";

export const wrongPassword = () => new Refusal(401, "Name or password is wrong.");
export const tooMany = () => new Refusal(429, "Too many wrong passwords or codes recently: try again later.");
const wrongProof = () => new Refusal(401, "The code is wrong or was used before, or the passkey is another's.");
const lateStep = () => new Refusal(401, "That took too long: begin again.", { code: "begin-again" });

/** Signs people in: by password, by password and a second factor, or by a passkey alone. */
export class SignIn {
  readonly #means: Means;
  readonly #tickets: Tickets;
  readonly #tokens: WebTokens;
  readonly #proofs: Proofs;

  constructor(means: Means, { tickets, tokens, proofs }: { tickets: Tickets; tokens: WebTokens; proofs: Proofs }) {
    this.#means = means;
    this.#tickets = tickets;
    this.#tokens = tokens;
    this.#proofs = proofs;
  }

  /** The first step: name and password. */
  async begin(asked: Asked): Promise<void> {
    const { username, password, stay = false } = asked.body;
    if (typeof username !== "string" || typeof password !== "string" || typeof stay !== "boolean") {
      throw new Refusal(400, "Send the texts username and password, and perhaps stay, which is true or false.");
    }
    const login = await this.#means.authenticator.checkFirstFactor(username, password, asked.address);
    if (login === "throttled") throw tooMany();
    if (!login) throw wrongPassword();
    if (login.credential !== "password") {
      throw new Refusal(403, "An app password is for one program: sign in here with the account's own password.");
    }
    await this.#mustBeAdmitted(login);
    const mark = await this.#markOf(login);
    await this.#goOn(asked, { login: login.login, userId: login.userId, mark, stay });
  }

  /** The second step of who comes from the identity provider, by the ticket in a cookie that was set there. */
  async afterProvider(asked: Asked): Promise<void> {
    const isEncrypted = this.#means.proxies.isEncrypted(asked.req);
    asked.res.setHeader("Set-Cookie", writeStep(undefined, isEncrypted));
    const begun = await this.#tickets.open("provider", readStep(asked.req, isEncrypted));
    if (!begun) throw lateStep();
    await this.#goOn(asked, begun);
  }

  async #mustBeAdmitted(login: Login): Promise<void> {
    if ((await this.#means.admits?.(login)) ?? true) return;
    throw new Refusal(403, "This account is not an operator's.");
  }

  /** Signs in who has shown one thing, or asks for what the account needs beside it. */
  async #goOn(asked: Asked, shown: LoginName & { mark: string; stay: boolean }): Promise<void> {
    // Asked anew: what was verified a while ago is remembered.
    const needs = await secondFactorNeed(this.#means.store.database, shown);
    if (needs === "factor") {
      const ticket = await this.#tickets.issue("factor", shown);
      sendJson(asked.res, { step: "set-up", ticket, passkeys: siteOf(asked, this.#means) !== undefined });
    } else if (needs === "proof") await this.#askProof(asked, shown);
    else {
      await this.#open(asked, shown, shown.stay, async (tx) => {
        // It has just got a second factor.
        if (await hasSecondFactor(tx, shown.userId)) return false;
        return isStill(tx, shown);
      });
    }
  }

  /** Of the hash that the password was verified by. */
  async #markOf(login: Login): Promise<string> {
    const { store, authenticator } = this.#means;
    const found = await findLogin(store.database, login.login);
    // It has just been changed.
    if (!found || !authenticator.wasVerifiedBy(login, found.passwordHash)) throw wrongPassword();
    return markOf(found.passwordHash);
  }

  async #askProof(asked: Asked, proved: LoginName & { mark: string; stay: boolean }): Promise<void> {
    const { database } = this.#means.store;
    const { userId } = proved;
    const site = siteOf(asked, this.#means);
    const known = site ? await findPasskeys(database, userId) : [];
    const passkey = site && known.length > 0 ? await requestOptions(site, known) : null;
    const ticket = await this.#tickets.issue("proof", { ...proved, challenge: passkey?.challenge ?? null });
    sendJson(asked.res, {
      step: "second-factor",
      ticket,
      code: (await findTotp(database, userId)) !== undefined,
      passkey,
      recoveryCode: (await countRecoveryCodes(database, userId)) > 0,
    });
  }

  /** The second step: a code, a recovery code or a passkey. */
  async prove(asked: Asked): Promise<void> {
    const { ticket, ...given } = asked.body;
    const proved = await this.#tickets.open("proof", ticket);
    if (!proved) throw lateStep();
    const site = siteOf(asked, this.#means);
    const proof = await this.#proofs.check(proved, given, { ...asked, site, challenge: proved.challenge });
    if (proof === "throttled") throw tooMany();
    if (!proof) throw wrongProof();
    const isRight = async (tx: Tx) => (await isStill(tx, proved)) && proof.use(tx);
    await this.#open(asked, proved, proved.stay, isRight, wrongProof);
    proof.done();
  }

  /** What a browser needs to sign in with any passkey that it has for this site. */
  async offerPasskey(asked: Asked): Promise<void> {
    const site = siteOf(asked, this.#means);
    if (!site) throw new Refusal(404, "Browsers have no passkeys for this page: it needs a name and encryption.");
    const options = await requestOptions(site);
    const ticket = await this.#tickets.issue("passkey", { challenge: options.challenge });
    sendJson(asked.res, { ticket, options });
  }

  /** A passkey alone, which has verified who uses it, says whose it is. */
  async takePasskey(asked: Asked): Promise<void> {
    const { ticket, passkey, stay = false } = asked.body;
    const offered = await this.#tickets.open("passkey", ticket);
    const site = siteOf(asked, this.#means);
    if (!offered || !site) throw lateStep();
    const { database } = this.#means.store;
    const userId = accountOf(readPasskey(passkey)?.userHandle);
    const login = userId === undefined ? undefined : await mainAddress(database, userId);
    if (userId === undefined || login === undefined) throw wrongProof();
    const owner = { login, userId };
    await this.#mustBeAdmitted({ ...owner, accounts: [], credential: "password" });
    const where = { ...asked, site, challenge: offered.challenge };
    const proof = await this.#proofs.check(owner, { passkey }, where);
    if (proof === "throttled") throw tooMany();
    if (!proof) throw wrongProof();
    await this.#open(asked, owner, stay === true, (tx) => proof.use(tx), wrongProof);
  }

  /** Signs in if the transaction finds it right. */
  async #open(
    asked: Asked,
    owner: LoginName,
    stay: boolean,
    isRight: (tx: Tx) => Promise<boolean>,
    refusal = wrongPassword,
  ): Promise<void> {
    const { store, authenticator } = this.#means;
    const opened = await store.write(owner.userId, owner, async (tx) =>
      (await isRight(tx)) ? this.#tokens.add(tx, asked, owner, stay) : undefined,
    );
    if (!opened) throw refusal();
    await authenticator.settle(owner, asked.address);
    await this.#tokens.give(asked, opened);
  }
}
