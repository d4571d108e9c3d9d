import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { isHash, messageName, objectsName, parseSumLine, sumsName } from "./manifest.ts";
import { type Archive, linesOf } from "./open-archive.ts";
import type { Tell } from "./source.ts";

/** How many problems are named. */
const maxProblems = 100;

export interface Verified {
  members: number;
  messages: number;
  objects: Record<string, number>;
  /** Hashes of messages that the server itself could not read. */
  missing: string[];
  /** What is wrong, in words. None: the archive is whole. */
  problems: string[];
}

/** Reads an archive back: every member by its checksum, and whether each object's message is there. */
export async function verifyArchive(archive: Archive, tell: Tell): Promise<Verified> {
  const { manifest } = archive;
  const verified: Verified = { members: 0, messages: 0, objects: {}, missing: manifest.missing, problems: [] };
  const wrong = (text: string) => verified.problems.length < maxProblems && verified.problems.push(text);
  if ((await hashOf(archive, sumsName)) !== manifest.checksums) wrong(`${sumsName}: not as the manifest says`);
  const listed = new Set<string>();
  for await (const text of linesOf(archive, sumsName)) {
    const sum = parseSumLine(text);
    if (!sum) wrong(`${sumsName}: "${text.slice(0, 80)}" is not a checksum`);
    else if ((await hashOf(archive, sum.name)) !== sum.sha256) wrong(`${sum.name}: damaged or missing`);
    if (sum?.name === messageName(sum?.sha256 ?? "")) verified.messages++;
    else if (sum) listed.add(sum.name);
    verified.members++;
    tell(`${verified.members} members`);
  }
  if (verified.messages !== manifest.messages.count) {
    wrong(`${verified.messages} messages of ${manifest.messages.count}`);
  }
  const missing = new Set(manifest.missing);
  for (const [type, { count }] of Object.entries(manifest.objects)) {
    const name = objectsName(type);
    if (!listed.has(name)) wrong(`${name}: not in ${sumsName}`);
    verified.objects[type] = await countObjects(archive, name, async ({ sha256 }) => {
      if (sha256 === undefined || (isHash(sha256) && missing.has(sha256))) return;
      const isThere = isHash(sha256) && (await archive.size(messageName(sha256))) !== undefined;
      if (!isThere) wrong(`${name}: the message ${sha256} is not there`);
    }).catch(() => -1);
    if (verified.objects[type] !== count) wrong(`${name}: not ${count} objects`);
  }
  return verified;
}

async function countObjects(archive: Archive, name: string, look: (object: { sha256?: unknown }) => Promise<void>) {
  let count = 0;
  for await (const text of linesOf(archive, name)) {
    await look(JSON.parse(text) as { sha256?: unknown });
    count++;
  }
  return count;
}

/** Undefined when there is no such member. */
async function hashOf(archive: Archive, name: string): Promise<string | undefined> {
  if ((await archive.size(name)) === undefined) return undefined;
  const hash = createHash("sha256");
  await pipeline(archive.read(name), hash);
  return hash.digest("hex");
}
