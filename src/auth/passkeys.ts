import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import type { PasskeyRow } from "../store/directory/second-factors.ts";
import type { Seal } from "./seal.ts";

/** The page that a passkey belongs to: no other page of any server can use it. */
export interface Site {
  /** Such as https://mail.example.org */
  origin: string;
  /** Its host, which is the Relying Party ID. */
  host: string;
}

type Passkey = Pick<PasskeyRow, "id" | "publicKey" | "counter" | "transports">;

/** Ed25519, ES256 and RS256 (RFC 9053): all that authenticators have. */
const algorithms = [-8, -7, -257];

/** How long a browser waits for its user. */
const timeoutMs = 5 * 60_000;

/** Loaded when it is first used: it brings much that reads certificates. */
const library = () => import("@simplewebauthn/server");

/** What a browser is given to make a passkey that names its account by itself, and asks for a PIN or fingerprint. */
export async function creationOptions(
  site: Site,
  { login, userHandle, known }: { login: string; userHandle: string; known: readonly Passkey[] },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { generateRegistrationOptions } = await library();
  return generateRegistrationOptions({
    rpName: "Posthorn",
    rpID: site.host,
    userID: new Uint8Array(Buffer.from(userHandle)),
    userName: login,
    userDisplayName: login,
    timeout: timeoutMs,
    attestationType: "none",
    supportedAlgorithmIDs: algorithms,
    excludeCredentials: known.map(named),
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
  });
}

/** What a browser is given to use a passkey: one of these, or any that it has for the site. */
export async function requestOptions(
  site: Site,
  known?: readonly Passkey[],
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { generateAuthenticationOptions } = await library();
  return generateAuthenticationOptions({
    rpID: site.host,
    timeout: timeoutMs,
    userVerification: "required",
    ...(known && { allowCredentials: known.map(named) }),
  });
}

/** The new passkey; undefined if it was not made for this challenge on this site, with its user verified. */
export async function verifyNew(site: Site, challenge: string, response: unknown): Promise<Passkey | undefined> {
  const { verifyRegistrationResponse } = await library();
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response: response as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.host,
      supportedAlgorithmIDs: algorithms,
    });
    if (!registrationInfo) return undefined;
    const { id, publicKey, counter } = registrationInfo.credential;
    const given = (response as RegistrationResponseJSON).response.transports;
    const transports = (Array.isArray(given) ? given : []).filter((one) => typeof one === "string" && one.length < 20);
    return { id: Buffer.from(id, "base64url"), publicKey: Buffer.from(publicKey), counter, transports };
  } catch {
    return undefined;
  }
}

/** The passkey's new count; undefined unless it answered this challenge on this site, with its user verified. */
export async function verifyUse(
  site: Site,
  challenge: string,
  { response, passkey }: { response: unknown; passkey: Passkey },
): Promise<number | undefined> {
  const { verifyAuthenticationResponse } = await library();
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: response as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.host,
      credential: {
        id: passkey.id.toString("base64url"),
        publicKey: new Uint8Array(passkey.publicKey),
        counter: passkey.counter,
      },
    });
    return verified ? authenticationInfo.newCounter : undefined;
  } catch {
    return undefined;
  }
}

/** The id of the passkey that a browser answers with, and whose it says it is. */
export function readPasskey(response: unknown): { id: Buffer; userHandle: string | undefined } | undefined {
  if (typeof response !== "object" || response === null) return undefined;
  const { id, response: inner } = response as { id?: unknown; response?: { userHandle?: unknown } };
  if (typeof id !== "string" || id.length > 2_000) return undefined;
  const handle = inner?.userHandle;
  const userHandle = typeof handle === "string" ? Buffer.from(handle, "base64url").toString() : undefined;
  return { id: Buffer.from(id, "base64url"), userHandle };
}

/** What passkeys call an account: the same for all of its passkeys, and another in each installation. */
export async function userHandleOf(seal: Seal, userId: number): Promise<string> {
  return `${userId}.${(await seal.mark("user handle", `${userId}`)).slice(0, 22)}`;
}

/** The account that a user handle names. Whether the passkey is one of that account's is another question. */
export function accountOf(userHandle: string | undefined): number | undefined {
  const number = /^([1-9]\d{0,14})\./.exec(userHandle ?? "")?.[1];
  return number === undefined ? undefined : Number(number);
}

const named = ({ id, transports }: Passkey) => ({ id: id.toString("base64url"), transports });
