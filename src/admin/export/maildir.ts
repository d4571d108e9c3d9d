import type { Buffer } from "node:buffer";
import { mkdir, open, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FiledIn, FiledMail, MailWriter } from "./mails.ts";
import { toModifiedUtf7 } from "./utf7.ts";

/** Maildir has letters for so many keywords in a folder. */
const maxKeywords = 26;
const flags: Record<string, string> = { $draft: "D", $flagged: "F", $forwarded: "P", $answered: "R", $seen: "S" };

interface Folder {
  path: string;
  /** Keyword → its letter. */
  letters: Map<string, string>;
  /** Name of a mail without its flags → with them: what an earlier run wrote. */
  present: Map<string, string>;
}

/**
 * Maildir++ as Dovecot reads it: the inbox is the folder itself, each other mailbox a folder `.Name.Child` in it. The time of a file is
 * when its mail was received, and `dovecot-keywords` names the keywords that the letters a to z stand for. Run again, it adds
 * what is missing, sets the flags anew and removes what is no longer in the mailbox.
 */
export class MaildirWriter implements MailWriter {
  readonly #root: string;
  readonly #folders = new Map<string, Folder>();
  /** How often a keyword found no letter. */
  keywordsLeftOut = 0;

  constructor(root: string) {
    this.#root = root;
  }

  async begin(mailboxes: readonly FiledIn[]): Promise<void> {
    const taken = new Set<string>();
    const subscribed: string[] = [];
    for (const mailbox of mailboxes) {
      const isInbox = mailbox.role === "inbox";
      let name = mailbox.path.map(folderName).join(".");
      while (!isInbox && taken.has(name.toLowerCase())) name += "_";
      taken.add(name.toLowerCase());
      const path = isInbox ? this.#root : join(this.#root, `.${name}`);
      for (const part of ["cur", "new", "tmp"]) await mkdir(join(path, part), { recursive: true, mode: 0o700 });
      if (!isInbox) await writeFile(join(path, "maildirfolder"), "", { mode: 0o600 });
      if (mailbox.isSubscribed) subscribed.push(isInbox ? "INBOX" : name);
      const present = (await readdir(join(path, "cur"))).map((file) => [file.split(":")[0]!, file] as const);
      this.#folders.set(mailbox.id, { path, letters: await lettersIn(path), present: new Map(present) });
    }
    await writeFile(join(this.#root, "subscriptions"), subscribed.map((name) => `${name}\n`).join(""), { mode: 0o600 });
  }

  async add(mail: FiledMail, message: Buffer): Promise<void> {
    for (const id of mail.mailboxIds) {
      const folder = this.#folders.get(id)!;
      const name = `${Math.floor(mail.receivedAt.getTime() / 1000)}.${mail.id}.posthorn,S=${message.length}`;
      const file = `${name}:2,${await this.#flagsOf(mail, folder)}`;
      const present = folder.present.get(name);
      folder.present.delete(name);
      if (present !== undefined && present !== file)
        await rename(join(folder.path, "cur", present), join(folder.path, "cur", file));
      if (present === undefined) await write(folder.path, file, message, mail.receivedAt);
    }
  }

  async finish(): Promise<void> {
    for (const { path, present } of this.#folders.values()) {
      for (const file of present.values()) if (/\.posthorn,S=\d+:2,/.test(file)) await rm(join(path, "cur", file));
      for (const part of ["cur", "."]) {
        const handle = await open(join(path, part));
        await handle.sync().finally(() => handle.close());
      }
    }
  }

  async #flagsOf({ keywords }: FiledMail, { path, letters }: Folder): Promise<string> {
    for (const keyword of keywords) {
      if (flags[keyword] || letters.has(keyword)) continue;
      if (letters.size === maxKeywords) {
        this.keywordsLeftOut++;
        continue;
      }
      letters.set(keyword, String.fromCharCode(97 + letters.size));
      // Before the first mail that has it, so that a letter never stands for nothing.
      const lines = [...letters.keys()].map((name, number) => `${number} ${name}\n`);
      await writeFile(join(path, "dovecot-keywords"), lines.join(""), { mode: 0o600 });
    }
    return keywords
      .map((keyword) => flags[keyword] ?? letters.get(keyword) ?? "")
      .sort()
      .join("");
  }
}

async function lettersIn(path: string): Promise<Map<string, string>> {
  const text = await readFile(join(path, "dovecot-keywords"), "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line, at) => [line.slice(line.indexOf(" ") + 1), String.fromCharCode(97 + at)]));
}

async function write(folder: string, file: string, message: Buffer, receivedAt: Date): Promise<void> {
  const part = join(folder, "tmp", file.split(":")[0]!);
  await writeFile(part, message, { mode: 0o600, flush: true });
  await utimes(part, receivedAt, receivedAt);
  await rename(part, join(folder, "cur", file));
}

/** Dots part folders, so a dot in a name becomes an underscore, as a slash does. */
const folderName = (name: string) => toModifiedUtf7(name.replace(/[./\x00-\x1f]/g, "_"));
