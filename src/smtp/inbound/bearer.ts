/** What a client says in OAUTHBEARER. */
export interface Bearer {
  /** "" when the client leaves it to the token. */
  username: string;
  accessToken: string;
}

const controls = /[\x00-\x1f\x7f-\x9f]/;

/** RFC 7628 §3.1: the client's message, in base64. Undefined when it is malformed. */
export function parseBearer(base64: string): Bearer | undefined {
  const text = Buffer.from(base64, "base64").toString("utf8");
  const match = /^[ny],(?:a=([^,]*))?,\x01((?:[a-z]+=[^\x01]*\x01)*)\x01$/i.exec(text);
  const fields = match?.[2]?.split("\x01") ?? [];
  const accessToken = fields.map((field) => /^auth=bearer +(\S+)$/i.exec(field)?.[1]).find((token) => token);
  if (!match || !accessToken) return undefined;
  // RFC 5801 §4
  const username = (match[1] ?? "").replaceAll(/=2C/gi, ",").replaceAll(/=3D/gi, "=");
  return controls.test(username) ? undefined : { username, accessToken };
}

/** RFC 7628 §3.2.2: what the client is told of a token that is not accepted, in base64. */
export const bearerRefused = Buffer.from(JSON.stringify({ status: "invalid_token", schemes: "bearer" })).toString(
  "base64",
);
