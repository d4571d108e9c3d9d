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

/** Verifies credentials for the front doors. "throttled" means too many wrong secrets recently: try later. */
export interface Authenticator {
  /**
   * Takes the value of an Authorization header: Basic (a password or an app password) or Bearer. Without a `remoteAddress`,
   * as behind a proxy that is not trusted, guesses are throttled per login only.
   */
  authenticate(header: string | undefined, remoteAddress: string | undefined): Promise<Login | "throttled" | undefined>;
  checkPassword(
    login: string,
    password: string,
    remoteAddress: string | undefined,
  ): Promise<Login | "throttled" | undefined>;
  /** Whether a login that `checkPassword` returned was verified against this hash, which may have changed since. */
  wasVerifiedBy(login: Login, passwordHash: string): boolean;
  /** Drops the cached credentials of a login, or of all. Call it when credentials or shares have changed. */
  forget(login?: string): void;
}
