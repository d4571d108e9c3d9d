import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { instant } from "../../base/instant.ts";
import { asText, type HeaderField } from "../../mime/headers.ts";
import { keywordOf } from "./keywords.ts";
import { unquoted } from "./mbox-dialect.ts";
import { dateInLine, isMbox, type MboxMessage, splitMbox } from "./mbox-split.ts";
import { type Source, SourceFault, type SourceItem, type SourceMailbox } from "./source.ts";
import { contentKey, maxMessage, takeFields, withLineBreaks } from "./stored-form.ts";

/** What Gmail notes of a message in the mbox files of Takeout. */
const notes = /^x-(gmail-labels|gm-thrid)$/;

/** Gmail's mail as Takeout packs it, unpacked: its mbox file, or the folder in which such files are. */
export async function takeoutSource(place: string): Promise<Source> {
  const files = (await stat(place)).isFile() ? [place] : await filesIn(place);
  if (files.length === 0) throw new SourceFault(`${place} has no mbox files (unpack Takeout's archive first)`);
  return {
    name: "takeout",
    async *items() {
      for (const file of files) yield* itemsOf(file);
    },
  };
}

async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await filesIn(at)));
    else if (entry.isFile() && (await isMbox(at))) found.push(at);
  }
  return found;
}

async function* itemsOf(file: string): AsyncGenerator<SourceItem> {
  for await (const message of splitMbox(file, false)) {
    const where = `${file}, at byte ${message.at}`;
    if (message.bytes) yield mailOf(message, where);
    else yield { kind: "failed", where, why: `it is over ${maxMessage} bytes` };
  }
}

function mailOf({ bytes, from }: MboxMessage, where: string): SourceItem {
  const { message, notes: fields } = takeFields(unquoted(bytes!, "mboxrd"), (name) => notes.test(name));
  const raw = withLineBreaks(message);
  const noted = (wanted: string) => fields.find(({ name }: HeaderField) => name.toLowerCase() === wanted)?.value;
  const { mailboxes, keywords } = ofLabels(labelsIn(asText(noted("x-gmail-labels") ?? "")));
  const { date } = dateInLine(from);
  return {
    kind: "mail",
    key: contentKey(raw),
    raw,
    mailboxes,
    keywords,
    receivedAt: date === null ? undefined : instant(date),
    thread: noted("x-gm-thrid")?.trim(),
    where,
  };
}

/** Labels are parted by commas; one with a comma in it stands in quotes. */
export function labelsIn(text: string): string[] {
  const found = text.match(/\s*"(?:[^"\\]|\\.)*"\s*(?=,|$)|[^,]+/g) ?? [];
  const plain = found.map((label) =>
    label
      .trim()
      .replace(/^"(.*)"$/s, "$1")
      .replace(/\\(.)/g, "$1"),
  );
  return plain.filter((label) => label !== "");
}

/** Gmail's own labels, in English and German. */
const roles: Record<string, string> = {
  ...{ inbox: "inbox", posteingang: "inbox", sent: "sent", gesendet: "sent" },
  ...{ draft: "drafts", drafts: "drafts", entwurf: "drafts", entwürfe: "drafts" },
  ...{ spam: "junk", trash: "trash", papierkorb: "trash", archived: "archive", archiviert: "archive" },
};
const topNames: Record<string, string> = {
  ...{ inbox: "Inbox", sent: "Sent", drafts: "Drafts", junk: "Junk", trash: "Trash", archive: "Archive" },
};
const flags: Record<string, string> = {
  ...{ starred: "$flagged", markiert: "$flagged", important: "$important", wichtig: "$important" },
};
const unread = new Set(["unread", "ungelesen"]);
const silent = new Set(["opened", "geöffnet", "gelesen", "read", "all mail", "alle nachrichten"]);
const category = /^(?:category|kategorie)\b[\s:_]*["„“”']?(.*?)["“”']?$/i;
const categories: Record<string, string> = {
  ...{ persönlich: "personal", allgemein: "personal", "soziale netzwerke": "social", sozial: "social" },
  ...{ werbung: "promotions", benachrichtigungen: "updates", neuigkeiten: "updates", foren: "forums" },
  ...{ käufe: "purchases", reisen: "travel", reservierungen: "reservations" },
};

/** Labels are mailboxes; some are keywords. A mail that has none of its own is in the archive. */
export function ofLabels(labels: readonly string[]): { mailboxes: SourceMailbox[]; keywords: string[] } {
  const mailboxes: SourceMailbox[] = [];
  const keywords = new Set<string>();
  for (const label of labels) {
    const lower = label.normalize("NFC").toLowerCase();
    const role = roles[lower];
    const kind = category.exec(label)?.[1]?.normalize("NFC").toLowerCase();
    if (role === "archive") continue;
    if (role) mailboxes.push({ path: [topNames[role]!], role });
    else if (flags[lower]) keywords.add(flags[lower]);
    else if (kind !== undefined) keywords.add(keywordOf(`gmail-${categories[kind] ?? kind}`) ?? "gmail-category");
    else if (!unread.has(lower) && !silent.has(lower))
      mailboxes.push({ path: label.split("/").filter((name) => name !== "") });
    if (role === "drafts") keywords.add("$draft");
  }
  if (!labels.some((label) => unread.has(label.normalize("NFC").toLowerCase()))) keywords.add("$seen");
  const own = mailboxes.filter(({ path }) => path.length > 0);
  return {
    mailboxes: own.length === 0 ? [{ path: ["Archive"], role: "archive" }] : own,
    keywords: [...keywords].sort(),
  };
}
