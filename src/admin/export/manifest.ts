/** What the file `manifest.json` of an archive says (docs/archive-format.md). */
export interface Manifest {
  format: "posthorn-archive";
  version: 1;
  /** The program that wrote it. */
  program: string;
  account: { address: string; name: string };
  /** The moment that all objects are of (RFC 3339). */
  at: string;
  /** The states of the types at that moment. */
  states: Record<string, string>;
  objects: Record<string, { count: number; bytes: number; sha256: string }>;
  messages: { count: number; bytes: number };
  /** The hashes of messages whose bodies the server could not read. */
  missing: string[];
  /** SHA-256 of the member SHA256SUMS, which has those of all others. */
  checksums: string;
}

export const manifestName = "manifest.json";
export const sumsName = "SHA256SUMS";
export const objectsName = (type: string) => `objects/${type}.jsonl`;
export const messageName = (sha256: string) => `messages/${sha256}.eml`;

const hashText = /^[0-9a-f]{64}$/;
export const isHash = (value: unknown): value is string => typeof value === "string" && hashText.test(value);

const memberText = /^(?:objects\/[A-Za-z]+\.jsonl|messages\/[0-9a-f]{64}\.eml)$/;
/** Whether objects or a message may have this name. */
export const isMemberName = (name: string): boolean => memberText.test(name);

/** A line of SHA256SUMS, in the form that the program sha256sum checks. */
export const sumLine = (sha256: string, name: string) => `${sha256}  ${name}\n`;

const sumText = /^([0-9a-f]{64}) {2}(.+)$/;

/** The hash and the name; undefined for what is no such line, or names what is no member. */
export function parseSumLine(line: string): { sha256: string; name: string } | undefined {
  const [, sha256, name] = sumText.exec(line) ?? [];
  return sha256 === undefined || name === undefined || !isMemberName(name) ? undefined : { sha256, name };
}

/** Throws NotAnArchive unless the text is a manifest that this program reads. */
export function parseManifest(text: string): Manifest {
  let value: Partial<Manifest> | null;
  try {
    value = JSON.parse(text) as Partial<Manifest> | null;
  } catch {
    throw new NotAnArchive("its manifest.json is not JSON");
  }
  if (value?.format !== "posthorn-archive") throw new NotAnArchive("its manifest.json is of something else");
  if (value.version !== 1)
    throw new NotAnArchive(`it is of version ${value.version}, and this program reads version 1`);
  const { objects, messages, account, checksums } = value;
  const isWhole =
    typeof account?.address === "string" &&
    typeof messages?.count === "number" &&
    Object.keys(objects ?? {}).every((type) => /^[A-Za-z]+$/.test(type)) &&
    isHash(checksums);
  if (!isWhole) throw new NotAnArchive("its manifest.json lacks members");
  return { missing: [], ...value } as Manifest;
}

/** What was given is no whole archive; the message says why, to follow "is no archive: ". */
export class NotAnArchive extends Error {}
