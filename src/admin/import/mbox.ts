import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { instant } from "../../base/instant.ts";
import { dateOfHeader, dateReceived, type HeaderField, parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import { roleOfName } from "./folder-names.ts";
import { keywordsOf } from "./keywords.ts";
import { type Dialect, isByLength, lookAt, unquoted } from "./mbox-dialect.ts";
import { dateInLine, isMbox, type MboxMessage, splitMbox } from "./mbox-split.ts";
import { type Source, SourceFault, type SourceItem, type SourceMailbox } from "./source.ts";
import { contentKey, maxMessage, takeFields, withLineBreaks } from "./stored-form.ts";

interface MboxFile {
  file: string;
  mailbox: SourceMailbox;
}

interface Options {
  /** (Default: looked for, in each file.) */
  dialect?: Dialect | undefined;
  /** Whether all goes to the mailbox of the import, without one for the file. */
  isInto: boolean;
}

/** What programs note of a message in an mbox file: its flags and numbers. Content-Length too, where it says the length. */
const notes = /^(status|x-status|x-keywords|x-uid|x-imap|x-imapbase|x-mozilla-status2?|x-mozilla-keys)$/;

/** Mail in an mbox file, or in all those of a folder: as Thunderbird, Apple Mail or Python write them. */
export async function mboxSource(place: string, options: Options): Promise<Source> {
  const isFolder = (await stat(place)).isDirectory();
  const files = isFolder ? await filesIn(place, []) : [{ file: place, mailbox: mailboxOf(place, options) }];
  if (files.length === 0) throw new SourceFault(`${place} has no mbox files: they begin with "From "`);
  if (!isFolder && !(await isMbox(place)) && (await stat(place)).size > 0) {
    throw new SourceFault(`${place} is not an mbox file, which begins with "From "`);
  }
  const source: Source = {
    name: "mbox",
    async *items() {
      yield { kind: "mailboxes", mailboxes: files.map(({ mailbox }) => mailbox) };
      for (const one of files) {
        const looked = await lookAt(one.file);
        if (!isFolder) source.total = looked.messages;
        yield* itemsOf(one, options.dialect ?? looked.dialect);
      }
    },
  };
  return source;
}

function mailboxOf(file: string, { isInto }: Options): SourceMailbox {
  if (isInto) return { path: [] };
  const name = basename(file).replace(/\.(mbox|mbx)$/i, "");
  return { path: [name], role: roleOfName(name) };
}

/** Thunderbird keeps the folders below Work in Work.sbd, Apple Mail the mails of Work in Work.mbox/mbox. */
async function filesIn(folder: string, above: readonly string[]): Promise<MboxFile[]> {
  const found: MboxFile[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = join(folder, entry.name);
    const name = entry.name.replace(/\.(mbox|mbx|sbd)$/i, "");
    const path = entry.name === "mbox" && above.length > 0 ? above : [...above, name];
    if (entry.isDirectory()) found.push(...(await filesIn(at, [...above, name])));
    else if (entry.isFile() && (await isMbox(at))) {
      found.push({ file: at, mailbox: { path, role: path.length === 1 ? roleOfName(name) : undefined } });
    }
  }
  return found;
}

async function* itemsOf({ file, mailbox }: MboxFile, dialect: Dialect): AsyncGenerator<SourceItem> {
  for await (const message of splitMbox(file, isByLength(dialect))) {
    const where = `${file}, at byte ${message.at}`;
    if (!message.bytes) yield { kind: "failed", where, why: `it is over ${maxMessage} bytes` };
    else yield mailOf(message, { mailbox, dialect, where });
  }
}

function mailOf(
  { bytes, from }: MboxMessage,
  { mailbox, dialect, where }: { mailbox: SourceMailbox; dialect: Dialect; where: string },
): SourceItem {
  const isNote = (name: string) => notes.test(name) || (isByLength(dialect) && name === "content-length");
  const taken = takeFields(unquoted(bytes!, dialect), isNote);
  const flags = flagsIn(taken.notes);
  if (flags.has("expunged")) return { kind: "left", why: "deleted there, and not cleared away yet" };
  const raw = withLineBreaks(taken.message);
  const fields = parseHeader(raw.subarray(0, headerEnd(raw)));
  return {
    kind: "mail",
    key: contentKey(raw, mailbox.path),
    raw,
    mailboxes: [flags.has("\\Deleted") ? { path: ["Trash"], role: "trash" } : mailbox],
    keywords: keywordsOf(flags),
    receivedAt: dateOf(from, fields),
    where,
  };
}

const letters: Record<string, string> = { R: "\\Seen", A: "\\Answered", F: "\\Flagged", T: "\\Draft", D: "\\Deleted" };
/** Bits of X-Mozilla-Status. */
const mozilla: [number, string][] = [
  [0x1, "\\Seen"],
  [0x2, "\\Answered"],
  [0x4, "\\Flagged"],
  [0x8, "expunged"],
  [0x1000, "$forwarded"],
];

function flagsIn(fields: readonly HeaderField[]): Set<string> {
  const flags = new Set<string>();
  for (const { name, value } of fields) {
    const lower = name.toLowerCase();
    if (lower === "status" || lower === "x-status") {
      for (const letter of value.trim()) if (letters[letter]) flags.add(letters[letter]);
    } else if (lower === "x-keywords" || lower === "x-mozilla-keys") {
      for (const word of value.trim().split(/\s+/)) if (word !== "") flags.add(word);
    } else if (lower === "x-mozilla-status") {
      const bits = Number.parseInt(value.trim(), 16);
      for (const [bit, flag] of mozilla) if (bits & bit) flags.add(flag);
    }
  }
  return flags;
}

/** The first programs for Unix were later. */
const earliest = Date.UTC(1975);

/**
 * A From_ line with a zone, as Gmail writes it, says when the mail was received; without one it may mean any zone, so the
 * message's own trace comes first.
 */
function dateOf(from: string, fields: HeaderField[]): Date | undefined {
  const { date: noted, hasZone } = dateInLine(from);
  const received = dateReceived(fields);
  const isLate = noted !== null && Date.parse(noted) > earliest;
  const date = (hasZone && isLate ? noted : null) ?? received ?? (isLate ? noted : null) ?? dateOfHeader(fields);
  return date === null ? undefined : instant(date);
}
