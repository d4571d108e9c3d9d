import type { TLSSocket } from "node:tls";
import type { Failure } from "../failure.ts";

/** RFC 8460 §4.3 */
export type TlsResult =
  | "starttls-not-supported"
  | "certificate-host-mismatch"
  | "certificate-expired"
  | "certificate-not-trusted"
  | "validation-failure"
  | "dnssec-invalid"
  | "sts-policy-fetch-error"
  | "sts-policy-invalid"
  | "sts-webpki-invalid";

/** Why a server, or what its domain says of TLS, is not trusted. */
export interface TlsFault {
  result: TlsResult;
  words: string;
}

export const noTls: TlsFault = { result: "starttls-not-supported", words: "the server offers no TLS" };

/** What a code of OpenSSL or Node says about a certificate. */
export function certificateFault(code: string): TlsFault {
  const words = `the certificate is not valid: ${code}`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return { result: "certificate-host-mismatch", words: "the certificate is for another host" };
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") return { result: "certificate-expired", words };
  if (/SELF_SIGNED|UNABLE_TO_|UNTRUSTED|CERT_CHAIN|INVALID_CA/.test(code)) {
    return { result: "certificate-not-trusted", words };
  }
  return { result: "validation-failure", words };
}

/** What a failure between STARTTLS and the end of the handshake means. */
export function handshakeFault({ code = "", originalCode = code, response, message }: Failure): TlsFault {
  if (response !== undefined) return { result: "starttls-not-supported", words: response };
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(originalCode)) return certificateFault(originalCode);
  return { result: "validation-failure", words: message };
}

/** What is wrong with the certificate of a connection that took any; undefined if it is valid for its server's name. */
export function certificateFaultOf(socket: TLSSocket): TlsFault | undefined {
  if (socket.authorized) return undefined;
  const error: unknown = socket.authorizationError;
  return certificateFault(typeof error === "string" ? error : ((error as { code?: string } | undefined)?.code ?? ""));
}
