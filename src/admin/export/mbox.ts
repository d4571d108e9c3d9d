import { Buffer } from "node:buffer";
import { appendFile, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import { fileNames } from "./file-names.ts";
import type { FiledIn, FiledMail, MailWriter } from "./mails.ts";
import { makeFolder, removeFolder } from "./sink.ts";

/**
 * The mboxrd format, one file a mailbox: lines end with LF, and each line that begins with "From " after any number of ">" gets
 * one more ">". Status and X-Status have the flags, X-Keywords the other keywords, as Dovecot, Alpine and mutt write them.
 * The files take their places when all are whole.
 */
export class MboxWriter implements MailWriter {
  readonly #folder: string;
  readonly #draft: string;
  #names = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#draft = join(folder, ".draft");
  }

  async begin(mailboxes: readonly FiledIn[]): Promise<void> {
    await makeFolder(this.#draft);
    this.#names = fileNames(mailboxes);
    for (const name of this.#names.values()) {
      const path = join(this.#draft, `${name}.mbox`);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await appendFile(path, "", { mode: 0o600 });
    }
  }

  async add(mail: FiledMail, message: Buffer): Promise<void> {
    const entry = mboxEntry(mail, message);
    for (const id of mail.mailboxIds) await appendFile(join(this.#draft, `${this.#names.get(id)}.mbox`), entry);
  }

  async finish(): Promise<void> {
    for (const name of this.#names.values()) {
      const path = join(this.#folder, `${name}.mbox`);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await rename(join(this.#draft, `${name}.mbox`), path);
    }
    await removeFolder(this.#draft);
  }
}

const flags: Record<string, string> = { $answered: "A", $flagged: "F", $draft: "T" };

function mboxEntry({ keywords, receivedAt }: FiledMail, message: Buffer): Buffer {
  const status = keywords.includes("$seen") ? "RO" : "O";
  const letters = keywords.map((keyword) => flags[keyword] ?? "").sort();
  const others = keywords.filter((keyword) => keyword !== "$seen" && !flags[keyword]);
  const fields = [
    `From ${senderOf(message)} ${asctime(receivedAt)}`,
    `Status: ${status}`,
    `X-Status: ${letters.join("")}`,
    `X-Keywords: ${others.join(" ")}`,
  ];
  // As octets: a message need not be UTF-8. Fields of an earlier mbox would contradict ours.
  const end = headerEnd(message);
  const head = message
    .toString("latin1", 0, end)
    .replaceAll("\r\n", "\n")
    .replace(/^(?:Status|X-Status|X-Keywords):.*\n(?:[ \t].*\n)*/gim, "");
  const body = message.toString("latin1", end).replaceAll("\r\n", "\n");
  const text = (head + body).replace(/^(>*From )/gm, ">$1");
  return Buffer.concat([
    Buffer.from(`${fields.join("\n")}\n`),
    Buffer.from(`${text}${text.endsWith("\n") ? "" : "\n"}\n`, "latin1"),
  ]);
}

/** The envelope's sender, which delivery noted in Return-Path. */
function senderOf(message: Buffer): string {
  const [field] = parseHeader(message, (name) => name.toLowerCase() === "return-path");
  const [, address = ""] = /<([^<>\s]+)>/.exec(field?.value ?? "") ?? [];
  return address || "MAILER-DAEMON";
}

/** As the C function writes it, in UTC: "Tue Dec  1 15:38:00 2026". */
function asctime(date: Date): string {
  const [day, number, month, year, time] = date.toUTCString().replace(",", "").split(" ");
  return `${day} ${month} ${String(Number(number)).padStart(2)} ${time} ${year}`;
}
