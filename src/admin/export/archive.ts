import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { StoredBlob } from "../../store/blobs/objects/object-store.ts";
import { type TypeName, typeNames } from "../../store/core/change.ts";
import { BlobMissing } from "../../store/core/errors.ts";
import type { Reader } from "../../store/core/store.ts";
import { heldBodiesAfter } from "../../store/mail/archived-emails.ts";
import { type Manifest, manifestName, messageName, objectsName, sumLine, sumsName } from "./manifest.ts";
import { addDraft, type Draft, draft, type Sink, withFolder } from "./sink.ts";
import type { ShownObject, Source, Tell } from "./source.ts";

/** How many bodies are listed at once. */
const bodiesAtOnce = 1_000;
/** Larger messages are read in pieces. */
const pieceBytes = 1_000_000;

export interface Owner {
  accountId: number;
  address: string;
  name: string;
}

export interface Means {
  sink: Sink;
  /** A folder of this export alone, which need not be there: it holds the objects until they are in the archive. */
  workFolder: string;
  program: string;
  tell: Tell;
  /** Told how many bytes a tar will have at most, before anything is written; what it throws ends the export. */
  weigh?: (bytes: number) => Promise<void>;
}

/** What the snapshot has seen. */
interface Seen {
  at: Date;
  states: Record<string, string>;
  drafts: Map<string, Draft & { count: number }>;
  /** The bodies, one a line. */
  bodies: Draft;
  count: number;
  bytes: number;
}

/**
 * Writes all of an account: its objects, as they were at one moment, which are read in one snapshot, and then the messages
 * that they name. These stay in the store for a day, whatever becomes of the objects meanwhile. The manifest comes last.
 */
export async function writeArchive(source: Source, owner: Owner, means: Means): Promise<Manifest> {
  const { sink, program, tell, workFolder: work } = means;
  await sink.begin(owner.address);
  return withFolder(work, async () => {
    const seen = await source.store.snapshot(owner.accountId, "server", (reader) => see(source, reader, work, tell));
    await means.weigh?.(weightOf(seen));
    const done = { missing: [] as string[], messages: 0, bytes: 0 };
    const members = writeMembers(source, seen, { sink, tell, done });
    const sums = await draft(join(work, "sums"), members);
    await addDraft(sink, sumsName, sums);
    const objects = [...seen.drafts].map(([type, { count, bytes, sha256 }]) => [type, { count, bytes, sha256 }]);
    const manifest: Manifest = {
      format: "posthorn-archive",
      version: 1,
      program,
      account: { address: owner.address, name: owner.name },
      at: seen.at.toISOString(),
      states: seen.states,
      objects: Object.fromEntries(objects),
      messages: { count: done.messages, bytes: done.bytes },
      missing: done.missing,
      checksums: sums.sha256,
    };
    await sink.tidy(new Set([sumsName, ...[...seen.drafts.keys()].map(objectsName)]), async function* () {
      for await (const { sha256 } of bodiesOf(seen.bodies)) yield messageName(sha256.toString("hex"));
    });
    const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
    await sink.add(manifestName, text.length, Readable.from([text]));
    await sink.finish();
    return manifest;
  });
}

/** Header, padding and checksum of a member of a tar have less. */
const bytesBeside = 1_500;

function weightOf({ drafts, count, bytes }: Seen): number {
  const members = drafts.size + count + 2;
  return [...drafts.values()].reduce((sum, made) => sum + made.bytes, bytes) + members * bytesBeside;
}

/** Reads all but the messages into files. */
async function see(source: Source, reader: Reader, work: string, tell: Tell): Promise<Seen> {
  const states: Seen["states"] = {};
  const drafts: Seen["drafts"] = new Map();
  for (const [type, pages] of Object.entries(source.objects)) {
    if (isType(type)) states[type] = await reader.state(type);
    let count = 0;
    const lines = async function* () {
      for await (const page of pages(reader)) {
        count += page.length;
        yield page.map(line).join("");
        tell(`${type}: ${count} objects`);
      }
    };
    const made = await draft(join(work, type), lines());
    drafts.set(type, { ...made, count });
  }
  const total = { count: 0, bytes: 0 };
  const lines = async function* () {
    for await (const page of pagesOfBodies(reader)) {
      total.count += page.length;
      for (const { size } of page) total.bytes += size;
      yield page.map(bodyLine).join("");
    }
  };
  const bodies = await draft(join(work, "bodies"), lines());
  return { at: source.store.clock.now(), states, drafts, bodies, ...total };
}

/** How many messages an archive would have, and their octets. */
export async function amountOfMessages(reader: Reader): Promise<[count: number, bytes: number]> {
  let [count, bytes] = [0, 0];
  for await (const page of pagesOfBodies(reader)) {
    count += page.length;
    for (const { size } of page) bytes += size;
  }
  return [count, bytes];
}

const isType = (type: string): type is TypeName => typeNames.includes(type as TypeName);
const line = (object: ShownObject) => `${JSON.stringify(object)}\n`;

async function* pagesOfBodies(reader: Reader): AsyncGenerator<StoredBlob[]> {
  for (let after: Buffer = Buffer.alloc(0); ; ) {
    const page = await heldBodiesAfter(reader, after, bodiesAtOnce);
    if (page.length === 0) return;
    yield page;
    after = page.at(-1)!.sha256;
  }
}

const bodyLine = ({ sha256, day, size, pack }: StoredBlob) =>
  `${sha256.toString("hex")} ${day} ${size} ${pack?.toString("hex") ?? ""}\n`;

async function* bodiesOf({ path }: Draft): AsyncGenerator<StoredBlob> {
  for await (const text of createInterface(createReadStream(path))) {
    const [hash = "", day = "", size, pack = ""] = text.split(" ");
    const packed = pack === "" ? null : Buffer.from(pack, "hex");
    yield { sha256: Buffer.from(hash, "hex"), day, size: Number(size), pack: packed };
  }
}

/** Writes objects and messages, and yields the checksum of each. */
async function* writeMembers(
  { blobs }: Source,
  seen: Seen,
  { sink, tell, done }: { sink: Sink; tell: Tell; done: { missing: string[]; messages: number; bytes: number } },
): AsyncGenerator<string> {
  for (const [type, made] of seen.drafts) {
    await addDraft(sink, objectsName(type), made);
    yield sumLine(made.sha256, objectsName(type));
  }
  for await (const body of bodiesOf(seen.bodies)) {
    const sha256 = body.sha256.toString("hex");
    const name = messageName(sha256);
    try {
      if (!(await sink.has(name, body.size))) await sink.add(name, body.size, await pieces(blobs, body));
      done.messages++;
      done.bytes += body.size;
      yield sumLine(sha256, name);
    } catch (error) {
      if (!(error instanceof BlobMissing)) throw error;
      done.missing.push(sha256);
    }
    const progress = { done: done.messages, total: seen.count };
    tell(`messages: ${progress.done} of ${progress.total}`, progress);
  }
}

/** A small body is read and compared with its hash before anything is written; a large one is left to --verify. */
async function pieces(blobs: Source["blobs"], body: StoredBlob): Promise<AsyncIterable<Uint8Array>> {
  if (body.size <= pieceBytes) return Readable.from([await blobs.readObject(body)]);
  if ((await blobs.objects.size(body)) !== body.size) throw new BlobMissing("no object of this size");
  return blobs.objects.stream(body, 0, body.size);
}
