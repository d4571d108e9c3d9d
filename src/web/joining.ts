import type { PasswordFault } from "../auth/password-rules.ts";

/** Who wants an account: by the token of an invitation, or where anybody may sign up. */
export interface Guest {
  token?: string | undefined;
  address: string;
  password: string;
}

/** Why a guest gets no account. */
export type JoinFault = "not-invited" | "not-an-address" | "reserved" | "taken" | `password-${PasswordFault}`;

/** Makes accounts for guests. */
export interface Joining {
  /** The domains where anybody may sign up. */
  signUp: readonly string[];
  /** What an invitation is for; undefined if it is no longer open. */
  invitation(token: string): Promise<{ domain: string; address: string | null; expiresAt: Date } | undefined>;
  /** `isAllowed` is asked last, before an account is made without an invitation. */
  join(guest: Guest, isAllowed: () => Promise<boolean>): Promise<{ address: string } | { fault: JoinFault | "limit" }>;
}
