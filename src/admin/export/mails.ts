import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findBlobs } from "../../store/blobs/blob-refs.ts";
import { BlobMissing } from "../../store/core/errors.ts";
import type { Reader } from "../../store/core/store.ts";
import { draft, withFolder } from "./sink.ts";
import type { ShownObject, Source, Tell } from "./source.ts";

/** A mailbox by its place in the tree. */
export interface FiledIn {
  id: string;
  /** Its names from the root. */
  path: string[];
  role: string | null;
  isSubscribed: boolean;
}

export interface FiledMail {
  id: string;
  mailboxIds: string[];
  keywords: string[];
  receivedAt: Date;
  /** Of its Message-ID; undefined without one. */
  messageId: string | undefined;
}

/** How mail is written in some format. */
export interface MailWriter {
  begin(mailboxes: readonly FiledIn[]): Promise<void>;
  add(mail: FiledMail, message: Buffer): Promise<void>;
  finish(): Promise<void>;
}

export interface Written {
  mailboxes: number;
  emails: number;
  /** Emails whose bodies could not be read. */
  missing: string[];
}

/** Hands all mail of an account, as it was at one moment, to a writer, in the order in which it came. */
export function writeMails(
  source: Source,
  accountId: number,
  { writer, workFolder, tell }: { writer: MailWriter; workFolder: string; tell: Tell },
): Promise<Written> {
  return withFolder(workFolder, async () => {
    const seen = await source.store.snapshot(accountId, "server", async (reader) => {
      const mailboxes = await placesOf(source, reader);
      let emails = 0;
      const lines = async function* () {
        for await (const page of source.objects.Email!(reader)) {
          emails += page.length;
          yield (await withBodies(reader, page)).map((mail) => `${JSON.stringify(mail)}\n`).join("");
        }
      };
      return { mailboxes, list: await draft(join(workFolder, "emails"), lines()), emails };
    });
    await writer.begin(seen.mailboxes);
    const written: Written = { mailboxes: seen.mailboxes.length, emails: 0, missing: [] };
    for await (const line of createInterface(createReadStream(seen.list.path))) {
      const { body, ...mail } = JSON.parse(line) as Listed;
      try {
        const message = await read(source, body);
        await writer.add({ ...mail, receivedAt: new Date(mail.receivedAt) }, message);
        written.emails++;
      } catch (error) {
        if (!(error instanceof BlobMissing)) throw error;
        written.missing.push(mail.id);
      }
      tell(`emails: ${written.emails} of ${seen.emails}`);
    }
    await writer.finish();
    return written;
  });
}

interface Listed extends Omit<FiledMail, "receivedAt"> {
  receivedAt: string;
  body: { sha256: string; day: string; size: number; pack: string | null } | null;
}

async function placesOf(source: Source, reader: Reader): Promise<FiledIn[]> {
  const mailboxes: ShownObject[] = [];
  for await (const page of source.objects.Mailbox!(reader)) mailboxes.push(...page);
  const byId = new Map(mailboxes.map((mailbox) => [mailbox.id, mailbox]));
  const path = ({ name, parentId }: ShownObject): string[] => [
    ...(parentId ? path(byId.get(parentId)!) : []),
    name as string,
  ];
  return mailboxes.map((mailbox) => ({
    id: mailbox.id as string,
    path: path(mailbox),
    role: mailbox.role as string | null,
    isSubscribed: mailbox.isSubscribed === true,
  }));
}

async function withBodies(reader: Reader, page: readonly ShownObject[]): Promise<Listed[]> {
  const hashes = [...new Set(page.map(({ sha256 }) => sha256 as string))];
  const found = await findBlobs(
    reader,
    hashes.map((hash) => Buffer.from(hash, "hex")),
  );
  const bodies = new Map(
    found.map(({ sha256, pack, day, size }) => {
      const hash = sha256.toString("hex");
      return [hash, { sha256: hash, day, size, pack: pack?.toString("hex") ?? null }];
    }),
  );
  return page.map(({ id, mailboxIds, keywords, receivedAt, messageId, sha256 }) => ({
    id: id as string,
    mailboxIds: Object.keys(mailboxIds as object),
    keywords: Object.keys(keywords as object),
    receivedAt: receivedAt as string,
    messageId: (messageId as string[] | null)?.[0],
    body: bodies.get(sha256 as string) ?? null,
  }));
}

function read({ blobs }: Source, body: Listed["body"]): Promise<Buffer> {
  if (!body) throw new BlobMissing("no reference");
  const { sha256, pack, ...rest } = body;
  return blobs.readObject({
    ...rest,
    sha256: Buffer.from(sha256, "hex"),
    pack: pack === null ? null : Buffer.from(pack, "hex"),
  });
}
