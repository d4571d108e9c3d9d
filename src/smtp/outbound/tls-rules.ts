import type { TLSSocket } from "node:tls";
import type { Failure } from "./failure.ts";
import type { Target } from "./route.ts";

/** What a server must prove before mail goes to it. */
export interface TlsRules {
  /** Rules with one key ask for the same, so that their mails may share a connection. */
  key: string;
  /** No mail goes without TLS, nor after a handshake that failed. */
  isRequired: boolean;
  /** TLS is not even tried. */
  isOff?: true;
  /** The certificate must be valid, by an authority that Node trusts, for one of these names. (Default: any certificate will do.) */
  names?: readonly string[];
  /** Whom the handshake asks for (SNI). (Default: the server's name.) */
  servername?: string;
  /** Looks at the certificate after the handshake and before any mail, as for DANE: why it will not do. */
  refuses?(socket: TLSSocket): string | undefined;
  /** Is told of each connection that was opened: the socket after its handshake, why that failed, or undefined without TLS. */
  observe?(opened: TLSSocket | Failure | undefined): void;
}

/**
 * RFC 8689: what a message says of TLS. required: it goes to no server that is not verified, and does not promise the same.
 * waived: it would rather arrive than keep to what its recipient's domain asks.
 */
export type TlsWish = "required" | "waived";

/**
 * The rules for mail of a domain at one of its servers, asked before a connection is opened or used again. Throws
 * Unreachable if no mail of the domain may go to this server.
 */
export type FindTlsRules = (domain: string, target: Target, wish?: TlsWish) => Promise<TlsRules>;

/** Encrypted is better than plain, and a certificate that nobody asked for cannot be verified. */
export const anyTls: TlsRules = { key: "", isRequired: false };

/** The certificate must be valid for the server's name. */
export const verifiedTls = (name: string): TlsRules => ({ key: "verify", isRequired: true, names: [name] });
