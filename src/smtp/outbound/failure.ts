/** An error of the library, of a socket or of TLS. */
export type Failure = Error & {
  code?: string;
  /** The system's error code, when `code` is the library's. */
  originalCode?: string;
  /** OpenSSL's own words. */
  reason?: string;
  response?: string;
  command?: string;
};

/** RFC 3463 §3.5: what a system error means to the sender of the mail. */
const meanings: Record<string, string> = {
  ECONNREFUSED: "4.4.1 connection refused",
  CONNECT_TIMEOUT: "4.4.1 connection timed out",
  ETIMEDOUT: "4.4.1 connection timed out",
  EHOSTUNREACH: "4.4.1 no route to this host",
  EHOSTDOWN: "4.4.1 this host is down",
  ENETUNREACH: "4.4.1 network unreachable",
  ENETDOWN: "4.4.1 network down",
  EADDRNOTAVAIL: "4.4.1 no address of ours to connect from",
  EAFNOSUPPORT: "4.4.1 no network of this kind here",
  EACCES: "4.4.1 connecting is not permitted here",
  EPERM: "4.4.1 connecting is not permitted here",
  EINVAL: "4.4.1 nothing can connect to this address",
  EMFILE: "4.3.1 too many files are open here",
  ENFILE: "4.3.1 too many files are open here",
  ENOBUFS: "4.3.1 out of memory for connections here",
  ENOMEM: "4.3.1 out of memory for connections here",
  ECONNRESET: "4.4.2 connection reset",
  ECONNABORTED: "4.4.2 connection broken off",
  EPIPE: "4.4.2 connection closed",
  ECONNECTION: "4.4.2 connection closed",
  GREETING_TIMEOUT: "4.4.2 no greeting in time",
  SOCKET_TIMEOUT: "4.4.2 no reply in time",
  ETIMEOUT: "4.4.2 too slow",
  EDNS: "4.4.3 DNS did not answer",
  ENOTFOUND: "4.4.3 DNS knows no address",
  EAI_AGAIN: "4.4.3 DNS did not answer",
  EPROTOCOL: "4.5.0 a reply that is none",
  EAUTH: "4.7.0 login failed",
  ENOAUTH: "4.7.0 login failed",
};
const tlsCodes =
  /^(ETLS$|EPROTO$|ERR_(SSL|TLS|OSSL)|UNABLE_TO_|CRL_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH)|CERT|CHAIN/;
const maxWordsLength = 200;

/** True for any failure between STARTTLS, or connecting with TLS, and the end of the handshake. */
export function isTlsFailure({ code, originalCode }: Failure): boolean {
  return [code, originalCode].some((one) => one !== undefined && tlsCodes.test(one));
}

/** A temporary reply in our own words when no server replied: an enhanced status code and what happened. */
export function failureReply(failure: Failure | undefined, server: { name: string; address: string }): string {
  const [status, words] = meaningOf(failure);
  return `451 ${status} ${server.name} [${server.address}]: ${words}`;
}

function meaningOf(failure: Failure | undefined): [status: string, words: string] {
  if (!failure) return ["4.4.2", "connection closed"];
  if (isTlsFailure(failure)) return ["4.7.5", tlsWords(failure)];
  const { code = "", originalCode = "" } = failure;
  // The library's own code says little about an unexpected error.
  const meaning = meanings[originalCode] ?? (originalCode === "" || code === "EDNS" ? meanings[code] : undefined);
  if (!meaning) return ["4.4.0", plain(failure.message)];
  const [status, words] = [meaning.slice(0, 5), meaning.slice(6)];
  return [status, failure.response ? `${words}: ${plain(failure.response)}` : words];
}

/** What the server, OpenSSL or the certificate check said. */
function tlsWords({ reason, message, originalCode, response }: Failure): string {
  if (response) return `TLS refused: ${plain(response)}`;
  const openSsl = reason ?? /:SSL routines:[^:]*:([^:\n]+)/.exec(message)?.[1];
  const words = meanings[originalCode ?? ""]?.slice(6) ?? openSsl ?? message.replace(/^Error initiating TLS - /, "");
  return `TLS handshake failed: ${plain(words)}`;
}

function plain(text: string): string {
  return text
    .replace(/[\x00-\x1f\x7f]+/g, " ")
    .trim()
    .slice(0, maxWordsLength);
}
