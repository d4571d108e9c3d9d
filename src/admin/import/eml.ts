import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { instant } from "../../base/instant.ts";
import { dateOfHeader, dateReceived, parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import { roleOfName } from "./folder-names.ts";
import { type Source, SourceFault, type SourceItem, type SourceMailbox } from "./source.ts";
import { contentKey, maxMessage, withLineBreaks } from "./stored-form.ts";

/** A folder of .eml files, one message each; the folders in it become mailboxes. Such files have no flags: all count as read. */
export async function emlSource(place: string, { isInto }: { isInto: boolean }): Promise<Source> {
  const isFile = (await stat(place)).isFile();
  const top = isInto ? [] : [isFile ? "Imported" : basename(resolve(place))];
  const files = isFile ? [{ file: place, path: top }] : await filesIn(place, top);
  if (files.length === 0) throw new SourceFault(`${place} has no .eml files`);
  return {
    name: "eml",
    total: files.length,
    async *items() {
      for (const { file, path } of files) yield* itemOf(file, mailboxOf(path));
    },
  };
}

const mailboxOf = (path: readonly string[]): SourceMailbox => ({
  path,
  role: path.length === 1 ? roleOfName(path[0]!) : undefined,
});

async function filesIn(folder: string, path: readonly string[]): Promise<{ file: string; path: readonly string[] }[]> {
  const found: { file: string; path: readonly string[] }[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await filesIn(at, [...path, entry.name])));
    else if (entry.isFile() && /\.eml$/i.test(entry.name)) found.push({ file: at, path });
  }
  return found;
}

async function* itemOf(file: string, mailbox: SourceMailbox): AsyncGenerator<SourceItem> {
  try {
    const { size, mtime } = await stat(file);
    if (size > maxMessage) return yield { kind: "failed", where: file, why: `it is over ${maxMessage} bytes` };
    const raw = withLineBreaks(await readFile(file));
    const fields = parseHeader(raw.subarray(0, headerEnd(raw)));
    const date = dateReceived(fields) ?? dateOfHeader(fields);
    yield {
      kind: "mail",
      key: contentKey(raw, mailbox.path),
      raw,
      mailboxes: [mailbox],
      keywords: ["$seen"],
      receivedAt: date === null ? mtime : instant(date),
      where: file,
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    yield { kind: "failed", where: file, why: (error as Error).message };
  }
}
