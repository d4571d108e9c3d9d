import { sha256Of } from "../../blob-id.ts";

/**
 * A pack is: the mark (8 bytes), the number of members (4), the SHA-256 of the directory (32), the directory, the members.
 * An entry of the directory is: the SHA-256 of the body (32), where the member begins (4), the size of the body (4). A
 * member is: the SHA-256 of the body (32), its size (4), room for a key of its own (64, zeros so far), the body.
 */
const mark = Buffer.from("PHPACK01");
const headBytes = 44;
const entryBytes = 40;
const keyRoomBytes = 64;
/** Before the body of a member. */
export const memberHeadBytes = 36 + keyRoomBytes;
export const maxMembers = 256;
/** Reading so much of a pack gives its directory. */
export const maxDirectoryBytes = headBytes + maxMembers * entryBytes;

/** A member as the directory names it. */
export interface Entry {
  sha256: Buffer;
  /** Where in the pack it begins. */
  at: number;
  /** The size of its body. */
  size: number;
}

/** A member as it is written: its head and its body. */
interface Member {
  sha256: Buffer;
  size: number;
  pieces: Uint8Array[];
}

export function newMember(sha256: Buffer, body: Uint8Array): Member {
  const head = Buffer.alloc(memberHeadBytes);
  sha256.copy(head);
  head.writeUInt32BE(body.length, 32);
  return { sha256, size: body.length, pieces: [head, body] };
}

/** Returns the pack, and what its directory says. */
export function encodePack(members: readonly Member[]): { bytes: Buffer; entries: Entry[] } {
  const directory = Buffer.alloc(members.length * entryBytes);
  let at = headBytes + directory.length;
  const entries = members.map(({ sha256, size }, index) => {
    const entry = { sha256, at, size };
    const row = directory.subarray(index * entryBytes);
    sha256.copy(row);
    row.writeUInt32BE(at, 32);
    row.writeUInt32BE(size, 36);
    at += memberHeadBytes + size;
    return entry;
  });
  const head = Buffer.alloc(headBytes);
  mark.copy(head);
  head.writeUInt32BE(members.length, 8);
  sha256Of(directory).copy(head, 12);
  return { bytes: Buffer.concat([head, directory, ...members.flatMap(({ pieces }) => pieces)], at), entries };
}

/** The directory at the beginning of these bytes of a pack; undefined when it is not intact. */
export function directoryOf(bytes: Buffer): Entry[] | undefined {
  if (bytes.length < headBytes || !bytes.subarray(0, mark.length).equals(mark)) return undefined;
  const count = bytes.readUInt32BE(8);
  const directory = bytes.subarray(headBytes, headBytes + count * entryBytes);
  if (!sha256Of(directory).equals(bytes.subarray(12, headBytes))) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const row = directory.subarray(index * entryBytes);
    return { sha256: row.subarray(0, 32), at: row.readUInt32BE(32), size: row.readUInt32BE(36) };
  });
}

/** The body of the member that these bytes are; undefined unless it is the body with this hash, intact. */
export function bodyOf(member: Buffer, sha256: Buffer): Buffer | undefined {
  if (member.length < memberHeadBytes || !member.subarray(0, 32).equals(sha256)) return undefined;
  const size = member.readUInt32BE(32);
  const body = member.subarray(memberHeadBytes, memberHeadBytes + size);
  return body.length === size && sha256Of(body).equals(sha256) ? body : undefined;
}

/** These members of a whole pack, to be written again; undefined unless they are all intact. */
export function membersOf(pack: Buffer, entries: readonly Entry[]): Member[] | undefined {
  const kept = entries.map(({ sha256, at, size }) => ({
    sha256,
    size,
    pieces: [pack.subarray(at, at + memberHeadBytes + size)],
  }));
  const isIntact = kept.every(({ sha256, size, pieces: [bytes] }) => bodyOf(bytes!, sha256)?.length === size);
  return isIntact ? kept : undefined;
}
