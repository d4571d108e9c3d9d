import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { TlsaRecord } from "./dns-message.ts";

const [daneTa, daneEe] = [2, 3];
/** RFC 6698 §2.1.3, by matching type. */
const digests = ["whole", "sha256", "sha512"] as const;
const digestLengths = [0, 32, 64];
const maxChain = 10;

/**
 * RFC 7672 §3.1: the records that a server can be verified by. PKIX-TA(0) and PKIX-EE(1) are not (§3.1.3), nor what this
 * does not know. Of several digests of one kind the strongest counts (RFC 7671 §9).
 */
export function usableTlsa(records: readonly TlsaRecord[]): TlsaRecord[] {
  const usable = records.filter(isUsable);
  const strongest = (one: TlsaRecord) =>
    Math.max(...usable.filter((other) => isOfKind(one, other)).map(({ matchingType }) => matchingType));
  return usable.filter((one) => one.matchingType === 0 || one.matchingType === strongest(one));
}

const isOfKind = (one: TlsaRecord, other: TlsaRecord) => one.usage === other.usage && one.selector === other.selector;

function isUsable({ usage, selector, matchingType, data }: TlsaRecord): boolean {
  if ((usage !== daneTa && usage !== daneEe) || selector > 1 || matchingType >= digests.length) return false;
  if (matchingType > 0) return data.length === digestLengths[matchingType];
  return (selector === 0 ? certificateIn(data) : keyIn(data)) !== undefined;
}

function certificateIn(data: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(data);
  } catch {
    return undefined;
  }
}

function keyIn(data: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: data, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

/** The server's certificate and those it sent along, each with its issuer behind it. */
export function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let one = socket.getPeerCertificate(true);
  while (one?.raw && chain.length < maxChain) {
    chain.push(new X509Certificate(one.raw));
    if (one.issuerCertificate === one) break;
    one = one.issuerCertificate;
  }
  return chain;
}

/**
 * RFC 7672 §3.1: whether the chain is what one of the usable records says. For DANE-EE(3) neither names nor dates count; for
 * DANE-TA(2) both do, up to the authority that the record names.
 */
export function matchesTlsa(
  { tlsa, names }: { tlsa: readonly TlsaRecord[]; names: readonly string[] },
  chain: readonly X509Certificate[],
  now: Date,
): boolean {
  const [leaf] = chain;
  if (!leaf) return false;
  if (tlsa.some((record) => record.usage === daneEe && isMatch(record, leaf))) return true;
  const authorities = tlsa.filter(({ usage }) => usage === daneTa);
  return authorities.length > 0 && isVouchedFor(chain, authorities, names, now);
}

function isMatch({ selector, matchingType, data }: TlsaRecord, certificate: X509Certificate): boolean {
  const part = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: "spki", format: "der" });
  const digest = digests[matchingType]!;
  return (digest === "whole" ? part : createHash(digest).update(part).digest()).equals(data);
}

function isVouchedFor(
  chain: readonly X509Certificate[],
  authorities: readonly TlsaRecord[],
  names: readonly string[],
  now: Date,
): boolean {
  const leaf = chain[0]!;
  // RFC 7672 §3.2.3: only names in the certificate's subjectAltName, or its CN if there are none.
  if (!names.some((name) => leaf.checkHost(name, { partialWildcards: false }) !== undefined)) return false;
  for (const [depth, certificate] of chain.entries()) {
    if (!isCurrent(certificate, now)) return false;
    if (depth > 0 && authorities.some((record) => isMatch(record, certificate))) return true;
    const issuer = chain[depth + 1];
    // The record itself may have the authority, or its key, that the server did not send (RFC 7671 §5.2.2).
    if (authorities.some((record) => isIssuedBy(certificate, record, now))) return true;
    if (!issuer?.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return false;
  }
  return false;
}

function isIssuedBy(certificate: X509Certificate, { selector, matchingType, data }: TlsaRecord, now: Date): boolean {
  if (matchingType !== 0) return false;
  if (selector === 1) return certificate.verify(keyIn(data)!);
  const issuer = certificateIn(data)!;
  return issuer.ca && isCurrent(issuer, now) && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isCurrent({ validFromDate, validToDate }: X509Certificate, now: Date): boolean {
  return validFromDate <= now && now <= validToDate;
}
