import type { PasskeyCreation, PasskeyRequest } from "./auth.ts";

/** Whether the browser has passkeys for this page: it wants encryption, and a name rather than a number. */
export function hasPasskeys(): boolean {
  return isSecureContext && "PublicKeyCredential" in globalThis && !/^[\d.]+$|^\[/.test(location.hostname);
}

/** Undefined if the person gives up, or the browser finds none. */
export async function getPasskey(options: PasskeyRequest): Promise<object | undefined> {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.allowCredentials && { allowCredentials: options.allowCredentials.map(named) }),
  };
  const credential = await navigator.credentials
    .get({ publicKey: publicKey as unknown as PublicKeyCredentialRequestOptions })
    .catch(() => null);
  if (!(credential instanceof PublicKeyCredential)) return undefined;
  const { clientDataJSON, authenticatorData, signature, userHandle } =
    credential.response as AuthenticatorAssertionResponse;
  return sent(credential, {
    clientDataJSON: text(clientDataJSON),
    authenticatorData: text(authenticatorData),
    signature: text(signature),
    ...(userHandle && { userHandle: text(userHandle) }),
  });
}

/** "known" if the authenticator has one of this account already; undefined if the person gives up. */
export async function createPasskey(options: PasskeyCreation): Promise<object | "known" | undefined> {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: options.excludeCredentials?.map(named) ?? [],
  };
  const credential = await navigator.credentials
    .create({ publicKey: publicKey as unknown as PublicKeyCredentialCreationOptions })
    .catch((error: DOMException) => (error.name === "InvalidStateError" ? ("known" as const) : null));
  if (credential === "known") return credential;
  if (!(credential instanceof PublicKeyCredential)) return undefined;
  const response = credential.response as AuthenticatorAttestationResponse;
  return sent(credential, {
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
    transports: response.getTransports(),
  });
}

function sent({ id, type }: PublicKeyCredential, response: object): object {
  return { id, rawId: id, type, clientExtensionResults: {}, response };
}

const named = <T extends { id: string }>(one: T) => ({ ...one, id: bytes(one.id) });

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
