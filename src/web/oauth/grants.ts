import { createHash, timingSafeEqual } from "node:crypto";
import type { Login } from "../../auth/login.ts";
import { parseScope, type Scope, scopeText } from "../../auth/scopes.ts";
import { newCredentialId, newToken, tokenAccount, tokenHash } from "../../auth/secrets.ts";
import type { Random } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Bus } from "../../push/bus.ts";
import { AccountMissing, CommitError } from "../../store/core/errors.ts";
import type { Store, Tx } from "../../store/core/store.ts";
import { appendAudit } from "../../store/directory/audit.ts";
import {
  addGrant,
  findGrant,
  type OauthGrant,
  removeAccessToken,
  removeGrants,
  renewGrant,
} from "../../store/directory/oauth-grants.ts";
import { isWebToken, strongWebSignIn, webSignIn } from "../../store/directory/sign-ins.ts";
import { Refusal } from "../respond.ts";
import type { Authorization } from "./authorization.ts";
import { OauthError } from "./errors.ts";

export interface GrantsOptions {
  store: Store;
  bus: Pick<Bus, "publish">;
  random: Random;
  log: Log;
}

/** draft-ietf-mailmaint-oauth-public §3.4: at least ten minutes; RFC 6749 §4.1.2: no more. */
const codeLifeMs = 600_000;
/** draft-ietf-mailmaint-oauth-public §3.9: at least an hour. */
const accessLifeMs = 3_600_000;

/** RFC 6749 §5.1 */
export interface Tokens {
  access_token: string;
  token_type: "Bearer";
  expires_in: number;
  scope: string;
  refresh_token: string;
}

export interface Request {
  clientId: string;
  /** Undefined when it is not known. */
  network: string | undefined;
}

const wrong = (what: string) =>
  new OauthError("invalid_grant", `the ${what} is wrong, used, expired or of another program`);

/** What people allowed programs to do: codes, and the tokens that programs get for them. All of it lies beside the account. */
export class Grants {
  readonly #options: GrantsOptions;

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  /** Somebody who is signed in at the pages allows it. Returns the code that the program redeems. */
  async allow(login: Login, { client, redirectUri, scopes, challenge }: Authorization): Promise<string> {
    const { store, random, log } = this.#options;
    const { userId, login: name, credential } = login;
    const id = newCredentialId(random);
    const code = `posthorn_c${userId}.${id}.${random(32).toString("base64url")}`;
    await store.write(userId, login, async (tx) => {
      // A change of the password, which ends sign-ins, ends what comes of them.
      if (
        !(await isWebToken(tx, {
          userId,
          login: name,
          id: credential.slice("token:".length),
          labels: [webSignIn, strongWebSignIn],
        }))
      ) {
        throw new Refusal(401, "You are no longer signed in.");
      }
      await addGrant(tx, {
        ...{ userId, id, login: name, clientId: client.id, name: client.name, isVerified: client.isVerified },
        ...{ scope: scopeText(scopes), createdAt: tx.now, redirectUri, challenge },
        codeHash: sha256(code),
        codeExpiresAt: new Date(tx.now.getTime() + codeLifeMs),
      });
      await appendAudit(tx, { who: name, what: { act: "grant.add", id, program: client.name } });
    });
    log.info({ login: name, program: client.name, isVerified: client.isVerified, grant: id }, "a program was allowed");
    return code;
  }

  /** RFC 6749 §4.1.3, RFC 7636 §4.5 */
  async redeem(
    { code, redirectUri, verifier }: { code: string; redirectUri: string; verifier: string },
    request: Request,
  ): Promise<Tokens> {
    const place = /^posthorn_c(\d{1,15})\.(\w{1,20})\.[\w-]{43}$/.exec(code);
    const isCode = ({ codeHash }: OauthGrant) => isSame(codeHash, sha256(code));
    return this.#change(place, "code", isCode, async (tx, grant) => {
      // RFC 9700 §4.5: the program or a thief was first; there is no telling which.
      if (grant.refreshHash !== null) return this.#end(tx, grant, "its code was used twice");
      const isRight =
        grant.codeExpiresAt > tx.now &&
        grant.clientId === request.clientId &&
        grant.redirectUri === redirectUri &&
        /^[\w.~-]{43,128}$/.test(verifier) &&
        sha256(verifier).toString("base64url") === grant.challenge;
      if (!isRight) throw wrong("code");
      const family = `posthorn_r${grant.userId}.${grant.id}.${this.#options.random(16).toString("base64url")}`;
      return this.#renew(tx, grant, { family, scope: grant.scope, network: request.network });
    });
  }

  /** RFC 6749 §6. `scope`: less than was granted; undefined for all of it. */
  async refresh(token: string, scope: string | undefined, request: Request): Promise<Tokens> {
    const { place, family, isOfFamily } = readRefreshToken(token);
    return this.#change(place, "refresh token", isOfFamily, async (tx, grant) => {
      // RFC 9700 §4.14: the program or a thief has had the one that came after it.
      if (!isSame(grant.refreshHash!, sha256(token))) return this.#end(tx, grant, "a refresh token was used twice");
      if (grant.clientId !== request.clientId) throw wrong("refresh token");
      const narrowed = scope === undefined ? grant.scope : narrow(grant.scope, scope);
      return this.#renew(tx, grant, { family, scope: narrowed, network: request.network });
    });
  }

  /** RFC 7009 §2.1: any refresh token of a grant ends it, an access token ends alone. Others are none of this endpoint's. */
  async revoke(token: string, clientId: string): Promise<void> {
    const { place, isOfFamily } = readRefreshToken(token);
    if (place) {
      await this.#change(place, "refresh token", isOfFamily, async (tx, grant) => {
        if (grant.clientId !== clientId) throw wrong("refresh token");
        return this.#end(tx, grant, "the program gave it back");
      }).catch((error: unknown) => {
        if (!(error instanceof OauthError)) throw error;
      });
      return;
    }
    const userId = tokenAccount(token);
    if (userId === undefined) return;
    const { store, bus } = this.#options;
    const login = await removeAccessToken(store.database, { userId, hash: tokenHash(token), clientId });
    if (login !== undefined) bus.publish({ credential: login });
  }

  /** Works on the grant that a secret belongs to, under its account's lock. `work` returns undefined when it has ended the grant. */
  async #change(
    place: RegExpExecArray | null,
    what: string,
    isRight: (grant: OauthGrant) => boolean,
    work: (tx: Tx, grant: OauthGrant) => Promise<Tokens | undefined>,
  ): Promise<Tokens> {
    const { store, bus } = this.#options;
    const name = { userId: Number(place?.[1]), id: place?.[2] ?? "" };
    // Without the lock first: nobody may hold up an account by guessing.
    const known = place ? await findGrant(store.database, name) : undefined;
    if (!known || !isRight(known)) throw wrong(what);
    const announce = () => bus.publish({ credential: known.login });
    try {
      const tokens = await store.write(name.userId, "server", async (tx) => {
        const grant = await findGrant(tx, name);
        if (!grant || !isRight(grant)) throw wrong(what);
        return work(tx, grant);
      });
      if (tokens) return tokens;
    } catch (error) {
      if (error instanceof AccountMissing) throw wrong(what);
      if (error instanceof CommitError) announce();
      throw error;
    }
    announce();
    throw wrong(what);
  }

  async #renew(
    tx: Tx,
    { userId, id, login }: OauthGrant,
    { family, scope, network }: { family: string; scope: string; network: string | undefined },
  ): Promise<Tokens> {
    const { random } = this.#options;
    const access = newToken(random, userId);
    const refresh = `${family}.${random(32).toString("base64url")}`;
    const hashes = { familyHash: sha256(family), refreshHash: sha256(refresh) };
    const expiresAt = new Date(tx.now.getTime() + accessLifeMs);
    await renewGrant(
      tx,
      { userId, id, ...hashes, usedAt: tx.now, network: network ?? null },
      {
        ...{ userId, hash: access.hash, id: access.id, login, label: "oauth" },
        ...{ createdAt: tx.now, expiresAt, grantId: id, scope },
      },
    );
    return {
      access_token: access.secret,
      token_type: "Bearer",
      expires_in: accessLifeMs / 1000,
      scope,
      refresh_token: refresh,
    };
  }

  async #end(tx: Tx, { userId, id, login }: OauthGrant, reason: string): Promise<undefined> {
    await removeGrants(tx, { userId, login }, [id]);
    await appendAudit(tx, { who: "server", what: { act: "grant.end", id, reason } });
    this.#options.log.info({ login, grant: id, reason }, "what a program was allowed has ended");
  }
}

/** A refresh token is what all of its grant begin with, and a part of its own. */
function readRefreshToken(token: string) {
  const place = /^posthorn_r(\d{1,15})\.(\w{1,20})\.[\w-]{22}\.[\w-]{43}$/.exec(token);
  const family = token.slice(0, token.lastIndexOf("."));
  const isOfFamily = ({ familyHash }: OauthGrant) => familyHash !== null && isSame(familyHash, sha256(family));
  return { place, family, isOfFamily };
}

function narrow(granted: string, wanted: string): string {
  const may = new Set<Scope>(parseScope(granted));
  const scopes = parseScope(wanted);
  if (scopes.length > 0 && scopes.every((scope) => may.has(scope))) return scopeText(scopes);
  throw new OauthError("invalid_scope", "that is more than was allowed");
}

const sha256 = (text: string) => createHash("sha256").update(text).digest();
const isSame = (one: Buffer, other: Buffer) => one.length === other.length && timingSafeEqual(one, other);
