import type { LoginName } from "../store/directory/login-name.ts";
import type { Scope } from "./scopes.ts";

/** The login that sent a request, and the accounts it may open. */
export interface Login {
  login: string;
  /** The login's own account. */
  userId: number;
  /** The login's own account first, then those shared with it. */
  accounts: AccountAccess[];
  /**
   * Names the credential used: "password", "app:<id>", "token:<id>" or, for the access tokens of OAuth, "grant:<id>".
   * Revoking it ends all that was opened with it.
   */
  credential: string;
  /** What the credential may be used for; undefined: everything. */
  scopes?: ReadonlySet<Scope>;
  /** Somebody signed in to the pages with a browser. */
  isWeb?: true;
  /**
   * Only of `checkFirstFactor`: what the password needs beside it. "proof" of the account's second factor, or a "factor" that
   * the account must get first.
   */
  needs?: "proof" | "factor" | undefined;
  /** The network is new to the login, which was at home elsewhere before. */
  isAway?: true;
  /** When the credential expires; undefined if it lasts until it is revoked. */
  credentialExpiresAt?: Date | undefined;
}

export interface AccountAccess {
  id: number;
  name: string;
  isPersonal: boolean;
  isReadOnly: boolean;
}

/**
 * Why credentials are refused that may be right: "throttled", too many wrong secrets recently, so try later; "secondFactor", the
 * password is right, but the account has a second factor, or must have one, so it signs in to the pages alone.
 */
export type Refused = "throttled" | "secondFactor";

/** Verifies credentials for the front doors; undefined if they are wrong. */
export interface Authenticator {
  /**
   * Takes the value of an Authorization header: Basic (a password or an app password) or Bearer. Without a `remoteAddress`,
   * as behind a proxy that is not trusted, guesses are throttled per login only.
   */
  authenticate(header: string | undefined, remoteAddress: string | undefined): Promise<Login | Refused | undefined>;
  checkPassword(
    login: string,
    password: string,
    remoteAddress: string | undefined,
  ): Promise<Login | Refused | undefined>;
  /** For who asks for the second factor next: `needs` of the login says whether that is so. */
  checkFirstFactor(
    login: string,
    password: string,
    remoteAddress: string | undefined,
  ): Promise<Login | "throttled" | undefined>;
  /** Records that the login, which needed more than its password, is at home in the network. */
  settle(login: LoginName, remoteAddress: string | undefined): Promise<void>;
  /** Whether a login that was checked by its password was verified against this hash, which may have changed since. */
  wasVerifiedBy(login: Login, passwordHash: string): boolean;
  /** Drops the cached credentials of a login, or of all. Call it when credentials or shares have changed. */
  forget(login?: string): void;
}
