/** What /auth/ says to a request that it does not refuse, or why it does. */
export type AuthAnswer<T> =
  | { is: "ok"; value: T }
  | {
      is: "refused";
      status: number /** Which of several reasons. */;
      code: string /** 0 if it does not say. */;
      seconds: number;
    }
  | { is: "unreachable" };

/** Asks something of signing in and of second factors, which is beyond JMAP. What is secret goes in the body. */
export async function askAuth<T>(path: string, body: object = {}): Promise<AuthAnswer<T>> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`/auth/${path}`, { method: "POST", headers, body: JSON.stringify(body) }).catch(
    () => undefined,
  );
  if (!response || response.status >= 500) return { is: "unreachable" };
  const text = await response.text().catch(() => "");
  const value = text === "" ? {} : (JSON.parse(text) as object);
  if (response.ok) return { is: "ok", value: value as T };
  const { code = "" } = value as { code?: string };
  return {
    is: "refused",
    status: response.status,
    code,
    seconds: response.status === 429 ? Number(response.headers.get("Retry-After")) || 0 : 0,
  };
}

/** What the password needs beside it, and the ticket that proves it for ten minutes. */
export type NextStep =
  | { step: "second-factor"; ticket: string; code: boolean; passkey: PasskeyRequest | null; recoveryCode: boolean }
  | { step: "set-up"; ticket: string; passkeys: boolean };

/** Web Authentication §5.1.9 and §5.1.10: options as JSON, of which the bytes are base64url. */
export interface PasskeyRequest {
  challenge: string;
  rpId?: string;
  allowCredentials?: { id: string; type: "public-key"; transports?: string[] }[];
  [other: string]: unknown;
}
export interface PasskeyCreation {
  challenge: string;
  user: { id: string; name: string; displayName: string };
  excludeCredentials?: { id: string; type: "public-key"; transports?: string[] }[];
  [other: string]: unknown;
}
