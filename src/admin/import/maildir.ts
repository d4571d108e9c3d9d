import { opendir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { roleOfName } from "./folder-names.ts";
import { keywordsOf } from "./keywords.ts";
import { decodeMailboxName } from "./modified-utf7.ts";
import { type Source, SourceFault, type SourceItem, type SourceMailbox } from "./source.ts";
import { contentKey, maxMessage, withLineBreaks } from "./stored-form.ts";

interface Folder {
  at: string;
  mailbox: SourceMailbox;
}

/**
 * A Maildir with its folders: in the layout Maildir++ (`.Work.2024` beside `cur`), as Dovecot, Courier and Python write it, or
 * in Dovecot's layout "fs" (`Work/2024`).
 */
export async function maildirSource(place: string): Promise<Source> {
  const folders = await foldersIn(place, []);
  if (folders.length === 0) throw new SourceFault(`${place} is no Maildir: it has no folder with "cur" and "new"`);
  const source: Source = {
    name: "maildir",
    async *items() {
      yield { kind: "mailboxes", mailboxes: folders.map(({ mailbox }) => mailbox) };
      source.total = 0;
      for (const { at } of folders) source.total += (await filesOf(at)).length;
      for (const folder of folders) yield* itemsOf(folder);
    },
  };
  return source;
}

const own = new Set(["cur", "new", "tmp"]);

async function foldersIn(at: string, path: readonly string[]): Promise<Folder[]> {
  const entries = (await readdir(at, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const has = (name: string) => entries.some((entry) => entry.name === name && entry.isDirectory());
  const role = path.length === 1 ? roleOfName(path[0]!) : path.length === 0 ? "inbox" : undefined;
  const found: Folder[] = has("cur") && has("new") ? [{ at, mailbox: { path, role } }] : [];
  for (const entry of entries) {
    if (!entry.isDirectory() || own.has(entry.name)) continue;
    const isPlusPlus = entry.name.startsWith(".") && entry.name.length > 1;
    const names = isPlusPlus ? entry.name.slice(1).split(".") : [entry.name];
    found.push(...(await foldersIn(join(at, entry.name), [...path, ...names.map(decodeMailboxName)])));
  }
  return found;
}

/** In the order of delivery: their names begin with the time. What stands in `tmp` is not whole. */
async function filesOf(folder: string): Promise<{ sub: string; name: string }[]> {
  const found: { sub: string; name: string }[] = [];
  for (const sub of ["cur", "new"]) {
    for await (const entry of await opendir(join(folder, sub))) {
      if (entry.isFile() && !entry.name.startsWith(".")) found.push({ sub, name: entry.name });
    }
  }
  return found.sort((a, b) => timeOf(a.name) - timeOf(b.name) || (a.name < b.name ? -1 : 1));
}

const timeOf = (name: string) => Number(/^\d{9,11}(?=\.)/.exec(name)?.[0] ?? 0);

async function* itemsOf({ at, mailbox }: Folder): AsyncGenerator<SourceItem> {
  const keywords = await keywordLetters(at);
  for (const { sub, name } of await filesOf(at)) {
    const file = join(at, sub, name);
    try {
      const { size, mtime } = await stat(file);
      if (size > maxMessage) {
        yield { kind: "failed", where: file, why: `it is over ${maxMessage} bytes` };
        continue;
      }
      const raw = withLineBreaks(await readFile(file));
      const flags = sub === "cur" ? flagsOf(name, keywords) : [];
      yield {
        kind: "mail",
        key: contentKey(raw, mailbox.path),
        raw,
        mailboxes: [flags.includes("\\Deleted") ? { path: ["Trash"], role: "trash" } : mailbox],
        keywords: keywordsOf(flags),
        receivedAt: receivedAt(name, mtime),
        where: file,
      };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      // A running server may have moved it meanwhile: the next run finds it.
      yield { kind: "failed", where: file, why: message };
    }
  }
}

/** The date that the server had for it is the file's; where a copy lost that, the name has the time of the delivery. */
function receivedAt(name: string, mtime: Date): Date {
  const named = timeOf(name) * 1000;
  return named > 0 && named < mtime.getTime() ? new Date(named) : mtime;
}

const letters: Record<string, string> = {
  S: "\\Seen",
  R: "\\Answered",
  F: "\\Flagged",
  D: "\\Draft",
  T: "\\Deleted",
  P: "$forwarded",
};

function flagsOf(name: string, keywords: ReadonlyMap<string, string>): string[] {
  const flags = /[:;!]2,([A-Za-z]*)/.exec(name)?.[1] ?? "";
  return [...flags].flatMap((letter) => letters[letter] ?? keywords.get(letter) ?? []);
}

/** Dovecot's file `dovecot-keywords`: the keyword of each small letter, from a on. */
async function keywordLetters(folder: string): Promise<Map<string, string>> {
  const text = await readFile(join(folder, "dovecot-keywords"), "utf8").catch(() => "");
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, number, keyword] = /^(\d+) (\S+)/.exec(line) ?? [];
    if (keyword && Number(number) < 26) found.set(String.fromCharCode(97 + Number(number)), keyword);
  }
  return found;
}
