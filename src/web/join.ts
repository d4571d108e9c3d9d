import { networkOf } from "../base/network.ts";
import type { RateLimit } from "../base/shared-counts.ts";
import type { JoinFault, Joining } from "./joining.ts";
import type { Asked, Means } from "./means.ts";
import { Refusal, sendJson } from "./respond.ts";
import type { SignIn } from "./sign-in.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Of a network in an hour: each may ask whether an address is taken. */
const maxTries = 30;
/** Accounts without an invitation: of a network in a day, and of all. */
const maxSignUps = 3;
const maxSignUpsOfAll = 100;

const words: Record<JoinFault, string> = {
  "not-invited": "The invitation was used, revoked or has expired.",
  "not-an-address": "An address has letters, digits, dots, hyphens and underscores before the @.",
  reserved: "This address is for those who run the domain.",
  taken: "This address is taken.",
  "password-short": "The password is too short.",
  "password-long": "The password is too long.",
  "password-common": "The password is one of those that are tried first.",
  "password-address": "The password is the address.",
};

/** Makes accounts for those who were invited, or who sign up where that is open. Then they are signed in. */
export class Join {
  readonly #means: Means;
  readonly #joining: Joining;
  readonly #signIn: SignIn;
  readonly #tries: RateLimit;
  readonly #ofNetwork: RateLimit;
  readonly #ofAll: RateLimit;

  constructor(means: Means, joining: Joining, signIn: SignIn) {
    this.#means = means;
    this.#joining = joining;
    this.#signIn = signIn;
    const { counts } = means;
    this.#tries = counts.rateLimit("joins", { max: maxTries, windowMs: hourMs });
    this.#ofNetwork = counts.rateLimit("sign-ups of a network", { max: maxSignUps, windowMs: dayMs });
    this.#ofAll = counts.rateLimit("sign-ups", { max: maxSignUpsOfAll, windowMs: dayMs });
  }

  /** Where anybody may sign up. */
  async offers({ res }: Asked): Promise<void> {
    sendJson(res, { signUp: this.#joining.signUp });
  }

  async invitation(asked: Asked): Promise<void> {
    const { token } = asked.body;
    await this.#count(asked);
    const found = typeof token === "string" ? await this.#joining.invitation(token) : undefined;
    if (!found) throw new Refusal(404, words["not-invited"], { code: "not-invited" });
    sendJson(asked.res, found);
  }

  async join(asked: Asked): Promise<void> {
    const { token, address, password } = asked.body;
    if (
      typeof address !== "string" ||
      typeof password !== "string" ||
      !["string", "undefined"].includes(typeof token)
    ) {
      throw new Refusal(400, "Send the texts address and password, and the token of an invitation if there is one.");
    }
    if (this.#means.store.database.isReadOnly) throw new Refusal(503, "This server only reads.");
    await this.#count(asked);
    const guest = { token: token as string | undefined, address, password };
    const joined = await this.#joining.join(guest, () => this.#maySignUp(asked));
    if ("fault" in joined) {
      const { fault } = joined;
      if (fault === "limit") throw new Refusal(429, "Too many new accounts: try again tomorrow.", { code: "limit" });
      throw new Refusal(fault === "taken" ? 409 : 422, words[fault], { code: fault });
    }
    const body = { username: joined.address, password, stay: asked.body.stay === true };
    await this.#signIn.begin({ ...asked, body });
  }

  async #count(asked: Asked): Promise<void> {
    if (!(await this.#tries.count(networkAt(asked)))) throw new Refusal(429, "Too many tries: try again in an hour.");
  }

  async #maySignUp(asked: Asked): Promise<boolean> {
    return (await this.#ofNetwork.count(networkAt(asked))) && (await this.#ofAll.count("all"));
  }
}

/** Behind a proxy that is not trusted, all are one. */
const networkAt = ({ address }: Asked) => (address === undefined ? "unknown" : networkOf(address));
