import type { Authenticator, Login, Refused } from "../../../auth/login.ts";
import { allows, scopes } from "../../../auth/scopes.ts";
import { normalizeAddress } from "../../../base/address.ts";
import { type Check, type Credentials, defer, disconnect, pass, refuse, type Session } from "./stage.ts";

/** Wrong credentials in one connection; then it ends. */
const maxFailures = 5;

/** RFC 4954 §6 */
const wanted =
  "this account has a second factor or must have one: use an app password or a token instead of its password";

const throttled = "too many wrong passwords or tokens, try again later";

interface Means {
  authenticator: Pick<Authenticator, "authenticate" | "checkPassword">;
}

type Proof = () => Promise<Login | Refused | undefined>;

/**
 * `signIn` proves a login by password, app password or token, throttled together with the logins of JMAP. `stillSignedIn`
 * proves it again for each message, so that a revoked credential sends nothing more.
 */
export function signingIn({ authenticator }: Means): { signIn: Check<"auth">; stillSignedIn: Check<"mail" | "data"> } {
  const failures = new WeakMap<Session, number>();
  const proofs = new WeakMap<Session, Proof>();

  const signIn: Check<"auth"> = async (session, { credentials }) => {
    const proof = proofOf(credentials, session, authenticator);
    const login = await proof();
    if (login === "throttled") return defer(454, "4.7.0", throttled);
    if (login === "secondFactor") return refuse(534, "5.7.9", wanted);
    if (login && !allows(login.scopes, scopes.submission)) {
      return refuse(535, "5.7.8", "the token's scope does not allow to send mail");
    }
    if (login) {
      proofs.set(session, proof);
      return pass({ login });
    }
    const count = (failures.get(session) ?? 0) + 1;
    failures.set(session, count);
    if (count >= maxFailures) return disconnect("4.7.0", "too many wrong passwords or tokens");
    return refuse(535, "5.7.8", "the login or its password, app password or token is wrong");
  };

  const stillSignedIn: Check<"mail" | "data"> = async (session) => {
    if (!session.login) return refuse(530, "5.7.0", "sign in first, with AUTH");
    const login = await proofs.get(session)?.();
    if (login === "throttled") return defer(454, "4.7.0", throttled);
    if (login && login !== "secondFactor" && login.userId === session.login.userId) return pass({ login });
    return disconnect("4.7.0", "this password, app password or token is no longer valid");
  };

  return { signIn, stillSignedIn };
}

function proofOf(
  credentials: Credentials,
  { address }: Session,
  { authenticate, checkPassword }: Means["authenticator"],
) {
  const { username = "", password, accessToken, authzid = "" } = credentials;
  return async (): ReturnType<Proof> => {
    if (accessToken !== undefined) {
      const login = await authenticate(`Bearer ${accessToken}`, address);
      // RFC 7628 §3.1: the name may be left out.
      const isWanted = username === "" || (typeof login === "object" && isSame(username, login.login));
      return isWanted || login === "throttled" ? login : undefined;
    }
    // RFC 4616 §2: to act for another login is not offered.
    if (authzid !== "" && !isSame(authzid, username)) return undefined;
    return checkPassword(username, password ?? "", address);
  };
}

const nameOf = (login: string) => normalizeAddress(login) ?? login.toLowerCase();
const isSame = (one: string, other: string) => nameOf(one) === nameOf(other);
