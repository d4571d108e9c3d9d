import { creationOptions, userHandleOf, verifyNew } from "../auth/passkeys.ts";
import { newRecoveryCodes, recoveryHash } from "../auth/recovery-codes.ts";
import { Seal } from "../auth/seal.ts";
import type { TicketContent, Tickets } from "../auth/tickets.ts";
import { base32, stepOf, totpSecretLength, totpUri } from "../auth/totp.ts";
import { CommitError } from "../store/core/errors.ts";
import type { Tx } from "../store/core/store.ts";
import { appendAudit } from "../store/directory/audit.ts";
import type { LoginName } from "../store/directory/login-name.ts";
import { findLogin } from "../store/directory/logins.ts";
import { removePushesOf } from "../store/directory/push-subscriptions.ts";
import {
  addPasskey,
  addTotp,
  countRecoveryCodes,
  findPasskeys,
  hasSecondFactor,
  needsSecondFactor,
  removePasskey,
  removeTotp,
  replaceRecoveryCodes,
} from "../store/directory/second-factors.ts";
import { removeWebTokens } from "../store/directory/sign-ins.ts";
import { type Asked, type Means, siteOf } from "./means.ts";
import type { Proofs } from "./proofs.ts";
import { Refusal, sendJson } from "./respond.ts";
import { tooMany } from "./sign-in.ts";
import { isStill, markOf, type Opened, type WebTokens } from "./web-tokens.ts";

/** Who changes second factors. `stay`: null if they are signed in, else how they will be once they have one. */
type Asking = LoginName & { mark: string; stay: boolean | null };

const maxPasskeys = 20;
const maxLabelLength = 100;

const beginAgain = () => new Refusal(401, "That took too long: begin again.", { code: "begin-again" });
const exists = () => new Refusal(409, "The account has one already.", { code: "exists" });

/**
 * Adds and removes second factors, for who is signed in and gives the password again, or who signs in and must have one first.
 * Each is added in two steps, of which only the second stores anything.
 */
export class Factors {
  readonly #means: Means;
  readonly #tickets: Tickets;
  readonly #tokens: WebTokens;
  readonly #proofs: Proofs;
  readonly #seal: Seal;

  constructor(means: Means, { tickets, tokens, proofs }: { tickets: Tickets; tokens: WebTokens; proofs: Proofs }) {
    this.#means = means;
    this.#tickets = tickets;
    this.#tokens = tokens;
    this.#proofs = proofs;
    this.#seal = new Seal(means.store.database);
  }

  async beginTotp(asked: Asked): Promise<void> {
    const asking = await this.#whoAsks(asked);
    const secret = this.#means.random(totpSecretLength);
    const ticket = await this.#tickets.issue("newTotp", { ...asking, secret: secret.toString("base64") });
    const uri = totpUri({ secret, login: asking.login, issuer: this.#hostOf(asked) });
    sendJson(asked.res, { ticket, secret: base32(secret), uri });
  }

  async addTotp(asked: Asked): Promise<void> {
    const begun = await this.#goesOn(asked, "newTotp");
    const secret = Buffer.from(begun.secret, "base64");
    const { code } = asked.body;
    const step = typeof code === "string" ? stepOf(code, secret, this.#means.clock.now()) : undefined;
    if (step === undefined) throw new Refusal(422, "The code is not the present one.", { code: "code-wrong" });
    const sealed = await this.#proofs.sealed(begun.userId, secret);
    await this.#add(asked, begun, { kind: "totp", add: (tx) => addTotp(tx, { secret: sealed, step }) });
  }

  async beginPasskey(asked: Asked): Promise<void> {
    const site = siteOf(asked, this.#means);
    if (!site) throw new Refusal(404, "Browsers have no passkeys for this page: it needs a name and encryption.");
    const asking = await this.#whoAsks(asked);
    const known = await findPasskeys(this.#means.store.database, asking.userId);
    if (known.length >= maxPasskeys) throw new Refusal(409, `At most ${maxPasskeys} passkeys.`, { code: "too-many" });
    const userHandle = await userHandleOf(this.#seal, asking.userId);
    const options = await creationOptions(site, { login: asking.login, userHandle, known });
    const ticket = await this.#tickets.issue("newPasskey", { ...asking, challenge: options.challenge });
    sendJson(asked.res, { ticket, options });
  }

  async addPasskey(asked: Asked): Promise<void> {
    const begun = await this.#goesOn(asked, "newPasskey");
    const site = siteOf(asked, this.#means);
    const { label, passkey: response } = asked.body;
    if (typeof label !== "string" || label.length > maxLabelLength || /\p{Cc}/u.test(label)) {
      throw new Refusal(400, `Send a label of at most ${maxLabelLength} characters.`);
    }
    const passkey = site && (await verifyNew(site, begun.challenge, response));
    if (!passkey) throw new Refusal(422, "The passkey was not made for this page.", { code: "passkey-wrong" });
    await this.#add(asked, begun, { kind: "passkey", add: (tx) => addPasskey(tx, { ...passkey, label }) });
  }

  /** `id`: "totp", or that of a passkey. */
  async remove(asked: Asked): Promise<void> {
    const { id } = asked.body;
    if (typeof id !== "string") throw new Refusal(400, "Send the id of the second factor.");
    const asking = await this.#whoAsks(asked);
    await this.#change(asking, async (tx) => {
      if (!(await isStill(tx, asking))) throw beginAgain();
      const isRemoved = id === "totp" ? await removeTotp(tx) : await removePasskey(tx, Buffer.from(id, "base64url"));
      if (!isRemoved) throw new Refusal(404, "The account has no such second factor.");
      if ((await needsSecondFactor(tx, asking)) && !(await hasSecondFactor(tx, asking.userId))) {
        throw new Refusal(409, "This account must have a second factor: add another one first.", { code: "needed" });
      }
      await appendAudit(tx, { who: asking.login, what: { act: "second-factor.remove", kind: kindOf(id) } });
    });
    asked.res.writeHead(204, { "Cache-Control": "no-store" }).end();
  }

  /** Ten new ones. Those of before are no longer accepted. */
  async renewRecoveryCodes(asked: Asked): Promise<void> {
    const asking = await this.#whoAsks(asked);
    const recoveryCodes = await this.#change(asking, async (tx) => {
      if (!(await isStill(tx, asking))) throw beginAgain();
      return this.#newCodes(tx, asking);
    });
    sendJson(asked.res, { recoveryCodes });
  }

  /** By the ticket of a sign-in that needs a second factor, or by the cookie and the password. */
  async #whoAsks(asked: Asked): Promise<Asking> {
    const { ticket, password } = asked.body;
    if (ticket !== undefined) {
      const begun = await this.#tickets.open("factor", ticket);
      if (!begun) throw beginAgain();
      return begun;
    }
    const owner = await this.#signedIn(asked);
    if (typeof password !== "string") throw new Refusal(400, "Send the present password.");
    const { authenticator, store } = this.#means;
    const login = await authenticator.checkFirstFactor(owner.login, password, asked.address);
    if (login === "throttled") throw tooMany();
    const found = await findLogin(store.database, owner.login);
    const isRight = login?.credential === "password" && login.userId === owner.userId;
    if (!isRight || !found || !authenticator.wasVerifiedBy(login, found.passwordHash)) {
      throw new Refusal(403, "The password is wrong.", { code: "password-wrong" });
    }
    return { ...owner, mark: markOf(found.passwordHash), stay: null };
  }

  /** Whose sign-in the browser's cookie stands for. */
  async #signedIn({ req, address }: Asked): Promise<LoginName & { token: string }> {
    const cookie = this.#tokens.cookie(req);
    const login = cookie && (await this.#means.authenticator.authenticate(`Bearer ${cookie}`, address));
    if (login === "throttled") throw tooMany();
    if (typeof login !== "object") throw new Refusal(401, "Sign in first.");
    return { login: login.login, userId: login.userId, token: login.credential.slice("token:".length) };
  }

  /** The second step belongs to who took the first, and to a step that is not long ago. */
  async #goesOn<P extends "newTotp" | "newPasskey">(asked: Asked, purpose: P): Promise<TicketContent[P]> {
    const begun = await this.#tickets.open(purpose, asked.body.ticket);
    if (!begun) throw beginAgain();
    if (begun.stay === null && (await this.#signedIn(asked)).userId !== begun.userId) throw beginAgain();
    return begun;
  }

  /**
   * Adds a second factor. The first one ends what was opened without it, but for this browser, and comes with recovery codes.
   * Who was signing in, is then.
   */
  async #add(
    asked: Asked,
    asking: Asking,
    { kind, add }: { kind: "totp" | "passkey"; add: (tx: Tx) => Promise<boolean> },
  ): Promise<void> {
    const { login, userId, stay } = asking;
    const token = stay === null ? (await this.#signedIn(asked)).token : undefined;
    const { opened, recoveryCodes } = await this.#change(asking, async (tx) => {
      if (!(await isStill(tx, asking))) throw beginAgain();
      const isFirst = !(await hasSecondFactor(tx, userId));
      // Somebody else who knows the password came first.
      if (stay !== null && !isFirst) throw beginAgain();
      if (!(await add(tx))) throw exists();
      await appendAudit(tx, { who: login, what: { act: "second-factor.add", kind } });
      if (isFirst) {
        await removeWebTokens(tx, { login, userId }, token);
        await removePushesOf(tx, { login, userId }, ["password"]);
      }
      const codes = (await countRecoveryCodes(tx, userId)) === 0 ? await this.#newCodes(tx, asking) : [];
      const made: Opened | undefined = stay === null ? undefined : await this.#tokens.add(tx, asked, asking, stay);
      return { opened: made, recoveryCodes: codes };
    });
    if (!opened) return sendJson(asked.res, { recoveryCodes });
    await this.#means.authenticator.settle(asking, asked.address);
    await this.#tokens.give(asked, opened, { recoveryCodes });
  }

  async #newCodes(tx: Tx, { login, userId }: LoginName): Promise<string[]> {
    const codes = newRecoveryCodes(this.#means.random);
    await replaceRecoveryCodes(
      tx,
      codes.map((code) => recoveryHash(userId, code)),
    );
    await appendAudit(tx, { who: login, what: { act: "recovery-codes.make" } });
    return codes;
  }

  /** Tells all processes afterwards, and also when the outcome of the commit is unknown. */
  async #change<T>(owner: LoginName, work: (tx: Tx) => Promise<T>): Promise<T> {
    const { store, bus } = this.#means;
    const announce = () => bus.publish({ credential: owner.login });
    try {
      const result = await store.write(owner.userId, { userId: owner.userId }, work);
      announce();
      return result;
    } catch (error) {
      if (error instanceof CommitError) announce();
      throw error;
    }
  }

  #hostOf({ req }: Asked): string {
    return URL.parse(this.#means.proxies.baseUrl(req))?.hostname ?? "Posthorn";
  }
}

const kindOf = (id: string) => (id === "totp" ? "totp" : "passkey");
