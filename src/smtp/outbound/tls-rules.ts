import type { TLSSocket } from "node:tls";
import type { Target } from "./route.ts";

/** What a server must prove before mail goes to it. */
export interface TlsRules {
  /** Rules with one key ask for the same, so that their mails may share a connection. */
  key: string;
  /** No mail goes without TLS, nor after a handshake that failed. */
  isRequired: boolean;
  /** The certificate must be valid, by an authority that Node trusts, for one of these names. (Default: any certificate will do.) */
  names?: readonly string[];
  /** Looks at the certificate after the handshake and before any mail, as for DANE: why it will not do. */
  refuses?(socket: TLSSocket): string | undefined;
}

/**
 * The rules for mail of a domain at one of its servers, asked before a connection is opened or used again. Throws
 * Unreachable if no mail of the domain may go to this server.
 */
export type FindTlsRules = (domain: string, target: Target) => Promise<TlsRules>;

/** Encrypted is better than plain, and a certificate that nobody asked for cannot be verified. */
export const anyTls: TlsRules = { key: "", isRequired: false };
