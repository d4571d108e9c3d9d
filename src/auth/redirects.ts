/** RFC 3986, without a fragment. */
const characters = /^[\w.~:/?[\]@!$&'()*+,;=%-]{1,500}$/;
/** With at least one dot, as in com.example:/ */
const privateScheme = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:\//i;
const loopback = /^http:\/\/(127\.0\.0\.1|\[::1\])\//;

const isPlain = (uri: string) => characters.test(uri) && !uri.includes("..");

/**
 * draft-ietf-mailmaint-oauth-public §3.3: where a program that registers itself may have its answers sent. Only a program on
 * the person's own device receives them there, so that no web page can register and ask for somebody's mail.
 */
export function isNativeRedirect(uri: string): boolean {
  return isPlain(uri) && (loopback.test(uri) || privateScheme.test(uri));
}

/** For programs that the operator registers: web pages too. */
export function isTrustedRedirect(uri: string): boolean {
  if (isNativeRedirect(uri)) return true;
  const url = URL.parse(uri);
  if (!isPlain(uri) || !url || url.username !== "" || url.password !== "") return false;
  const isNear = ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && isNear);
}

/**
 * RFC 9700 §2.1: the text itself must be registered. The one exception (RFC 8252 §7.3) is the port of a loopback address, which
 * the system gives a program when it asks.
 */
export function isRegistered(registered: readonly string[], uri: string): boolean {
  if (registered.includes(uri)) return true;
  const [, before, port, after] = /^(http:\/\/(?:127\.0\.0\.1|\[::1\])):(\d{1,5})(\/.*)$/.exec(uri) ?? [];
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535) return false;
  return registered.includes(`${before}${after}`);
}

/** The URI with further parameters; what it is otherwise stays as it was registered, letter by letter. */
export function withParameters(uri: string, parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `${uri}${uri.includes("?") ? "&" : "?"}${new URLSearchParams(given)}`;
}
