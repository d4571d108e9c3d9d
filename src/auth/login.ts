/** Who a request speaks for, and which accounts that opens. */
export interface Login {
  login: string;
  /** The login's own account. */
  userId: number;
  /** Its own account first, then those shared with it. */
  accounts: AccountAccess[];
  /** Names the credential used, opaque: what is revoked by it ends. "password", "app:<id>" or "token:<id>". */
  credential: string;
  /** When the credential itself ends; undefined for one that lasts until it is revoked. */
  credentialExpiresAt?: Date | undefined;
}

export interface AccountAccess {
  id: number;
  name: string;
  isPersonal: boolean;
  isReadOnly: boolean;
}

/** A front door asks this; "throttled" means too many wrong secrets of late: try later. */
export interface Authenticator {
  /**
   * The value of an Authorization header: Basic (a password or an app password) or Bearer. Without a `remoteAddress`, as
   * behind a proxy that is not trusted, only guesses at one login are slowed down.
   */
  authenticate(header: string | undefined, remoteAddress: string | undefined): Promise<Login | "throttled" | undefined>;
  checkPassword(login: string, password: string, remoteAddress: string): Promise<Login | "throttled" | undefined>;
  /** Drops what is remembered of a login, or of all: to be called when credentials or open accounts changed. */
  forget(login?: string): void;
}
